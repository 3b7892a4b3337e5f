"""Personal guides: asking for one, looking at it, handing it out."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel.db.guides import Guide, GuidePrint
from funnel.db.mail import Message
from funnel.db.people import KeptAnswers, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.delivery import MessageState
from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.domain.guides import GUIDE_LINK_LIFE, PLAIN_AFTER, Edition, GuideState
from funnel.domain.ports import MailClass
from funnel.domain.schedule import zone_of
from funnel.domain.sequence import Fact
from funnel.services import outbox, people
from funnel.services.facts import record_fact
from funnel.services.shelf import Shelf

# The large print is made for those who ask for it.
AT_ONCE = (Edition.GUIDE, Edition.TRACKER)
WAITING = "Waiting to be made."
MAY_BE_TOLD = "It may have gone before the database was restored."
PLAIN = ""  # the house pattern of copies for readers without one

# What a finished print is known by; a copy with answers in it leaves none of this behind.
_NOTHING_MADE = dict.fromkeys(
    ("storage_key", "size_bytes", "pages", "made_at", "seconds_to_make"), None
)


@dataclass(frozen=True)
class EditionView:
    """One edition as the guide's page offers it. Not asked for yet: neither ready nor waiting.

    `is_plain`: the copy without a name, handed out while hers cannot be printed.
    """

    edition: Edition
    is_ready: bool
    is_plain: bool
    is_waiting: bool
    has_failed: bool
    size_bytes: int | None
    pages: int | None


@dataclass(frozen=True)
class GuideView:
    """What the guide's page shows. `answers_until`: while answers of hers are kept.

    `is_withheld`: no new link to it is sent yet, for her address is too new.
    """

    first_name: str | None
    is_expired: bool
    is_withheld: bool
    answers_until: datetime | None
    guide: EditionView
    tracker: EditionView
    large: EditionView
    subscriber_handle: UUID

    @property
    def is_waiting(self) -> bool:
        """True while the guide, or the large print she asked for, will soon be there."""
        return self.guide.is_waiting or self.large.is_waiting


@dataclass(frozen=True)
class GuideFile:
    """A finished PDF."""

    content: bytes

    @property
    def sha256(self) -> str:
        """Of the content, in hex."""
        return hashlib.sha256(self.content).hexdigest()


def request_for(session: Session, person: Subscriber, *, now: datetime) -> Guide:
    """The person's guide, asked for once; asking again returns the same one."""
    insert_if_absent(
        session,
        Guide,
        public_id=uuid4(),
        subscriber_id=person.id,
        document=_personal_part(person, now),
        requested_at=now,
        downloads=0,
    )
    guide = session.scalars(select(Guide).where(Guide.subscriber_id == person.id)).one()
    for edition in AT_ONCE:
        ask_for(session, guide, edition, now=now)
    return guide


def _personal_part(person: Subscriber, now: datetime) -> dict[str, object]:
    made_on = now.astimezone(zone_of(person.time_zone)).date()
    return {"first_name": person.first_name, "made_on": made_on.isoformat()}


def ask_for(session: Session, guide: Guide, edition: Edition, *, now: datetime) -> None:
    """Have an edition of a guide printed; asking again changes nothing."""
    insert_if_absent(
        session,
        GuidePrint,
        guide_id=guide.id,
        edition=edition,
        state=GuideState.REQUESTED,
        requested_at=now,
        not_before=now,
        fence=0,
        attempt=0,
        why=WAITING,
    )


def print_anew(session: Session, person: Subscriber, *, now: datetime) -> None:
    """Her answers came or went: no copy made before is handed out any more.

    Whoever is at work on one of them is fenced off.
    """
    guide = session.scalars(select(Guide).where(Guide.subscriber_id == person.id)).first()
    if guide is None:
        return
    guide.document = _personal_part(person, now)
    session.execute(
        update(GuidePrint)
        .where(GuidePrint.guide_id == guide.id)
        .values(
            state=GuideState.REQUESTED,
            requested_at=now,
            not_before=now,
            lease_until=None,
            fence=GuidePrint.fence + 1,
            attempt=0,
            why=WAITING,
            **_NOTHING_MADE,
        )
    )


def send_to_person(session: Session, person: Subscriber, *, now: datetime) -> None:
    """Send the link to the guide again, at most once a day, and let it live another month.

    One with answers of theirs waits until their address has settled.
    """
    if is_withheld(session, person.id, now=now):
        return
    guide = request_for(session, person, now=now)
    if guide.ready_at is not None:
        guide.link_expires_at = now + GUIDE_LINK_LIFE
        _put_ready_mail(session, guide, f"{now:%Y-%m-%d}", now)


def is_withheld(session: Session, subscriber_id: int, *, now: datetime) -> bool:
    """Whether a person's guide holds answers, and their address is too new for a link to them."""
    has_answers = session.get(KeptAnswers, subscriber_id) is not None
    return has_answers and people.is_settling(session, subscriber_id, now=now)


def tell_ready(session: Session, guide: Guide, *, now: datetime) -> None:
    """There is something to download: the link begins to live, and its mail goes, once."""
    if guide.ready_at is None:
        guide.ready_at = now
        guide.link_expires_at = guide.link_expires_at or now + GUIDE_LINK_LIFE
        _put_ready_mail(session, guide, "first", now)


def doubt_ready(session: Session, guide: Guide, *, now: datetime) -> bool:
    """Note that the mail of a guide not ready may have gone before the database was restored.

    Then it does not go by itself; the link can still be asked for. False when it was noted.
    """
    key = "first"
    is_new = _put_ready_mail(session, guide, key, now)
    if is_new:
        session.execute(
            update(Message)
            .where(Message.dedupe_key == f"guide:{guide.id}:{key}")
            .values(state=MessageState.UNCONFIRMED, closed_at=now, why=MAY_BE_TOLD)
        )
    return is_new


def _put_ready_mail(session: Session, guide: Guide, key: str, now: datetime) -> bool:
    return outbox.put_service_mail(
        session,
        guide.subscriber,
        "guide_ready",
        mail_class=MailClass.DELIVER,
        dedupe_key=f"guide:{guide.id}:{key}",
        now=now,
    )


def send_again(session: Session, handle: UUID, *, now: datetime) -> None:
    """Send a fresh link to the address on file; raises LinkInvalid."""
    guide = _by_handle(session, handle)
    people.lock(session, [guide.subscriber_id])
    send_to_person(session, guide.subscriber, now=now)


def _by_handle(session: Session, handle: UUID) -> Guide:
    guide = session.scalars(select(Guide).where(Guide.public_id == handle)).first()
    if guide is None:
        raise LinkInvalid
    return guide


def guide_view(session: Session, handle: UUID, *, now: datetime) -> GuideView:
    """What to show for a guide's link; raises LinkInvalid."""
    guide = _by_handle(session, handle)
    answers = session.get(KeptAnswers, guide.subscriber_id)
    views = {each: _edition_view(session, guide, each) for each in Edition}
    return GuideView(
        first_name=guide.subscriber.first_name,
        is_expired=_is_expired(guide, now),
        is_withheld=is_withheld(session, guide.subscriber_id, now=now),
        answers_until=answers.delete_at if answers else None,
        guide=views[Edition.GUIDE],
        tracker=views[Edition.TRACKER],
        large=views[Edition.LARGE],
        subscriber_handle=guide.subscriber.public_id,
    )


def _edition_view(session: Session, guide: Guide, edition: Edition) -> EditionView:
    own = _own(session, guide, edition)
    served = _served(session, own)
    has_failed = served is None and own is not None and own.state == GuideState.FAILED
    return EditionView(
        edition=edition,
        is_ready=served is not None,
        is_plain=served is not None and served.guide_id is None,
        is_waiting=own is not None and served is None and not has_failed,
        has_failed=has_failed,
        size_bytes=served.size_bytes if served else None,
        pages=served.pages if served else None,
    )


def _own(session: Session, guide: Guide, edition: Edition) -> GuidePrint | None:
    query = select(GuidePrint).where(GuidePrint.guide_id == guide.id, GuidePrint.edition == edition)
    return session.scalars(query).first()


def _served(session: Session, own: GuidePrint | None) -> GuidePrint | None:
    """Her own print; the plain copy while hers keeps failing; None while there is neither."""
    if own is None or own.state == GuideState.READY:
        return own
    return plain_copy(session, Edition(own.edition)) if own.attempt >= PLAIN_AFTER else None


def plain_copy(session: Session, edition: Edition) -> GuidePrint | None:
    """The last good house copy of an edition, whatever has become of newer ones."""
    query = select(GuidePrint).where(
        GuidePrint.guide_id.is_(None),
        GuidePrint.house_pattern == PLAIN,
        GuidePrint.edition == edition,
        GuidePrint.storage_key.is_not(None),
    )
    return session.scalars(query).first()


def _is_expired(guide: Guide, now: datetime) -> bool:
    return guide.link_expires_at is not None and guide.link_expires_at <= now


def want(session: Session, handle: UUID, edition: Edition, *, shelf: Shelf, now: datetime) -> bool:
    """See to it that an edition can be downloaded; True when it can be at once.

    An edition not asked for yet is asked for, and one whose file cannot be read is made again:
    the row is the truth, the file a copy. Raises LinkInvalid or LinkExpired.
    """
    guide = _by_handle(session, handle)
    people.lock(session, [guide.subscriber_id])
    if _is_expired(guide, now):
        raise LinkExpired
    ask_for(session, guide, edition, now=now)
    served = _served(session, _own(session, guide, edition))
    if served is None:
        return False
    if shelf.has(served.storage_key):
        return True
    _ask_again(session, served, now)
    return False


def _ask_again(session: Session, gone: GuidePrint, now: datetime) -> None:
    """Have a print made anew whose file is gone, unless somebody else has seen to it."""
    is_as_seen = GuidePrint.storage_key.is_not_distinct_from(gone.storage_key)
    session.execute(
        update(GuidePrint)
        .where(GuidePrint.id == gone.id, is_as_seen)
        .values(
            state=GuideState.REQUESTED,
            requested_at=now,
            not_before=now,
            fence=GuidePrint.fence + 1,
            storage_key=None,
            why="The file was gone, so it is made again.",
        )
        .execution_options(synchronize_session="fetch")
    )


def count_download(session: Session, handle: UUID, *, now: datetime) -> None:
    """Count one pressed download button; the first is a fact of the funnel."""
    guide = _by_handle(session, handle)
    people.lock(session, [guide.subscriber_id])
    if guide.ready_at is None or _is_expired(guide, now):
        return
    session.execute(
        update(Guide)
        .where(Guide.id == guide.id)
        .values(
            downloads=Guide.downloads + 1,
            first_downloaded_at=guide.first_downloaded_at or now,
            last_downloaded_at=now,
        )
    )
    record_fact(session, guide.subscriber, Fact.DOWNLOADED, now=now)


def guide_file(
    session: Session, handle: UUID, edition: Edition, *, shelf: Shelf, now: datetime
) -> GuideFile | None:
    """The finished file; None while there is none. Raises LinkInvalid or LinkExpired."""
    guide = _by_handle(session, handle)
    if _is_expired(guide, now):
        raise LinkExpired
    served = _served(session, _own(session, guide, edition))
    content = shelf.read(served.storage_key) if served else None
    return GuideFile(content) if content else None
