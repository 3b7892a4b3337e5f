"""Clicks: a number for a mail and a day, and for a person only while they allow it."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.guides import Guide
from funnel.db.mail import Message
from funnel.db.people import ClickCount, Consent, LinkClick, Subscriber
from funnel.db.texts import TextVersion
from funnel.db.upsert import insert_into
from funnel.domain.clicks import MANY_VISITS, MARK_CHARACTERS, ClickKind, Visit, kind_of, mark_of
from funnel.domain.delivery import MessageState
from funnel.domain.errors import LinkInvalid
from funnel.domain.evidence import Evidence
from funnel.domain.people import PersonState, Purpose
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.services import consent, people

MARK = re.compile(rf"[a-z2-7]{{{MARK_CHARACTERS}}}")
_MAY_HAVE_COME = (
    MessageState.SENDING, MessageState.ACCEPTED, MessageState.UNKNOWN, MessageState.UNCONFIRMED,
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """A visit, and the handle in the link it came by."""

    handle: UUID
    visit: Visit


@dataclass(frozen=True)
class Click:
    """A followed link of a mail that really went to this person, and who followed it."""

    seen: Seen
    subscriber_id: int
    mail_key: str
    kind: ClickKind


def judge(session: Session, due: Sequence[Seen], around: Sequence[Seen]) -> list[Click]:
    """What the due visits were; a mark that is no mail's, or of a mail they never got, is nothing.

    `around` are all visits of these minutes, by which a machine's haste is known.
    """
    who = _owners(session, {each.handle for each in (*due, *around)})
    keys = _mail_keys(session, {each.visit.mark for each in due})
    came = _arrivals(session, set(who.values()), set(keys.values()))
    near: dict[int, deque[Visit]] = defaultdict(lambda: deque(maxlen=MANY_VISITS))
    for each in around:
        if each.handle in who:
            near[who[each.handle]].append(each.visit)
    clicks = []
    for each in due:
        person, key = who.get(each.handle), keys.get(each.visit.mark)
        at = came.get((person, key)) if person is not None and key is not None else None
        if person is not None and key is not None and at is not None:
            clicks.append(Click(each, person, key, kind_of(each.visit, near[person], at)))
    return clicks


def _owners(session: Session, handles: Collection[UUID]) -> dict[UUID, int]:
    """Whose links these are, test people left out. A guide's link has a handle of its own."""
    is_real = Subscriber.is_test.is_(False)
    own = select(Subscriber.public_id, Subscriber.id).where(
        is_real, among(session, Subscriber.public_id, handles)
    )
    guides = (
        select(Guide.public_id, Guide.subscriber_id)
        .join(Subscriber, Subscriber.id == Guide.subscriber_id)
        .where(is_real, among(session, Guide.public_id, handles))
    )
    return {handle: who for query in (own, guides) for handle, who in session.execute(query)}


def _mail_keys(session: Session, marks: Collection[str]) -> dict[str, str]:
    keys = session.scalars(select(TextVersion.key).where(TextVersion.kind == "mail").distinct())
    return {mark: key for key in keys if (mark := mark_of(key)) in marks}


def _arrivals(
    session: Session, who: Collection[int], keys: Collection[str]
) -> dict[tuple[int, str], datetime]:
    """When each of these mails last left for each of these people."""
    left_at = func.coalesce(Message.accepted_at, Message.doubt_since, Message.created_at)
    query = (
        select(Message.subscriber_id, Message.mail_key, func.max(left_at))
        .where(
            among(session, Message.subscriber_id, who),
            Message.mail_key.in_(sorted(keys)),
            Message.state.in_(_MAY_HAVE_COME),
        )
        .group_by(Message.subscriber_id, Message.mail_key)
    )
    found = session.execute(query)
    return {(person, key): at for person, key, at in found if person is not None}


def record(session: Session, clicks: Sequence[Click]) -> None:
    """Add clicks to their mails' counts of the day, and to the people who allow it."""
    _note_people(session, clicks)
    add_counts(session, [(each.seen.visit.at, each.mail_key, each.kind) for each in clicks])


def add_counts(session: Session, presses: Iterable[tuple[datetime, str, ClickKind]]) -> None:
    """Count presses on the day of the practice that each fell on; nobody is named."""
    zone = zone_of(DEFAULT_ZONE)
    counts = Counter(
        (at.astimezone(zone).date().isoformat(), mail_key, kind) for at, mail_key, kind in presses
    )
    for (day, mail_key, kind), many in sorted(counts.items()):
        statement = insert_into(session, ClickCount).values(
            day=day, mail_key=mail_key, kind=kind, clicks=many
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "mail_key", "kind"],
                set_={"clicks": ClickCount.clicks + many},
            )
        )


def _note_people(session: Session, clicks: Sequence[Click]) -> None:
    """Locked and asked again, so that nothing is noted of somebody who just took it back."""
    willing = _since_when(session, {each.subscriber_id for each in clicks})
    if not willing:
        return
    people.lock(session, willing.keys())
    willing = _since_when(session, willing.keys())
    session.add_all(
        LinkClick(
            subscriber_id=each.subscriber_id,
            mail_key=each.mail_key,
            clicked_at=each.seen.visit.at,
            kind=each.kind,
        )
        for each in clicks
        if (since := willing.get(each.subscriber_id)) and since <= each.seen.visit.at
    )


def _since_when(session: Session, who: Collection[int]) -> dict[int, datetime]:
    """Who of these allows clicks to be noted, and since when."""
    query = select(Consent.subscriber_id, Consent.given_at).where(
        Consent.purpose == Purpose.CLICKS, among(session, Consent.subscriber_id, who)
    )
    return dict(session.execute(query).all())


def choose(
    session: Session, handle: UUID, *, allows: bool, evidence: Evidence, now: datetime
) -> None:
    """Take a person's word on their clicks. Taking it back deletes what was noted, at once.

    Repeating it changes nothing; raises LinkInvalid for an unknown person, and where somebody who
    gets no mail would allow it.
    """
    person = people.by_handle(session, handle, lock=True)
    if allows and person.state != PersonState.CONFIRMED:
        raise LinkInvalid
    if allows:
        consent.grant(session, person, Purpose.CLICKS, action="chosen", evidence=evidence, now=now)
    else:
        withdraw(session, person, evidence=evidence, now=now)


def withdraw(session: Session, person: Subscriber, *, evidence: Evidence, now: datetime) -> None:
    """End the consent to note clicks, and forget them. The person's row must be locked."""
    consent.withdraw(session, person, Purpose.CLICKS, evidence=evidence, now=now)
    session.execute(delete(LinkClick).where(LinkClick.subscriber_id == person.id))
