"""Who may enter the desk: first set-up, signing in and out, and what was done.

Every `now` here is the machine's time: a demo that runs fast must not sign anybody out.
"""

import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from funnel.db.desk import AuditEntry, SetupToken, Staff
from funnel.domain.errors import InvalidInput, LinkExpired, LinkInvalid, WrongPassword
from funnel.domain.passwords import password_problem
from funnel.domain.people import Address, fingerprint, parse_address, parse_name
from funnel.services import browsers
from funnel.services.browsers import SignedIn, digest
from funnel.services.limits import forget, take
from funnel.services.passwords import hash_password, is_password, is_weak

SETUP_LIFE = timedelta(hours=1)
TRIES_PER_ACCOUNT = 10
TRIES_PER_VISITOR = 20
TRY_WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class NewAccount:
    """What was typed for the first account, found good; the password only as its hash."""

    address: Address
    name: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Account:
    """An account as signing in needs it; `renewed_hash` is to take the place of a weaker one."""

    id: int
    password_hash: str = field(repr=False)
    renewed_hash: str | None = field(default=None, repr=False)


def has_staff(session: Session) -> bool:
    """True once somebody may sign in."""
    return bool(session.scalar(select(func.count()).select_from(Staff)))


def make_setup_link(session: Session, *, now: datetime) -> str | None:
    """A one-time token for the first account; None when there is one already.

    A new token ends the older ones. It lives an hour, and only its hash is kept.
    """
    if has_staff(session):
        return None
    session.execute(delete(SetupToken).where(SetupToken.used_at.is_(None)))
    token = secrets.token_urlsafe(32)
    session.add(SetupToken(token_sha256=digest(token), created_at=now, expires_at=now + SETUP_LIFE))
    return token


def check_setup(session: Session, token: str, *, now: datetime) -> None:
    """Raise LinkInvalid or LinkExpired unless this token may still make the first account."""
    found = session.get(SetupToken, digest(token))
    if found is None or found.used_at is not None or has_staff(session):
        raise LinkInvalid
    if found.expires_at <= now:
        raise LinkExpired


def new_account(*, name: str, email: str, password: str, practice: str = "") -> NewAccount:
    """Check what was typed and hash the password: slow, so never inside a transaction.

    Raises InvalidInput with the field to mend.
    """
    address = parse_address(email)
    shown_name = parse_name(name)
    if shown_name is None:
        raise InvalidInput("name", "Please tell us your name: it is shown when you are signed in.")
    problem = password_problem(password, [address.mailbox, shown_name, practice])
    if problem:
        raise InvalidInput("password", problem)
    return NewAccount(address, shown_name, hash_password(password))


def set_up(
    session: Session, token: str, account: NewAccount, *, now: datetime, browser: str | None = None
) -> SignedIn:
    """Make the first account and sign it in; the token works once, also for two at a time.

    Raises LinkInvalid or LinkExpired.
    """
    check_setup(session, token, now=now)
    _use_up(session, token, now)
    person = Staff(
        email=account.address.mailbox,
        email_key=account.address.key,
        name=account.name,
        password_hash=account.password_hash,
        created_at=now,
    )
    session.add(person)
    session.flush()
    note(session, person.id, "set up the desk", f"staff {person.id}", now=now)
    return browsers.open_session(session, person.id, browser=browser, now=now)


def _use_up(session: Session, token: str, now: datetime) -> None:
    used = session.execute(
        update(SetupToken)
        .where(SetupToken.token_sha256 == digest(token), SetupToken.used_at.is_(None))
        .values(used_at=now)
        .returning(SetupToken.token_sha256)
    ).first()
    if used is None:
        raise LinkInvalid


def count_try(session: Session, email: str, *, ip_key: str, pepper: bytes, now: datetime) -> bool:
    """Count one try to sign in; False when this visitor had too many, here or on all accounts.

    An account is counted for each visitor apart, so that no stranger can lock its owner out.
    Commit it before anything is answered, or a refused try would be forgotten. Only keyed hashes
    are kept.
    """
    visitor, account = _counted_as(email, ip_key, pepper)
    if not take(session, visitor, limit=TRIES_PER_VISITOR, window=TRY_WINDOW, now=now):
        return _refuse(session, email, now)
    if not take(session, account, limit=TRIES_PER_ACCOUNT, window=TRY_WINDOW, now=now):
        return _refuse(session, email, now)
    return True


def forget_tries(session: Session, email: str, *, ip_key: str, pepper: bytes) -> None:
    """Begin to count anew: this visitor knew the password."""
    forget(session, _counted_as(email, ip_key, pepper))


def _counted_as(email: str, ip_key: str, pepper: bytes) -> tuple[str, str]:
    """The counts of a visitor: over all accounts, and on this one."""
    visitor = fingerprint(f"sign-in {ip_key}", pepper)
    return visitor, fingerprint(f"sign-in {ip_key} {_email_key(email)}", pepper)


def _refuse(session: Session, email: str, now: datetime) -> bool:
    found = find_account(session, email)
    if found is not None:
        note_refusals(session, found.id, "password", now=now)
    return False


def note_refusals(session: Session, staff_id: int, what: str, *, now: datetime) -> None:
    """Tell an account's owner, once an hour, that somebody was sent away after too many tries."""
    key = f"noted: {what} of staff {staff_id}"
    if take(session, key, limit=1, window=TRY_WINDOW, now=now):
        note(session, staff_id, f"refused more tries of the {what}", f"staff {staff_id}", now=now)


def find_account(session: Session, email: str) -> Account | None:
    """The account of an address; None for an unknown one, which is to be checked all the same."""
    person = session.scalars(select(Staff).where(Staff.email_key == _email_key(email))).first()
    return Account(person.id, person.password_hash) if person else None


def check_password(account: Account | None, password: str) -> Account:
    """The account, with a new hash where the old one is weaker than ours; raises WrongPassword.

    Slow, so never inside a transaction. No account costs the same work as one.
    """
    if not is_password(account.password_hash if account else None, password) or not account:
        raise WrongPassword
    if is_weak(account.password_hash):
        return replace(account, renewed_hash=hash_password(password))
    return account


def sign_in(
    session: Session, account: Account, *, now: datetime, browser: str | None = None
) -> SignedIn:
    """Open a new session for an account whose password was right.

    Where there is a second step the session opens nothing else until that is done. Raises
    WrongPassword when the password was changed since it was checked.
    """
    found = session.execute(
        update(Staff)
        .where(Staff.id == account.id, Staff.password_hash == account.password_hash)
        .values(password_hash=account.renewed_hash or account.password_hash)
        .returning(Staff.second_factor_at)
    ).first()
    if found is None:
        raise WrongPassword
    action = "signed in" if found.second_factor_at is None else "gave the right password"
    note(session, account.id, action, f"staff {account.id}", now=now)
    return browsers.open_session(session, account.id, browser=browser, now=now)


def _email_key(email: str) -> str:
    """The key an account is found by; what is no address is only counted."""
    try:
        return parse_address(email).key
    except InvalidInput:
        return email.strip().casefold()


def sign_out(session: Session, token: str, *, now: datetime) -> None:
    """End a session for good; signing out twice changes nothing."""
    staff_id = browsers.end(session, token, now=now)
    if staff_id is not None:
        note(session, staff_id, "signed out", f"staff {staff_id}", now=now)


def note(
    session: Session, staff_id: int | None, action: str, subject: str, *, now: datetime
) -> None:
    """Append one line to what was done at the desk. Control characters are taken out."""
    entry = AuditEntry(
        occurred_at=now, staff_id=staff_id, action=_plain(action), subject=_plain(subject)
    )
    session.add(entry)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def same_token(expected: str, given: str) -> bool:
    """Compare two tokens without telling by the time taken how much of them agrees."""
    return hmac.compare_digest(expected.encode(), given.encode())
