"""Signed-in browsers of the desk: opened, found, kept alive, renewed and ended.

Every `now` here is the machine's time: a demo that runs fast must not sign anybody out.
"""

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from funnel.db.desk import StaffSession
from funnel.domain.browsers import UNKNOWN
from funnel.domain.errors import SignedOut

IDLE_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(hours=12)
# Between the password and the code of the phone.
HALFWAY_LIFE = timedelta(minutes=10)
KEEP_ALIVE_EVERY = timedelta(minutes=1)
PASSWORD_FRESH = timedelta(minutes=5)


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: its secret for the cookie, and the token its forms carry."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)


@dataclass(frozen=True)
class StaffView:
    """Who is signed in. `needs_keep_alive` asks for a call of `keep_alive`.

    `needs_code`: only the password was given, and the account has a second step.
    `has_fresh_password`: it was given in the last five minutes.
    """

    id: int
    name: str
    email: str
    csrf: str = field(repr=False)
    needs_keep_alive: bool = False
    has_second_factor: bool = False
    needs_code: bool = False
    has_fresh_password: bool = False


@dataclass(frozen=True)
class Browser:
    """A browser that is signed in, for its owner to look over."""

    name: str
    since: datetime
    seen_at: datetime
    is_this: bool


@dataclass(frozen=True)
class _Birth:
    """What a session is opened with."""

    staff_id: int
    browser: str | None
    created_at: datetime
    password_at: datetime | None
    second_factor_at: datetime | None = None


def open_session(
    session: Session, staff_id: int, *, browser: str | None, now: datetime
) -> SignedIn:
    """Open a session for somebody whose password was right just now; forgets those of the past."""
    session.execute(delete(StaffSession).where(StaffSession.created_at <= now - SESSION_LIFE))
    return _open(session, _Birth(staff_id, browser, created_at=now, password_at=now), now)


def _open(session: Session, birth: _Birth, now: datetime) -> SignedIn:
    signed_in = SignedIn(token=secrets.token_urlsafe(32), csrf=secrets.token_urlsafe(32))
    session.add(
        StaffSession(
            token_sha256=digest(signed_in.token),
            staff_id=birth.staff_id,
            csrf_token=signed_in.csrf,
            created_at=birth.created_at,
            seen_at=now,
            password_at=birth.password_at,
            second_factor_at=birth.second_factor_at,
            browser=birth.browser,
        )
    )
    session.flush()
    return signed_in


def find_session(session: Session, token: str, *, now: datetime) -> StaffView | None:
    """Who this cookie belongs to; None when it is unknown, ended, idle too long or too old."""
    found = session.get(StaffSession, digest(token))
    if found is None or not _is_live(found, now):
        return None
    return StaffView(
        id=found.staff.id,
        name=found.staff.name,
        email=found.staff.email,
        csrf=found.csrf_token,
        needs_keep_alive=now - found.seen_at >= KEEP_ALIVE_EVERY,
        has_second_factor=found.staff.second_factor_at is not None,
        needs_code=_needs_code(found),
        has_fresh_password=found.password_at is not None
        and now - found.password_at < PASSWORD_FRESH,
    )


def _is_live(found: StaffSession, now: datetime) -> bool:
    life = HALFWAY_LIFE if _needs_code(found) else SESSION_LIFE
    is_over = now - found.seen_at >= IDLE_LIFE or now - found.created_at >= life
    return found.ended_at is None and not is_over


def _needs_code(found: StaffSession) -> bool:
    return found.staff.second_factor_at is not None and found.second_factor_at is None


def keep_alive(session: Session, token: str, *, now: datetime) -> None:
    """Note that a session is in use; it is written at most once a minute."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_sha256 == digest(token), StaffSession.ended_at.is_(None))
        .values(seen_at=now)
    )


def note_password(session: Session, token: str, *, now: datetime) -> None:
    """Remember that the password was given in this session once more; SignedOut when it is over."""
    noted = session.execute(
        update(StaffSession)
        .where(StaffSession.token_sha256 == digest(token), StaffSession.ended_at.is_(None))
        .values(password_at=now)
        .returning(StaffSession.staff_id)
    ).first()
    if noted is None:
        raise SignedOut


def renew(
    session: Session,
    token: str,
    *,
    now: datetime,
    has_password: bool = False,
    has_code: bool = False,
) -> SignedIn:
    """End this session and open another in its place, for as long as the old one had left.

    `has_password` and `has_code`: just given. Raises SignedOut when it was over, so that of two at
    a time one does nothing.
    """
    old = session.get(StaffSession, digest(token))
    if old is None or end(session, token, now=now) is None:
        raise SignedOut
    birth = _Birth(old.staff_id, old.browser, old.created_at, old.password_at, old.second_factor_at)
    if has_password:
        birth = replace(birth, password_at=now)
    if has_code:
        birth = replace(birth, second_factor_at=now)
    return _open(session, birth, now)


def end(session: Session, token: str, *, now: datetime) -> int | None:
    """End a session for good; whose it was, or None when it was over already."""
    ended = session.execute(
        update(StaffSession)
        .where(StaffSession.token_sha256 == digest(token), StaffSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StaffSession.staff_id)
    ).first()
    return ended.staff_id if ended else None


def end_all(session: Session, staff_id: int, *, now: datetime, but: str | None = None) -> None:
    """End every session of an account, `but` the one of this token."""
    statement = update(StaffSession).where(
        StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None)
    )
    if but is not None:
        statement = statement.where(StaffSession.token_sha256 != digest(but))
    session.execute(statement.values(ended_at=now))


def browsers(session: Session, staff_id: int, token: str, *, now: datetime) -> tuple[Browser, ...]:
    """Where an account is signed in, this browser first, then the newest."""
    query = (
        select(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .order_by(StaffSession.seen_at.desc())
    )
    this = digest(token)
    found = [
        Browser(each.browser or UNKNOWN, each.created_at, each.seen_at, each.token_sha256 == this)
        for each in session.scalars(query)
        if _is_live(each, now)
    ]
    return tuple(sorted(found, key=lambda each: not each.is_this))


def digest(token: str) -> str:
    """What is kept of a secret that a browser holds."""
    return hashlib.sha256(token.encode()).hexdigest()
