"""Printing: takes what was asked for, one at a time, and survives whatever happens meanwhile."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.guides import Guide, GuidePrint
from funnel.domain.clock import Clock
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

_UNSEALED = re.compile(r"[0-9a-f]{32}\.pdf")

BATCH = 50
ROUGHLY = 50_000  # bytes
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
        self.shelf.workplace.clear()
        with self.sessions.begin() as session:
            self._put_back_lost(session)
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

    def _put_back_lost(self, session: Session) -> None:
        """A print that was lost with its worker has failed, like one that the press refused."""
        is_lost = (GuidePrint.state == GuideState.CLAIMED) & (
            GuidePrint.lease_until <= self.clock.machine()
        )
        query = select(GuidePrint.id, Guide.subscriber_id).outerjoin(GuidePrint.guide)
        found = session.execute(query.where(is_lost).order_by(GuidePrint.id).limit(BATCH)).all()
        if not found:
            return
        people.lock(session, [row.subscriber_id for row in found if row.subscriber_id is not None])
        lost = select(GuidePrint).where(GuidePrint.id.in_([row.id for row in found]), is_lost)
        locked = lost.order_by(GuidePrint.id).with_for_update(skip_locked=True, of=GuidePrint)
        for each in session.scalars(locked).all():
            self._set_back(session, each, "Making it stopped the worker.")

    def _claim(self, session: Session) -> _Job | None:
        """The next print to make. Of house copies only those that this recipe is the right one for:

        in the middle of a renewal, old code would print old words.
        """
        now = self.clock.now()
        is_free = GuidePrint.state.in_([GuideState.REQUESTED, GuideState.FAILED]) & (
            GuidePrint.not_before <= now
        )
        is_for_us = GuidePrint.guide_id.is_not(None) | GuidePrint.recipe.in_(self.recipe.marks)
        query = select(GuidePrint).where(is_free, is_for_us).order_by(*_FIRST_THE_READERS).limit(1)
        found = session.scalars(query.with_for_update(skip_locked=True, of=GuidePrint)).first()
        if found is None:
            return None
        found.state = GuideState.CLAIMED
        found.lease_until = self.clock.machine() + GUIDE_LEASE
        found.fence += 1
        found.attempt += 1
        return self._job(session, found, now)

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
            return _Made(same.pages or 0, same.size_bytes or 0) if same else None

    def _press(self, job: _Job) -> _Made:
        with self.shelf.workplace.job() as folder:
            out = folder / "guide.pdf"
            pressed = self.press.press(job.document, out, job.edition)
            self.shelf.put(job.key, out.read_bytes())
        return _Made(pressed.pages, _about(pressed.size_bytes))

    def _finish(self, session: Session, job: _Job, made: _Made, seconds: float) -> None:
        done = self._still_ours(session, job)
        if done is None:
            return
        now = self.clock.now()
        done.state, done.made_at, done.attempt = GuideState.READY, now, 0
        done.storage_key, done.seconds_to_make = job.key, seconds
        done.pages, done.size_bytes = made.pages, made.size_bytes
        done.why = "Made."
        if done.guide is not None and job.edition is Edition.GUIDE:
            guides.tell_ready(session, done.guide, now=now)

    def _put_back(self, session: Session, job: _Job, why: str) -> None:
        failed = self._still_ours(session, job)
        if failed is not None:
            self._set_back(session, failed, why)

    def _set_back(self, session: Session, failed: GuidePrint, why: str) -> None:
        """Try it again later. From the second failure on its reader gets the plain copy."""
        now, attempt = self.clock.now(), failed.attempt
        is_failing = attempt >= MAX_GUIDE_ATTEMPTS
        failed.state = GuideState.FAILED if is_failing else GuideState.REQUESTED
        failed.not_before = now + pause_after(attempt)
        failed.why = why
        if attempt >= PLAIN_AFTER:
            log.error("a %s could not be printed, %d times now: %s", failed.edition, attempt, why)
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
        self.shelf.workplace.clear()
        before, storage = self.clock.machine() - YOUNG, self.shelf.storage
        storage.clear(before)
        keys = [key for key in storage.keys(before) if self.recipe.is_ours(key)]
        with self.sessions.begin() as session:
            old = self._let_go_of_unsealed(session)
            query = select(GuidePrint.storage_key).where(GuidePrint.storage_key.is_not(None))
            needed = set(session.scalars(query))
        gone = [key for key in keys if key not in needed] + old
        for key in gone:
            storage.delete(key)
        return len(gone)

    def _let_go_of_unsealed(self, session: Session) -> list[str]:
        """The files from before there was a seal. Only a row of ours can tell that one is ours."""
        query = select(GuidePrint).where(GuidePrint.storage_key.not_like("%-%"))
        query = query.order_by(GuidePrint.id).with_for_update(skip_locked=True, of=GuidePrint)
        found = []
        for each in session.scalars(query).all():
            if each.storage_key and _UNSEALED.fullmatch(each.storage_key):
                found.append(each.storage_key)
                each.storage_key = None
        return found


# Readers before house copies, the guide before its companions, and then in the order of asking.
_FIRST_THE_READERS = (
    GuidePrint.guide_id.is_(None),
    case({edition.value: place for place, edition in enumerate(Edition)}, value=GuidePrint.edition),
    GuidePrint.requested_at,
)


def _about(size_bytes: int) -> int:
    """A size to show. The exact one would tell what is said in a guide."""
    return max(1, round(size_bytes / ROUGHLY)) * ROUGHLY


def _reason(error: Exception) -> str:
    """Why a print could not be made, for the desk: our own words, never a path."""
    return str(error) if isinstance(error, GuideFailed) else f"Storage: {type(error).__name__}."
