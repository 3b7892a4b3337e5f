"""Who may enter the desk: first set-up, signing in and out, sessions, and what was done.

Every `now` here is the machine's time: a demo that runs fast must not sign anybody out.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from funnel.db.desk import AuditEntry, SetupToken, Staff, StaffSession
from funnel.domain.errors import InvalidInput, LinkExpired, LinkInvalid, TooManyTries, WrongPassword
from funnel.domain.passwords import password_problem
from funnel.domain.people import parse_address, parse_name
from funnel.services.limits import take

SETUP_LIFE = timedelta(hours=1)
IDLE_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(hours=12)
KEEP_ALIVE_EVERY = timedelta(minutes=1)
TRIES_PER_ACCOUNT = 10
TRIES_PER_VISITOR = 20
TRY_WINDOW = timedelta(hours=1)

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: its secret for the cookie, and the token its forms carry."""

    token: str
    csrf: str


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


def set_up(
    session: Session,
    token: str,
    *,
    name: str,
    email: str,
    password: str,
    practice: str = "",
    now: datetime,
) -> SignedIn:
    """Make the first account and sign it in; the token works once, also for two at a time.

    Raises LinkInvalid, LinkExpired, or InvalidInput with the field to mend.
    """
    check_setup(session, token, now=now)
    address = parse_address(email)
    shown_name = parse_name(name)
    if shown_name is None:
        raise InvalidInput("name", "Please tell us your name: it is shown when you are signed in.")
    problem = password_problem(password, [address.mailbox, shown_name, practice])
    if problem:
        raise InvalidInput("password", problem)
    hashed = _HASHER.hash(password)
    _use_up(session, token, now)
    person = Staff(
        email=address.mailbox,
        email_key=address.key,
        name=shown_name,
        password_hash=hashed,
        created_at=now,
    )
    session.add(person)
    session.flush()
    note(session, person.id, "set up the desk", f"staff {person.id}", now=now)
    return _start_session(session, person, now)


def _use_up(session: Session, token: str, now: datetime) -> None:
    used = session.execute(
        update(SetupToken)
        .where(SetupToken.token_sha256 == _digest(token), SetupToken.used_at.is_(None))
        .values(used_at=now)
        .returning(SetupToken.token_sha256)
    ).first()
    if used is None:
        raise LinkInvalid


def count_try(session: Session, email: str, *, ip_key: str, now: datetime) -> bool:
    """Count one try to sign in; False when this account or this visitor had too many.

    Commit it before `sign_in` answers, or a refused try would be forgotten.
    """
    account = hashlib.sha256(_email_key(email).encode()).hexdigest()
    by_visitor = take(
        session,
        f"sign-in-visitor:{ip_key}",
        limit=TRIES_PER_VISITOR,
        window=TRY_WINDOW,
        now=now,
    )
    if not by_visitor:
        return False
    return take(session, f"sign-in:{account}", limit=TRIES_PER_ACCOUNT, window=TRY_WINDOW, now=now)


def sign_in(
    session: Session, email: str, password: str, *, is_allowed: bool, now: datetime
) -> SignedIn:
    """Open a new session; `is_allowed` is the answer of `count_try`.

    Raises TooManyTries or WrongPassword. An unknown address costs the same work as a known one.
    A hash of older strength is made again.
    """
    if not is_allowed:
        raise TooManyTries
    person = session.scalars(select(Staff).where(Staff.email_key == _email_key(email))).first()
    if not _matches(person.password_hash if person else _nobodys_hash(), password) or not person:
        raise WrongPassword
    if _HASHER.check_needs_rehash(person.password_hash):
        person.password_hash = _HASHER.hash(password)
    note(session, person.id, "signed in", f"staff {person.id}", now=now)
    return _start_session(session, person, now)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def _email_key(email: str) -> str:
    """The key an account is found by; what is no address is only counted."""
    try:
        return parse_address(email).key
    except InvalidInput:
        return email.strip().casefold()


def _start_session(session: Session, person: Staff, now: datetime) -> SignedIn:
    session.execute(delete(StaffSession).where(StaffSession.created_at <= now - SESSION_LIFE))
    signed_in = SignedIn(token=secrets.token_urlsafe(32), csrf=secrets.token_urlsafe(32))
    session.add(
        StaffSession(
            token_sha256=_digest(signed_in.token),
            staff_id=person.id,
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
