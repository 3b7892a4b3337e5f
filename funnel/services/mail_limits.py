"""How often strangers may have us write: by connection, by address, and in all."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from funnel.domain.people import Address, fingerprint
from funnel.links import Links
from funnel.services.limits import take

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)


def visitor_may_ask(session: Session, ip_key: str, links: Links, now: datetime) -> bool:
    """Forms from one connection: five an hour, twenty a day."""
    key = fingerprint(ip_key, links.pepper)
    by_hour = take(session, f"ip-hour:{key}", limit=5, window=HOUR, now=now)
    by_day = take(session, f"ip-day:{key}", limit=20, window=DAY, now=now)
    if not (by_hour and by_day):
        log.warning("a request was let lie: over 5 an hour, or 20 a day, from one connection")
    return by_hour and by_day


def address_may_get_more(
    session: Session, address: Address, kind: str, links: Links, now: datetime
) -> bool:
    """Confirm mails to one address: one a day of each kind, three a month of all kinds together;
    and three more for news of somebody who has confirmed before."""
    key = fingerprint(address.folded, links.pepper)
    month = "confirm-month-news" if kind == "news" else "confirm-month"
    return take(session, f"confirm-{kind}:{key}", limit=1, window=DAY, now=now) and take(
        session, f"{month}:{key}", limit=3, window=MONTH, now=now
    )


def free_hour(session: Session, now: datetime, kind: str = "confirm") -> datetime | None:
    """When the next mail of this kind may go: at most sixty an hour in all, later ones wait.

    None when a whole day is full: then it is an attack and no crowd of visitors.
    """
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    for hour in (this_hour + HOUR * later for later in range(24)):
        if take(session, f"{kind}-hour:{hour:%Y%m%d%H}", limit=60, window=2 * DAY, now=now):
            return max(hour, now)
    log.warning("no more %s mails today: over sixty an hour were asked for", kind)
    return None
