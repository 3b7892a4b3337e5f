"""Counting visits and clicks in memory; a thread beside hands them over every few seconds."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError

from funnel.domain.touch import first_touch
from funnel.runtime import Runtime
from funnel.services import clicks
from funnel.services.visits import NO_SOURCE, CountedPage, record_visits
from funnel.web.click_memory import ClickMemory, is_machines_request

FLUSH_SECONDS = 10.0
MAX_SOURCES = 200  # in a day: sources are typed by strangers, and each is a row
OTHER = "other"
COUNTED = {
    "public.landing": CountedPage.LANDING,
    "self_check.start": CountedPage.CHECK_STARTED,
    "portal.open_challenge": CountedPage.CHALLENGE,
}

log = logging.getLogger(__name__)


class Tally:
    """Collects visits by page and source, and clicks by mail. No request waits for the database."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._clicks = ClickMemory(rt)
        self._day: date | None = None
        self._sources: set[str] = set()
        self._flushed_at = rt.clock.boot_seconds()
        self._flushing: threading.Thread | None = None

    def attach(self, app: Flask) -> None:
        """Count the visits of this application."""
        app.after_request(self._count)

    def _count(self, response: Response) -> Response:
        page = COUNTED.get(request.endpoint or "")
        is_shown = request.method == "GET" and response.status_code == 200
        if page and is_shown and not is_machines_request():
            touch = first_touch(request.args, request.referrer, self._rt.settings.host)
            with self._lock:
                self._counts[page, self._known(touch.source)] += 1
        if response.status_code < 400:
            self._clicks.see()
        self._flush_beside()
        return response

    def add(self, page: CountedPage) -> None:
        """Count something that must not be tied to where its visitor came from."""
        if not is_machines_request():
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
            is_empty = not self._counts and not self._clicks.is_waiting
            if is_busy or is_empty or now - self._flushed_at < FLUSH_SECONDS:
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
        self._write_visits()
        self._write_clicks()

    def _write_visits(self) -> None:
        """A database that is away keeps the counts for later."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts and not _is_kept(lambda: self._keep_visits(counts)):
            with self._lock:
                self._counts.update(counts)

    def _keep_visits(self, counts: Mapping[tuple[str, str], int]) -> None:
        with self._rt.sessions.begin() as session:
            record_visits(session, counts, now=self._rt.clock.now())

    def _write_clicks(self) -> None:
        due, around = self._clicks.take_due()
        if due and not _is_kept(lambda: self._keep_clicks(due, around)):
            self._clicks.give_back(due)

    def _keep_clicks(self, due: list[clicks.Seen], around: list[clicks.Seen]) -> None:
        """Judging takes its time, so nobody's writing waits for it."""
        with self._rt.reading.begin() as session:
            first = self._clicks.first_presses(clicks.judge(session, due, around))
        if first:
            with self._rt.sessions.begin() as session:
                clicks.record(session, first)
            self._clicks.remember(first)


def _is_kept(keep: Callable[[], None]) -> bool:
    try:
        keep()
    except SQLAlchemyError as error:
        log.warning("counts could not be written yet: %s", type(error).__name__)
        return False
    return True
