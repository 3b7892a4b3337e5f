"""The second step of signing in: an app on the phone, and codes on paper for when it is lost.

Like `accounts`, whatever changes something writes the row of `staff` first. `now` is the machine's
time.
"""

import base64
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pyotp import TOTP
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from funnel.db.desk import RecoveryCode, Staff
from funnel.domain.errors import VaultLocked, WrongCode
from funnel.domain.people import fingerprint
from funnel.domain.second_factor import (
    PAPER_ALPHABET,
    PAPER_CHARACTERS,
    RECOVERY_CODES,
    STEP_SECONDS,
    is_app_code,
    open_steps,
    plain_code,
    spelled,
)
from funnel.services import accounts, browsers, staff
from funnel.services.browsers import SignedIn
from funnel.services.limits import forget, take
from funnel.vault import Vault

log = logging.getLogger(__name__)

SECRET_BYTES = 20
TRIES_PER_VISITOR = 10
# Over all visitors: whoever is here knows the password. Codes on paper cannot be guessed and are
# not counted here, so the owner still gets in with one.
TRIES_OF_APP_CODES = 20


@dataclass(frozen=True)
class TurnedOn:
    """A second step just set up: the new session, and the codes to write down, shown this once."""

    signed_in: SignedIn
    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class SecondFactor:
    """How an account's second step stands."""

    since: datetime | None
    codes_left: int


def standing(session: Session, staff_id: int) -> SecondFactor:
    """Since when there is one, and how many codes on paper are left."""
    since = session.get_one(Staff, staff_id).second_factor_at
    query = select(func.count()).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
    )
    return SecondFactor(since, session.scalars(query).one())


def offered_secret(vault: Vault, token: str) -> str:
    """The secret that this session may set up: the same however often its page is loaded.

    It is made from the session's own secret with our key, so nothing is stored until it is used,
    and the next session is offered another.
    """
    name = bytes.fromhex(vault.name(f"second factor {token}".encode()))
    return base64.b32encode(name[:SECRET_BYTES]).decode()


def app_link(secret: str, *, email: str, practice: str) -> str:
    """What the QR code says: an address that an authenticator app understands."""
    return TOTP(secret).provisioning_uri(name=email, issuer_name=practice)


def turn_on(
    session: Session, staff_id: int, token: str, typed: str, *, vault: Vault, now: datetime
) -> TurnedOn:
    """Take the offered secret for the account once a code proves that the app knows it.

    Whatever was before is over: the old phone, the old codes, every other session. Raises
    WrongCode, or SignedOut when this session is over.
    """
    secret = offered_secret(vault, token)
    step = _step_of(secret, plain_code(typed), open_steps(now, None))
    if step is None:
        raise WrongCode
    _write(session, staff_id, sealed=vault.seal(secret.encode()), step=step, since=now)
    signed_in = browsers.renew(session, token, now=now, has_code=True)
    browsers.end_all(session, staff_id, now=now, but=signed_in.token)
    codes = _new_codes(session, staff_id, vault)
    staff.note(session, staff_id, "set up the second step", f"staff {staff_id}", now=now)
    return TurnedOn(signed_in, codes)


def _write(
    session: Session,
    staff_id: int,
    *,
    sealed: bytes | None = None,
    step: int | None = None,
    since: datetime | None = None,
) -> None:
    session.execute(
        update(Staff)
        .where(Staff.id == staff_id)
        .values(totp_sealed=sealed, totp_step=step, second_factor_at=since)
    )


def count_try(
    session: Session, staff_id: int, typed: str, *, ip_key: str, pepper: bytes, now: datetime
) -> bool:
    """Count one try of a code; False when there were too many. Commit it before anything else."""
    keys = _counted_as(staff_id, ip_key, pepper)
    is_allowed = take(session, keys[0], limit=TRIES_PER_VISITOR, window=staff.TRY_WINDOW, now=now)
    if is_allowed and is_app_code(plain_code(typed)):
        is_allowed = take(
            session, keys[1], limit=TRIES_OF_APP_CODES, window=staff.TRY_WINDOW, now=now
        )
    if not is_allowed:
        staff.note_refusals(session, staff_id, "code", now=now)
    return is_allowed


def _counted_as(staff_id: int, ip_key: str, pepper: bytes) -> tuple[str, str]:
    """The counts of this visitor, and of the account's app codes from everywhere."""
    return (
        fingerprint(f"code {ip_key} {staff_id}", pepper),
        fingerprint(f"app code {staff_id}", pepper),
    )


def forget_tries(session: Session, staff_id: int, *, ip_key: str, pepper: bytes) -> None:
    """Begin to count this visitor anew: they had a code that fits."""
    forget(session, _counted_as(staff_id, ip_key, pepper)[:1])


def prove(
    session: Session, staff_id: int, token: str, typed: str, *, vault: Vault, now: datetime
) -> SignedIn:
    """The code that belongs to the password just given: opens the desk in a session of its own.

    A code works once, also for two at a time. Raises WrongCode, or SignedOut when the session of
    the password is over.
    """
    plain = plain_code(typed)
    use: Callable[..., bool] = _use_app_code if is_app_code(plain) else _use_paper_code
    if not use(session, staff_id, plain, vault, now):
        raise WrongCode
    action = "signed in" if is_app_code(plain) else "used a recovery code"
    staff.note(session, staff_id, action, f"staff {staff_id}", now=now)
    return browsers.renew(session, token, now=now, has_code=True)


def _use_app_code(session: Session, staff_id: int, plain: str, vault: Vault, now: datetime) -> bool:
    person = session.get_one(Staff, staff_id)
    secret = _unsealed(vault, person.totp_sealed)
    if secret is None:
        return False
    step = _step_of(secret, plain, open_steps(now, person.totp_step))
    return step is not None and _take(session, person, step, vault.seal(secret.encode()))


def _unsealed(vault: Vault, sealed: bytes | None) -> str | None:
    try:
        return vault.open(sealed).decode() if sealed else None
    except VaultLocked:
        log.warning("a second step cannot be opened with today's keys: recovery codes still work")
        return None


def _step_of(secret: str, plain: str, steps: tuple[int, ...]) -> int | None:
    """Which of these steps the code belongs to."""
    app = TOTP(secret)
    fits = [step for step in steps if staff.same_token(app.at(step * STEP_SECONDS), plain)]
    return fits[0] if fits else None


def _take(session: Session, person: Staff, step: int, resealed: bytes) -> bool:
    """Use up a step, unless somebody else did, or has set up another phone meanwhile.

    The secret is sealed anew, so that an older key can be put away one day.
    """
    taken = session.execute(
        update(Staff)
        .where(
            Staff.id == person.id,
            Staff.totp_sealed == person.totp_sealed,
            or_(Staff.totp_step.is_(None), Staff.totp_step < step),
        )
        .values(totp_step=step, totp_sealed=resealed)
        .returning(Staff.id)
    ).first()
    return taken is not None


def _use_paper_code(
    session: Session, staff_id: int, plain: str, vault: Vault, now: datetime
) -> bool:
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.code_name == _name(vault, staff_id, plain),
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.staff_id)
    ).first()
    return used is not None


def renew_codes(session: Session, staff_id: int, *, vault: Vault, now: datetime) -> tuple[str, ...]:
    """New codes on paper; the old ones are over."""
    codes = _new_codes(session, staff_id, vault)
    staff.note(session, staff_id, "made new recovery codes", f"staff {staff_id}", now=now)
    return codes


def _new_codes(session: Session, staff_id: int, vault: Vault) -> tuple[str, ...]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = tuple(
        "".join(secrets.choice(PAPER_ALPHABET) for _ in range(PAPER_CHARACTERS))
        for _ in range(RECOVERY_CODES)
    )
    session.add_all(
        RecoveryCode(code_name=_name(vault, staff_id, code), staff_id=staff_id) for code in codes
    )
    session.flush()
    return tuple(spelled(code) for code in codes)


def _name(vault: Vault, staff_id: int, plain: str) -> str:
    """What is kept of a code: without our key it cannot be tried out."""
    return vault.name(f"recovery code {staff_id} {plain}".encode())


def turn_off(session: Session, staff_id: int, token: str, *, now: datetime) -> SignedIn:
    """Go back to the password alone: this browser gets a new session, all others end."""
    _take_away(session, staff_id)
    signed_in = browsers.renew(session, token, now=now)
    browsers.end_all(session, staff_id, now=now, but=signed_in.token)
    staff.note(session, staff_id, "switched the second step off", f"staff {staff_id}", now=now)
    return signed_in


def reset(session: Session, email: str, *, now: datetime) -> None:
    """Take a lost second step away, on the server itself; every session ends. Raises NotFound."""
    staff_id = accounts.account_id(session, email)
    _take_away(session, staff_id)
    browsers.end_all(session, staff_id, now=now)
    staff.note(
        session, None, "took the second step away on the server", f"staff {staff_id}", now=now
    )


def _take_away(session: Session, staff_id: int) -> None:
    _write(session, staff_id)
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
