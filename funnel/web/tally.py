"""Counting visits in memory; a thread beside hands them to the database every few seconds."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError

from funnel.domain.touch import first_touch
from funnel.runtime import Runtime
from funnel.services.visits import NO_SOURCE, CountedPage, record_visits

FLUSH_SECONDS = 10.0
MAX_SOURCES = 200  # in a day: sources are typed by strangers, and each is a row
OTHER = "other"
COUNTED = {
    "public.landing": CountedPage.LANDING,
    "self_check.start": CountedPage.CHECK_STARTED,
    "portal.open_challenge": CountedPage.CHALLENGE,
}
ROBOT_WORDS = ("bot", "crawl", "spider", "preview", "monitor", "curl", "python", "headless")

log = logging.getLogger(__name__)


class VisitTally:
    """Collects visits by page and source. No request waits for the database."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._day: date | None = None
        self._sources: set[str] = set()
        self._flushed_at = rt.clock.boot_seconds()
        self._flushing: threading.Thread | None = None

    def attach(self, app: Flask) -> None:
        """Count the visits of this application."""
        app.after_request(self._count)

    def _count(self, response: Response) -> Response:
        page = COUNTED.get(request.endpoint or "")
        if page and request.method == "GET" and response.status_code == 200 and _is_person():
            touch = first_touch(request.args, request.referrer, self._rt.settings.host)
            with self._lock:
                self._counts[page, self._known(touch.source)] += 1
        self._flush_beside()
        return response

    def add(self, page: CountedPage) -> None:
        """Count something that must not be tied to where its visitor came from."""
        if _is_person():
            with self._lock:
                self._counts[page, NO_SOURCE] += 1

    def _known(self, source: str) -> str:
        """The source, or "other" for a new one when the day has had too many."""
        today = self._rt.clock.now().date()
        if today != self._day:
            self._day, self._sources = today, set()
        if source not in self._sources and len(self._sources) >= MAX_SOURCES:
            return OTHER
        self._sources.add(source)
        return source

    def _flush_beside(self) -> None:
        """Begin a flush when one is due and none is under way."""
        with self._lock:
            now = self._rt.clock.boot_seconds()
            is_busy = self._flushing is not None and self._flushing.is_alive()
            if is_busy or not self._counts or now - self._flushed_at < FLUSH_SECONDS:
                return
            self._flushed_at = now
            self._flushing = threading.Thread(target=self._write, name="tally", daemon=True)
            self._flushing.start()

    def flush(self) -> None:
        """Write what was counted, now; waits for a flush that is under way."""
        under_way = self._flushing
        if under_way is not None:
            under_way.join()
        self._write()

    def _write(self) -> None:
        """A database that is away keeps the counts for later."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts and not self._is_kept(counts):
            with self._lock:
                self._counts.update(counts)

    def _is_kept(self, counts: Mapping[tuple[str, str], int]) -> bool:
        try:
            with self._rt.sessions.begin() as session:
                record_visits(session, counts, now=self._rt.clock.now())
        except SQLAlchemyError as error:
            log.warning("visits could not be written yet: %s", type(error).__name__)
            return False
        return True


def _is_person() -> bool:
    """Leave out prefetches and whatever says that it is a robot."""
    agent = request.user_agent.string.lower()
    is_robot = not agent or any(word in agent for word in ROBOT_WORDS)
    return not is_robot and "prefetch" not in request.headers.get("Sec-Purpose", "")
