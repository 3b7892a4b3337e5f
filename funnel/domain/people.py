"""People: addresses, names, states and what may be sent to whom."""

import hmac
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from funnel.domain.errors import InvalidInput
from funnel.domain.ports import MailClass

MAX_ADDRESS_OCTETS = 254
MAX_LOCAL_OCTETS = 64
MAX_NAME_CHARACTERS = 80

# Only ever used with fullmatch: `$` would let a line break through at the end.
_LOCAL = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TOO_LONG = "That email address is too long to be real. Please check it."
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class PersonState(StrEnum):
    """Where a person stands. Only a confirmed person gets anything but a confirm mail."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Purpose(StrEnum):
    """What a person can agree to, each on its own."""

    SERIES = "series"
    HEALTH = "health"
    CHALLENGE = "challenge"
    CLICKS = "clicks"


class SuppressionReason(StrEnum):
    """Why an address is left alone."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"


@dataclass(frozen=True)
class Address:
    """An email address in three forms.

    `mailbox` is as typed, host in ASCII: mail goes there. `key` is lower-cased: one key is one
    person. `folded` also drops tags and Gmail's dots: sign-up limits count by it.
    """

    mailbox: str
    key: str
    folded: str


def parse_address(raw: str) -> Address:
    """Read one plain address; raises InvalidInput with a kind message.

    The local part is kept as typed; the host is lower-cased and put into its ASCII form.
    """
    text = raw.strip()
    local, at, host = text.rpartition("@")
    if not at or not local or not host:
        raise _bad_address("Enter an email address in the form name@example.com.")
    if len(text) > MAX_ADDRESS_OCTETS or len(local) > MAX_LOCAL_OCTETS:
        raise _bad_address(_TOO_LONG)
    if not _LOCAL.fullmatch(local):
        raise _bad_address("That email address has a character we cannot use. Please check it.")
    host = _ascii_host(host)
    mailbox = f"{local}@{host}"
    if len(mailbox) > MAX_ADDRESS_OCTETS:
        raise _bad_address(_TOO_LONG)
    return Address(mailbox=mailbox, key=mailbox.lower(), folded=_fold(local, host))


def _ascii_host(host: str) -> str:
    try:
        ascii_host = host.removesuffix(".").lower().encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _bad_address("The part after the @ does not look right. Please check it.") from error
    labels = ascii_host.split(".")
    if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise _bad_address("The part after the @ does not look right. Please check it.")
    return ascii_host


def _fold(local: str, host: str) -> str:
    """Fold case, tags and Gmail's dots, so that one mailbox counts once."""
    folded = local.lower().partition("+")[0].rstrip(".") or local.lower()
    if host in {"gmail.com", "googlemail.com"}:
        return f"{folded.replace('.', '') or folded}@gmail.com"
    return f"{folded}@{host}"


def _bad_address(message: str) -> InvalidInput:
    return InvalidInput("email", message)


def parse_name(raw: str) -> str | None:
    """Clean a first name for showing: no control or direction characters; None when blank.

    A name of over 80 characters raises InvalidInput.
    """
    text = unicodedata.normalize("NFC", raw)
    kept = "".join(
        c if not unicodedata.category(c).startswith("C") else " " for c in text if c not in _BIDI
    )
    name = " ".join(kept.split())
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidInput(
            "name",
            f"Please keep your first name under {MAX_NAME_CHARACTERS} characters.",
        )
    return name or None


def fingerprint(address_key: str, pepper: bytes) -> str:
    """A keyed hash of an address, in hex: survives erasure, names no one."""
    return hmac.digest(pepper, address_key.encode(), "sha256").hex()


@dataclass(frozen=True)
class Standing:
    """All that decides whether a person may be mailed."""

    state: PersonState
    purposes: frozenset[Purpose]
    suppressions: frozenset[SuppressionReason]

    @property
    def has_bounced(self) -> bool:
        """By the address or by the person: either is enough to leave them alone."""
        return SuppressionReason.BOUNCED in self.suppressions or self.state is PersonState.BOUNCED

    @property
    def has_complained(self) -> bool:
        """By the address or by the person."""
        return (
            SuppressionReason.COMPLAINED in self.suppressions
            or self.state is PersonState.COMPLAINED
        )


def why_not_send(standing: Standing, mail_class: MailClass, purpose: Purpose | None) -> str | None:
    """Why this person must not get this mail, as a plain sentence; None when they may.

    Receipts reach everyone whose address works. Service mail (confirm, deliver) is sent at the
    person's own request, so an unsubscribe does not stop it; a bounce or a complaint does.
    """
    if mail_class is MailClass.ADMIN:
        return None
    if standing.has_bounced:
        return "Mail to this address bounced."
    if mail_class is MailClass.RECEIPT:
        return None
    if standing.has_complained:
        return "They reported a mail as spam."
    if mail_class is MailClass.CONFIRM:
        return None
    if mail_class is MailClass.DELIVER:
        return None if standing.state is not PersonState.PENDING else "They have not confirmed yet."
    return _why_not_drip(standing, purpose)


def _why_not_drip(standing: Standing, purpose: Purpose | None) -> str | None:
    if standing.suppressions:
        return "They asked for no more emails."
    if standing.state is not PersonState.CONFIRMED:
        return f"They are {standing.state}, not confirmed."
    if purpose is None or purpose not in standing.purposes:
        return "They have not agreed to these emails."
    return None
