"""Personal guides: asking for one, making it, handing it out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.guides import Guide
from funnel.db.people import Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.clock import Clock
from funnel.domain.delivery import BACKOFF_CAP, backoff
from funnel.domain.errors import GuideFailed, LinkExpired, LinkInvalid
from funnel.domain.guides import GUIDE_LEASE, GUIDE_LINK_LIFE, MAX_GUIDE_ATTEMPTS, GuideState
from funnel.domain.ports import GuidePress, MailClass, PressedGuide, Storage, StoredFile
from funnel.domain.schedule import zone_of
from funnel.domain.sequence import Fact
from funnel.services import outbox, people
from funnel.services.facts import record_fact


@dataclass(frozen=True)
class GuideView:
    """What the guide's page shows."""

    first_name: str | None
    is_ready: bool
    has_failed: bool
    is_expired: bool
    size_bytes: int | None
    pages: int | None
    subscriber_handle: UUID


def request_for(session: Session, person: Subscriber, *, now: datetime) -> Guide:
    """The person's guide, asked for once; asking again returns the same one."""
    made_on = now.astimezone(zone_of(person.time_zone)).date()
    insert_if_absent(
        session,
        Guide,
        public_id=uuid4(),
        subscriber_id=person.id,
        document={"first_name": person.first_name, "made_on": made_on.isoformat()},
        state=GuideState.REQUESTED,
        requested_at=now,
        not_before=now,
        fence=0,
        attempt=0,
        downloads=0,
        why="Waiting to be made.",
    )
    return session.scalars(select(Guide).where(Guide.subscriber_id == person.id)).one()


def send_to_person(session: Session, person: Subscriber, *, now: datetime) -> None:
    """Send the link to the guide again, at most once a day, and let it live another month."""
    guide = request_for(session, person, now=now)
    if guide.state == GuideState.READY:
        guide.link_expires_at = now + GUIDE_LINK_LIFE
        _put_ready_mail(session, person, guide, f"{now:%Y-%m-%d}", now)


def _put_ready_mail(
    session: Session, person: Subscriber, guide: Guide, edition: str, now: datetime
) -> None:
    outbox.put_service_mail(
        session,
        person,
        "guide_ready",
        mail_class=MailClass.DELIVER,
        dedupe_key=f"guide:{guide.id}:{edition}",
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
    return GuideView(
        first_name=guide.subscriber.first_name,
        is_ready=guide.state == GuideState.READY,
        has_failed=guide.state == GuideState.FAILED,
        is_expired=_is_expired(guide, now),
        size_bytes=guide.size_bytes,
        pages=guide.pages,
        subscriber_handle=guide.subscriber.public_id,
    )


def _is_expired(guide: Guide, now: datetime) -> bool:
    return guide.link_expires_at is not None and guide.link_expires_at <= now


def count_download(session: Session, handle: UUID, *, now: datetime) -> None:
    """Count one pressed download button; the first is a fact of the funnel."""
    guide = _by_handle(session, handle)
    people.lock(session, [guide.subscriber_id])
    if guide.state != GuideState.READY or _is_expired(guide, now):
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


def guide_file(session: Session, handle: UUID, *, storage: Storage, now: datetime) -> Path | None:
    """The finished file; None while there is none. Raises LinkInvalid or LinkExpired."""
    guide = _by_handle(session, handle)
    if _is_expired(guide, now):
        raise LinkExpired
    if guide.state != GuideState.READY or guide.storage_key is None:
        return None
    return storage.path(guide.storage_key)


def make_again_if_gone(session: Session, handle: UUID, *, storage: Storage, now: datetime) -> None:
    """Ask for a finished guide anew whose file is gone: the row is the truth, the file a copy."""
    guide = _by_handle(session, handle)
    is_ready = guide.state == GuideState.READY
    if is_ready and storage.path(guide.storage_key or "") is None:
        guide.state = GuideState.REQUESTED
        guide.not_before = now
        guide.why = "The file was gone, so it is made again."


@dataclass(frozen=True)
class _Job:
    guide_id: int
    fence: int
    attempt: int
    document: dict[str, object]


@dataclass(frozen=True)
class GuideMaker:
    """Makes the guides that were asked for, one at a time, with no transaction open meanwhile.

    `complete` turns a guide's stored personal part into the whole document.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    press: GuidePress
    storage: Storage
    complete: Callable[[dict[str, object]], dict[str, object]]

    def make_next(self) -> bool:
        """Make one guide; False when there was none to make. A failure is tried again later."""
        with self.sessions.begin() as session:
            job = self._claim(session)
        if job is None:
            return False
        started = self.clock.boot_seconds()
        try:
            pressed, stored = self._press(job)
        except (GuideFailed, OSError) as error:
            with self.sessions.begin() as session:
                self._put_back(session, job, _reason(error))
            return True
        with self.sessions.begin() as session:
            self._finish(session, job, pressed, stored, self.clock.boot_seconds() - started)
        return True

    def _claim(self, session: Session) -> _Job | None:
        now, machine = self.clock.now(), self.clock.machine()
        is_wanted = Guide.state.in_([GuideState.REQUESTED, GuideState.FAILED])
        is_free = is_wanted & (Guide.not_before <= now)
        is_lost = (Guide.state == GuideState.CLAIMED) & (Guide.lease_until <= machine)
        session.execute(
            update(Guide)
            .where(is_lost, Guide.attempt >= MAX_GUIDE_ATTEMPTS)
            .values(
                state=GuideState.FAILED,
                not_before=now + BACKOFF_CAP,
                why="Making it stopped the worker again and again.",
            )
        )
        query = select(Guide).where(is_free | is_lost).order_by(Guide.requested_at).limit(1)
        guide = session.scalars(query.with_for_update(skip_locked=True, of=Guide)).first()
        if guide is None:
            return None
        guide.state = GuideState.CLAIMED
        guide.lease_until = machine + GUIDE_LEASE
        guide.fence += 1
        guide.attempt += 1
        return _Job(guide.id, guide.fence, guide.attempt, dict(guide.document))

    def _press(self, job: _Job) -> tuple[PressedGuide, StoredFile]:
        document = self.complete(job.document)
        with TemporaryDirectory(prefix="funnel-guide-") as folder:
            out = Path(folder) / "guide.pdf"
            pressed = self.press.press(document, out)
            return pressed, self.storage.put(f"{uuid4().hex}.pdf", out)

    def _finish(
        self,
        session: Session,
        job: _Job,
        pressed: PressedGuide,
        stored: StoredFile,
        seconds: float,
    ) -> None:
        guide = self._still_ours(session, job)
        if guide is None:
            return
        now = self.clock.now()
        is_first = guide.ready_at is None
        guide.state = GuideState.READY
        guide.ready_at = now
        guide.link_expires_at = guide.link_expires_at or now + GUIDE_LINK_LIFE
        guide.storage_key = stored.key
        guide.sha256, guide.size_bytes = stored.sha256, stored.size_bytes
        guide.pages, guide.seconds_to_make = pressed.pages, seconds
        guide.attempt = 0
        guide.why = "Made."
        if is_first:
            _put_ready_mail(session, guide.subscriber, guide, "first", now)

    def _put_back(self, session: Session, job: _Job, why: str) -> None:
        guide = self._still_ours(session, job)
        if guide is None:
            return
        is_failing = job.attempt >= MAX_GUIDE_ATTEMPTS
        guide.state = GuideState.FAILED if is_failing else GuideState.REQUESTED
        guide.not_before = self.clock.now() + backoff(job.attempt, 0.5)
        guide.why = why

    def _still_ours(self, session: Session, job: _Job) -> Guide | None:
        query = select(Guide).where(Guide.id == job.guide_id, Guide.fence == job.fence)
        guide = session.scalars(query.with_for_update(of=Guide)).first()
        return guide if guide is not None and guide.state == GuideState.CLAIMED else None


def _reason(error: Exception) -> str:
    """Why a guide could not be made, for the desk: our own words, never a path."""
    return str(error) if isinstance(error, GuideFailed) else f"Storage: {type(error).__name__}."
