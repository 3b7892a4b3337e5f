"""Is everything working? For the health check and the doctor."""

from sqlalchemy import text
from sqlalchemy.orm import Session


def is_alive(session: Session) -> bool:
    """True when the database answers."""
    return bool(session.execute(text("SELECT 1")).scalar_one())
