"""Who may enter the desk: first set-up, signing in and out, sessions, and what was done.

Every `now` here is the machine's time: a demo that runs fast must not sign anybody out.
"""

import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from funnel.db.desk import AuditEntry, SetupToken, Staff, StaffSession
from funnel.domain.errors import InvalidInput, LinkExpired, LinkInvalid, WrongPassword
from funnel.domain.passwords import password_problem
from funnel.domain.people import Address, fingerprint, parse_address, parse_name
from funnel.services.limits import take

SETUP_LIFE = timedelta(hours=1)
IDLE_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(hours=12)
KEEP_ALIVE_EVERY = timedelta(minutes=1)
TRIES_PER_ACCOUNT = 10
TRIES_PER_VISITOR = 20
TRY_WINDOW = timedelta(hours=1)

# One hash at a time, in one thread: each takes 19 MB, and memory lent to many threads stays theirs.
_ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: its secret for the cookie, and the token its forms carry."""

    token: str
    csrf: str


@dataclass(frozen=True)
class NewAccount:
    """What was typed for the first account, found good; the password only as its hash."""

    address: Address
    name: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Account:
    """An account as signing in needs it."""

    id: int
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class StaffView:
    """Who is signed in. `needs_keep_alive` asks for a call of `keep_alive`."""

    id: int
    name: str
    email: str
    csrf: str
    needs_keep_alive: bool


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
    session.add(
        SetupToken(token_sha256=_digest(token), created_at=now, expires_at=now + SETUP_LIFE)
    )
    return token


def check_setup(session: Session, token: str, *, now: datetime) -> None:
    """Raise LinkInvalid or LinkExpired unless this token may still make the first account."""
    found = session.get(SetupToken, _digest(token))
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
    return NewAccount(address, shown_name, _hash(password))


def set_up(session: Session, token: str, account: NewAccount, *, now: datetime) -> SignedIn:
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
    return _start_session(session, person.id, now)


def _use_up(session: Session, token: str, now: datetime) -> None:
    used = session.execute(
        update(SetupToken)
        .where(SetupToken.token_sha256 == _digest(token), SetupToken.used_at.is_(None))
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
    visitor = fingerprint(f"sign-in {ip_key}", pepper)
    if not take(session, visitor, limit=TRIES_PER_VISITOR, window=TRY_WINDOW, now=now):
        return False
    account = fingerprint(f"sign-in {ip_key} {_email_key(email)}", pepper)
    return take(session, account, limit=TRIES_PER_ACCOUNT, window=TRY_WINDOW, now=now)


def find_account(session: Session, email: str) -> Account | None:
    """The account of an address; None for an unknown one, which is to be checked all the same."""
    person = session.scalars(select(Staff).where(Staff.email_key == _email_key(email))).first()
    return Account(person.id, person.password_hash) if person else None


def check_password(account: Account | None, password: str) -> Account:
    """The account, with a new hash where the old one is weaker than ours; raises WrongPassword.

    Slow, so never inside a transaction. No account costs the same work as one.
    """
    if not _matches(account.password_hash if account else _nobodys_hash(), password) or not account:
        raise WrongPassword
    if _HASHER.check_needs_rehash(account.password_hash):
        return Account(account.id, _hash(password))
    return account


def sign_in(session: Session, account: Account, *, now: datetime) -> SignedIn:
    """Open a new session for an account whose password was right."""
    session.get_one(Staff, account.id).password_hash = account.password_hash
    note(session, account.id, "signed in", f"staff {account.id}", now=now)
    return _start_session(session, account.id, now)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _ONE_AT_A_TIME.submit(_HASHER.verify, password_hash, password).result()
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hash(secrets.token_urlsafe(32))


def _hash(password: str) -> str:
    return _ONE_AT_A_TIME.submit(_HASHER.hash, password).result()


def _email_key(email: str) -> str:
    """The key an account is found by; what is no address is only counted."""
    try:
        return parse_address(email).key
    except InvalidInput:
        return email.strip().casefold()


def _start_session(session: Session, staff_id: int, now: datetime) -> SignedIn:
    session.execute(delete(StaffSession).where(StaffSession.created_at <= now - SESSION_LIFE))
    signed_in = SignedIn(token=secrets.token_urlsafe(32), csrf=secrets.token_urlsafe(32))
    session.add(
        StaffSession(
            token_sha256=_digest(signed_in.token),
            staff_id=staff_id,
            csrf_token=signed_in.csrf,
            created_at=now,
            seen_at=now,
        )
    )
    session.flush()
    return signed_in


def find_session(session: Session, token: str, *, now: datetime) -> StaffView | None:
    """Who this cookie belongs to; None when it is unknown, ended, idle too long or too old."""
    found = session.get(StaffSession, _digest(token))
    if found is None or found.ended_at is not None:
        return None
    if now - found.seen_at >= IDLE_LIFE or now - found.created_at >= SESSION_LIFE:
        return None
    return StaffView(
        id=found.staff.id,
        name=found.staff.name,
        email=found.staff.email,
        csrf=found.csrf_token,
        needs_keep_alive=now - found.seen_at >= KEEP_ALIVE_EVERY,
    )


def keep_alive(session: Session, token: str, *, now: datetime) -> None:
    """Note that a session is in use; it is written at most once a minute."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_sha256 == _digest(token), StaffSession.ended_at.is_(None))
        .values(seen_at=now)
    )


def sign_out(session: Session, token: str, *, now: datetime) -> None:
    """End a session for good; signing out twice changes nothing."""
    ended = session.execute(
        update(StaffSession)
        .where(StaffSession.token_sha256 == _digest(token), StaffSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StaffSession.staff_id)
    ).first()
    if ended is not None:
        note(session, ended.staff_id, "signed out", f"staff {ended.staff_id}", now=now)


def note(
    session: Session, staff_id: int | None, action: str, subject: str, *, now: datetime
) -> None:
    """Append one line to what was done at the desk. Control characters are taken out."""
    plain = "".join(c if c.isprintable() else " " for c in subject)
    session.add(AuditEntry(occurred_at=now, staff_id=staff_id, action=action, subject=plain))


def same_token(expected: str, given: str) -> bool:
    """Compare two tokens without telling by the time taken how much of them agrees."""
    return hmac.compare_digest(expected.encode(), given.encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
