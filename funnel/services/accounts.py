"""An account's own affairs: its password, and what was done with it lately.

Whatever changes how somebody signs in writes the row of `staff` first and ends sessions after it,
so that nobody slips in between and two changes at a time cannot wait for each other.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel.db.desk import AuditEntry, Staff
from funnel.domain.errors import InvalidInput, NotFound
from funnel.domain.passwords import password_problem
from funnel.domain.people import parse_address
from funnel.services import browsers, staff
from funnel.services.browsers import SignedIn
from funnel.services.passwords import hash_password

LATELY = 12
# What an owner would want to recognise, or not.
ABOUT_SIGNING_IN = (
    "set up the desk",
    "signed in",
    "gave the right password",
    "used a recovery code",
    "changed the password",
    "set up the second step",
    "switched the second step off",
    "made new recovery codes",
    "signed out the other browsers",
    "refused more tries of the password",
    "refused more tries of the code",
    "set a new password on the server",
    "took the second step away on the server",
)


@dataclass(frozen=True)
class Line:
    """Something that was done, in words, and when."""

    at: datetime
    what: str


def hash_of_new(password: str, known: tuple[str, ...]) -> str:
    """The hash of a new password; slow, so never inside a transaction. Raises InvalidInput.

    `known` is what a stranger would know: name, address, practice.
    """
    problem = password_problem(password, known)
    if problem:
        raise InvalidInput("password", problem)
    return hash_password(password)


def change_password(
    session: Session, staff_id: int, token: str, password_hash: str, *, now: datetime
) -> SignedIn:
    """Set a new password from a signed-in browser: it gets a new session, all others end.

    Raises SignedOut when its own session is over.
    """
    _write(session, staff_id, password_hash)
    signed_in = browsers.renew(session, token, now=now, has_password=True)
    browsers.end_all(session, staff_id, now=now, but=signed_in.token)
    staff.note(session, staff_id, "changed the password", f"staff {staff_id}", now=now)
    return signed_in


def set_password(session: Session, email: str, password_hash: str, *, now: datetime) -> None:
    """Set a new password from the server itself; every session ends. Raises NotFound."""
    staff_id = account_id(session, email)
    _write(session, staff_id, password_hash)
    browsers.end_all(session, staff_id, now=now)
    staff.note(session, None, "set a new password on the server", f"staff {staff_id}", now=now)


def _write(session: Session, staff_id: int, password_hash: str) -> None:
    session.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=password_hash))


def account_id(session: Session, email: str) -> int:
    """The account of an address; raises NotFound, or InvalidInput for what is no address."""
    key = parse_address(email).key
    found = session.scalars(select(Staff.id).where(Staff.email_key == key)).first()
    if found is None:
        raise NotFound("There is no account with that address.")
    return found


def sign_out_others(session: Session, staff_id: int, token: str, *, now: datetime) -> None:
    """End every session of an account but this one; again changes nothing more."""
    browsers.end_all(session, staff_id, now=now, but=token)
    staff.note(session, staff_id, "signed out the other browsers", f"staff {staff_id}", now=now)


def lately(session: Session, staff_id: int) -> tuple[Line, ...]:
    """The newest lines about signing in to an account, newest first."""
    query = (
        select(AuditEntry.occurred_at, AuditEntry.action)
        .where(AuditEntry.subject == f"staff {staff_id}", AuditEntry.action.in_(ABOUT_SIGNING_IN))
        .order_by(AuditEntry.id.desc())
        .limit(LATELY)
    )
    return tuple(Line(row.occurred_at, row.action) for row in session.execute(query))
