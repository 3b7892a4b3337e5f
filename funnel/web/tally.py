"""Counting visits in memory, handed to the database now and then: a GET writes nothing itself."""

import threading
from collections import Counter
from collections.abc import Mapping

from flask import Flask, Response, request
from sqlalchemy.exc import OperationalError

from funnel.domain.touch import first_touch
from funnel.runtime import Runtime
from funnel.services.visits import record_visits

FLUSH_SECONDS = 10.0
COUNTED = {"public.landing": "landing", "portal.open_challenge": "challenge"}
ROBOT_WORDS = ("bot", "crawl", "spider", "preview", "monitor", "curl", "python", "headless")


class VisitTally:
    """Collects visits by page and source, and flushes them every few seconds."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._flushed_at = rt.clock.boot_seconds()

    def attach(self, app: Flask) -> None:
        """Count the visits of this application."""
        app.after_request(self._count)

    def _count(self, response: Response) -> Response:
        page = COUNTED.get(request.endpoint or "")
        if page and request.method == "GET" and response.status_code == 200 and _is_person():
            own = self._rt.settings.host
            with self._lock:
                self._counts[page, first_touch(request.args, request.referrer, own).source] += 1
        self.flush(only_if_old=True)
        return response

    def flush(self, *, only_if_old: bool = False) -> None:
        """Write what was counted; a database that is away keeps it for later."""
        counts = self._take(only_if_old)
        if not counts:
            return
        try:
            with self._rt.sessions.begin() as session:
                record_visits(session, counts, now=self._rt.clock.now())
        except OperationalError:
            with self._lock:
                self._counts.update(counts)

    def _take(self, only_if_old: bool) -> Mapping[tuple[str, str], int]:
        with self._lock:
            now = self._rt.clock.boot_seconds()
            if only_if_old and now - self._flushed_at < FLUSH_SECONDS:
                return {}
            counts, self._counts = self._counts, Counter()
            self._flushed_at = now
            return counts


def _is_person() -> bool:
    """Leave out prefetches and whatever says that it is a robot."""
    agent = request.user_agent.string.lower()
    is_robot = not agent or any(word in agent for word in ROBOT_WORDS)
    return not is_robot and "prefetch" not in request.headers.get("Sec-Purpose", "")
