"""Printing: takes what was asked for, one at a time, and survives whatever happens meanwhile."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.guides import GuidePrint
from funnel.domain.clock import Clock
from funnel.domain.delivery import BACKOFF_CAP
from funnel.domain.errors import GuideFailed
from funnel.domain.guides import (
    GUIDE_LEASE,
    MAX_GUIDE_ATTEMPTS,
    PLAIN_AFTER,
    Edition,
    GuideState,
    pause_after,
)
from funnel.domain.ports import Document, GuidePress
from funnel.services import guides, people
from funnel.services.recipes import Recipe
from funnel.services.shelf import Shelf

log = logging.getLogger(__name__)

# Nothing else in the folder is ours to delete. Before editions, names were half as long.
_OUR_KEY = re.compile(r"([0-9a-f]{32}){1,2}\.pdf")

YOUNG = timedelta(minutes=10)  # a file put away just now may belong to a row not written yet


@dataclass(frozen=True)
class _Job:
    print_id: int
    fence: int
    attempt: int
    edition: Edition
    document: Document
    key: str
    subscriber_id: int | None  # None for a house copy


@dataclass(frozen=True)
class _Made:
    pages: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Printer:
    """Makes the prints that were asked for, with no transaction open while one is being made.

    `answers` reads what a person's kept answers add to her document.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    press: GuidePress
    shelf: Shelf
    recipe: Recipe
    answers: Callable[[Session, int], Document]

    def make_next(self) -> bool:
        """Make one print; False when there was none to make. A failure is tried again later."""
        with self.sessions.begin() as session:
            job = self._claim(session)
        if job is None:
            return False
        started = self.clock.boot_seconds()
        try:
            made = self._find(job) or self._press(job)
        except (GuideFailed, OSError) as error:
            with self.sessions.begin() as session:
                self._put_back(session, job, _reason(error))
            return True
        with self.sessions.begin() as session:
            self._finish(session, job, made, self.clock.boot_seconds() - started)
        return True

    def _claim(self, session: Session) -> _Job | None:
        now, machine = self.clock.now(), self.clock.machine()
        is_wanted = GuidePrint.state.in_([GuideState.REQUESTED, GuideState.FAILED])
        is_free = is_wanted & (GuidePrint.not_before <= now)
        is_lost = _is_lost(machine)
        self._give_up(session, now, machine)
        query = select(GuidePrint).where(is_free | is_lost).order_by(*_FIRST_THE_READERS).limit(1)
        found = session.scalars(query.with_for_update(skip_locked=True, of=GuidePrint)).first()
        if found is None:
            return None
        found.state = GuideState.CLAIMED
        found.lease_until = machine + GUIDE_LEASE
        found.fence += 1
        found.attempt += 1
        return self._job(session, found, now)

    def _give_up(self, session: Session, now: datetime, machine: datetime) -> None:
        """A print that stops the worker again and again is set aside for an hour."""
        session.execute(
            update(GuidePrint)
            .where(_is_lost(machine), GuidePrint.attempt >= MAX_GUIDE_ATTEMPTS)
            .values(
                state=GuideState.FAILED,
                not_before=now + BACKOFF_CAP,
                why="Making it stopped the worker again and again.",
            )
        )

    def _job(self, session: Session, found: GuidePrint, now: datetime) -> _Job:
        edition, guide = Edition(found.edition), found.guide
        if guide is None:
            document = self.recipe.house_document(found.house_pattern or guides.PLAIN, now.date())
        else:
            answers = self.answers(session, guide.subscriber_id)
            document = self.recipe.document({**guide.document, **answers})
        return _Job(
            print_id=found.id,
            fence=found.fence,
            attempt=found.attempt,
            edition=edition,
            document=document,
            key=self.recipe.key(document, edition),
            subscriber_id=guide.subscriber_id if guide else None,
        )

    def _find(self, job: _Job) -> _Made | None:
        """What was made from the very same input before, if its file is still there."""
        if not self.shelf.has(job.key):
            return None
        with self.sessions.begin() as session:
            query = select(GuidePrint).where(
                GuidePrint.storage_key == job.key, GuidePrint.state == GuideState.READY
            )
            same = session.scalars(query.limit(1)).first()
            return _Made(same.pages or 0, same.size_bytes or 0, same.sha256 or "") if same else None

    def _press(self, job: _Job) -> _Made:
        with TemporaryDirectory(prefix="funnel-guide-") as folder:
            out = Path(folder) / "guide.pdf"
            pressed = self.press.press(job.document, out, job.edition)
            self.shelf.put(job.key, out.read_bytes())
        return _Made(pressed.pages, pressed.size_bytes, pressed.sha256)

    def _finish(self, session: Session, job: _Job, made: _Made, seconds: float) -> None:
        done = self._still_ours(session, job)
        if done is None:
            return
        now = self.clock.now()
        done.state, done.made_at, done.attempt = GuideState.READY, now, 0
        done.storage_key, done.seconds_to_make = job.key, seconds
        done.pages, done.size_bytes, done.sha256 = made.pages, made.size_bytes, made.sha256
        done.why = "Made."
        if done.guide is not None and job.edition is Edition.GUIDE:
            guides.tell_ready(session, done.guide, now=now)

    def _put_back(self, session: Session, job: _Job, why: str) -> None:
        """Try it again later. From the second failure on its reader gets the plain copy."""
        failed = self._still_ours(session, job)
        if failed is None:
            return
        now = self.clock.now()
        is_failing = job.attempt >= MAX_GUIDE_ATTEMPTS
        failed.state = GuideState.FAILED if is_failing else GuideState.REQUESTED
        failed.not_before = now + pause_after(job.attempt)
        failed.why = why
        if job.attempt >= PLAIN_AFTER:
            log.error("a %s could not be printed, %d times now: %s", job.edition, job.attempt, why)
            self._fall_back(session, failed, now)

    def _fall_back(self, session: Session, failed: GuidePrint, now: datetime) -> None:
        guide, edition = failed.guide, Edition(failed.edition)
        has_plain = guides.plain_copy(session, edition) is not None
        if guide is not None and edition is Edition.GUIDE and has_plain:
            guides.tell_ready(session, guide, now=now)

    def _still_ours(self, session: Session, job: _Job) -> GuidePrint | None:
        """The print, locked; None when it was taken from us. The person is locked before it."""
        if job.subscriber_id is not None:
            people.lock(session, [job.subscriber_id])
        query = select(GuidePrint).where(
            GuidePrint.id == job.print_id, GuidePrint.fence == job.fence
        )
        found = session.scalars(query.with_for_update(of=GuidePrint)).first()
        return found if found is not None and found.state == GuideState.CLAIMED else None

    def sweep(self) -> int:
        """Delete the files that no print needs any more; returns how many."""
        keys = self.shelf.storage.keys(self.clock.machine() - YOUNG)
        with self.sessions.begin() as session:
            query = select(GuidePrint.storage_key).where(GuidePrint.storage_key.is_not(None))
            needed = set(session.scalars(query))
        gone = [key for key in keys if _OUR_KEY.fullmatch(key) and key not in needed]
        for key in gone:
            self.shelf.storage.delete(key)
        return len(gone)


# Readers before house copies, the guide before its companions, and then in the order of asking.
_FIRST_THE_READERS = (
    GuidePrint.guide_id.is_(None),
    case({edition.value: place for place, edition in enumerate(Edition)}, value=GuidePrint.edition),
    GuidePrint.requested_at,
)


def _is_lost(machine: datetime) -> ColumnElement[bool]:
    return (GuidePrint.state == GuideState.CLAIMED) & (GuidePrint.lease_until <= machine)


def _reason(error: Exception) -> str:
    """Why a print could not be made, for the desk: our own words, never a path."""
    return str(error) if isinstance(error, GuideFailed) else f"Storage: {type(error).__name__}."
