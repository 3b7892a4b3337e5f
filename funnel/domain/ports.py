"""What the funnel asks of the outside world."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import UUID

from funnel.domain.journal import Entry
from funnel.domain.lineage import Mark
from funnel.domain.mail_account import Account, ListName, ListPage
from funnel.domain.names import Lookup, RecordKind

# What a guide is printed from: plain JSON values by name.
Document = dict[str, object]


class MailClass(StrEnum):
    """Why a message is sent; decides quiet hours, consent and what happens when in doubt."""

    CONFIRM = "confirm"
    DELIVER = "deliver"
    DRIP = "drip"
    RECEIPT = "receipt"
    ADMIN = "admin"


@dataclass(frozen=True, eq=False)
class MailForm:
    """The words that everyone of one mail gets, cut at the places that are each reader's own.

    Every part is text, place, text, place, ... text; a place is the index of its value. `html`
    values are escaped already. Shared by its emails: compare by identity.
    """

    subject: tuple[str | int, ...]
    html: tuple[str | int, ...]
    text: tuple[str | int, ...]

    @staticmethod
    def fill(part: tuple[str | int, ...], values: tuple[str, ...]) -> str:
        """A whole part; values are put in once and never read again."""
        return "".join([piece if isinstance(piece, str) else values[piece] for piece in part])


@dataclass(frozen=True)
class OutgoingEmail:
    """One finished email to one person. Headers hold no line breaks; html and text are whole.

    Where `form` is given, filling it with `values` gives the very same subject, html and text:
    a mailer may build on it what is common to many only once. `label` says which mail it is, in
    words that tell nothing of its reader: a provider may count by it.
    """

    message_id: UUID
    mail_class: MailClass
    to_address: str
    from_name: str
    from_address: str
    reply_to: str | None
    subject: str
    html: str
    text: str
    list_unsubscribe_url: str | None
    created_at: datetime
    form: MailForm | None = None
    values: tuple[str, ...] = ()
    label: str = ""

    @property
    def message_id_header(self) -> str:
        """The deterministic Message-ID, with its angle brackets."""
        domain = self.from_address.rpartition("@")[2]
        return f"<{self.message_id}@{domain}>"


@dataclass(frozen=True)
class MailboxItem:
    """One mail in the local mailbox, as its list shows it."""

    key: str
    to_address: str
    subject: str
    sent_at: datetime


@dataclass(frozen=True)
class MailboxMessage:
    """One mail of the local mailbox, opened: both parts and every header in order."""

    item: MailboxItem
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]


class MailboxReader(Protocol):
    """Reads the local mailbox of the embedded mode; newest first."""

    def items(self, limit: int = 200) -> list[MailboxItem]: ...

    def message(self, key: str) -> MailboxMessage | None: ...


class Outcome(StrEnum):
    """What a provider's answer means for one message (reliability, answer classes)."""

    ACCEPTED = "accepted"
    NOT_SENT_RETRY = "not_sent_retry"
    NOT_SENT_THROTTLED = "not_sent_throttled"
    REFUSED = "refused"
    ADDRESS_REFUSED = "address_refused"
    ACCOUNT_REFUSED = "account_refused"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True)
class SendResult:
    """The outcome for one message; `why` is one plain sentence without personal data."""

    message_id: UUID
    outcome: Outcome
    why: str
    provider_id: str | None = None
    status_code: int | None = None
    retry_at: datetime | None = None


class Mailer(Protocol):
    """Hands emails to a provider. Never retries by itself; never raises for a provider's answer.

    Every email given in gets exactly one result, in the same order. `batch_size` is the most
    emails of one call, `answer_seconds` the longest one call may take. `knows_at_once` where
    `was_accepted` is certain as soon as a call is over; a provider's log lags behind.
    """

    name: str
    batch_size: int
    answer_seconds: float
    knows_at_once: bool

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]: ...

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool | None:
        """Whether this provider took that message, handed over at `since` or later.

        May ask over the network. None when it will never tell; raises CannotTellNow when it may
        tell later.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class StoredFile:
    """A file in the store: its size in bytes and its SHA-256 in hex."""

    key: str
    size_bytes: int
    sha256: str


class Storage(Protocol):
    """Keeps finished files under opaque keys. A key is either absent or whole."""

    def put(self, key: str, source: Path) -> StoredFile: ...

    def path(self, key: str) -> Path | None: ...

    def keys(self, put_before: datetime) -> list[str]:
        """The keys of the files put there before that instant, by the machine's clock."""
        ...

    def clear(self, put_before: datetime) -> None:
        """Remove what was cut off while it was being put before that instant."""
        ...

    def delete(self, key: str) -> None:
        """Remove a file for good; a key that is absent is no error."""
        ...


@dataclass(frozen=True)
class PressedGuide:
    """What the press made: pages, bytes on disk, SHA-256 in hex."""

    pages: int
    size_bytes: int
    sha256: str


class GuidePress(Protocol):
    """Turns a guide's document into a PDF file. Raises GuideFailed."""

    def press(
        self, document: Mapping[str, object], out: Path, edition: str = "guide"
    ) -> PressedGuide: ...

    def warm(self) -> None:
        """Get ready, so that the first guide does not wait."""
        ...

    def close(self) -> None: ...


class Marks(Protocol):
    """Marks beside the database, by which a restored or copied one is known."""

    def read(self, installation: str) -> Mark | None: ...

    def newest(self) -> Mark | None:
        """The mark of any installation that was here, the last one first."""
        ...

    def write(self, mark: Mark) -> None:
        """Keep a mark in place of the last one. Raises OSError where it cannot be written."""
        ...


class Journal(Protocol):
    """Lines outside the database, only ever added to."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Add lines for good. Raises OSError where that cannot be."""
        ...

    def entries(self) -> Iterator[Entry]: ...


class Bell(Protocol):
    """Wakes a worker. Losing a ring costs at most one tick; ringing never raises."""

    def ring(self, queue: str) -> None: ...


class WebhookVerifier(Protocol):
    """Checks that a webhook's raw body was signed by the provider. Raises WebhookRefused."""

    def verify(
        self, raw: bytes, signature: str | None, timestamp: str | None, now: datetime
    ) -> None: ...


class ProofOfWork(Protocol):
    """Sets a sum that costs a browser about a second, and knows its own sums again."""

    def challenge(self, until: datetime) -> str:
        """A new sum as JSON, good until then by the machine's time."""
        ...

    def solved(self, answer: str, machine: datetime) -> str | None:
        """The name of the sum that this answers; None unless it is ours, right and in time."""
        ...


class NameServers(Protocol):
    """Asks the domain name system. Never raises: what cannot be told is an unknown answer."""

    def look_up(self, name: str, kind: RecordKind) -> Lookup: ...


class ProviderAccount(Protocol):
    """Asks the provider what our key may do and how our account is set up. Never raises."""

    def describe(self) -> Account: ...


class SuppressionLists(Protocol):
    """Reads the provider's lists of addresses that it no longer writes to.

    A page holds what was listed from `since` to `until`. Raises ProviderRefused where our key may
    not read it, CannotTellNow where it may be asked again later.
    """

    def page(
        self, name: ListName, *, since: datetime | None, until: datetime, offset: int
    ) -> ListPage: ...


class ProviderErasure(Protocol):
    """Has the provider erase all that it keeps about these addresses.

    Safe to repeat. Raises ProviderRefused, or CannotTellNow when it is to be asked again later.
    """

    def erase(self, addresses: Sequence[str]) -> None: ...


@dataclass(frozen=True)
class Outside:
    """What is asked of the outside beside sending; None where the provider has no such thing."""

    servers: NameServers
    erasure: ProviderErasure
    account: ProviderAccount | None = None
    lists: SuppressionLists | None = None
