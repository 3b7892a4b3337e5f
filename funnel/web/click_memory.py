"""What is known of visits behind mailed links, for minutes and in memory only."""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from uuid import UUID

from flask import request

from funnel.domain.agents import is_machine
from funnel.domain.clicks import BURST_SECONDS, Visit
from funnel.domain.errors import LinkInvalid
from funnel.links import LinkPurpose
from funnel.runtime import Runtime
from funnel.services.clicks import MARK, Click, Seen

MOST = 5_000
SETTLE_SECONDS = BURST_SECONDS + 1  # until a visit is judged: others may follow in a rush
REMEMBER_SECONDS = 2 * 60
SAME_PRESS_SECONDS = 30 * 60  # a page that is loaded again is no second press
PAGES = {
    "guide.guide": LinkPurpose.GUIDE,
    "portal.show_challenge": LinkPurpose.PORTAL,
    "portal.show_day": LinkPurpose.PORTAL,
    "portal.programme": LinkPurpose.PORTAL,
    "choices.show": LinkPurpose.PREFERENCES,
    "portal.ask_to_unsubscribe": LinkPurpose.UNSUBSCRIBE,
}
_Press = tuple[UUID, str, str, str]


class ClickMemory:
    """Visits that wait to be judged, those around them, and presses counted already."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._waiting: deque[Seen] = deque(maxlen=MOST)
        self._recent: deque[Seen] = deque(maxlen=MOST)
        self._counted: OrderedDict[_Press, float] = OrderedDict()

    def see(self) -> None:
        """Remember the visit at hand, if it is to a page that mailed links lead to."""
        purpose = PAGES.get(request.endpoint or "")
        if purpose is None or request.method not in {"GET", "HEAD"}:
            return
        seen = self._seen(purpose)
        if seen is None:
            return
        with self._lock:
            self._recent.append(seen)
            if seen.visit.mark:
                self._waiting.append(seen)

    def _seen(self, purpose: LinkPurpose) -> Seen | None:
        places = dict(request.view_args or {})
        try:
            handle = self._rt.links.read(purpose, str(places.pop("token", "")))
        except LinkInvalid:
            return None
        mark = request.args.get("m", "")
        visit = Visit(
            page=" ".join([request.endpoint or "", *map(str, places.values())]),
            mark=mark if MARK.fullmatch(mark) else "",
            at=self._rt.clock.now(),
            second=self._rt.clock.boot_seconds(),
            says_machine=request.method == "HEAD" or is_machines_request(),
        )
        return Seen(handle, visit)

    def take_due(self) -> tuple[list[Seen], list[Seen]]:
        """Visits whose time to be judged has come, and everything seen around them."""
        second = self._rt.clock.boot_seconds()
        with self._lock:
            due = [each for each in self._waiting if _age(each, second) >= SETTLE_SECONDS]
            young = [each for each in self._waiting if _age(each, second) < SETTLE_SECONDS]
            around = list(self._recent)
            self._waiting = deque(young, maxlen=MOST)
            fresh = (each for each in around if _age(each, second) < REMEMBER_SECONDS)
            self._recent = deque(fresh, maxlen=MOST)
        return due, around

    def give_back(self, due: Sequence[Seen]) -> None:
        """Keep for later what could not be written."""
        with self._lock:
            self._waiting.extendleft(reversed(due))

    @property
    def is_waiting(self) -> bool:
        """True while there is something to judge."""
        return bool(self._waiting)

    def first_presses(self, clicks: Sequence[Click]) -> list[Click]:
        """Of each press on a link one: loading its page again does not count."""
        second = self._rt.clock.boot_seconds()
        first = {_press(each): each for each in reversed(clicks)}
        with self._lock:
            return [
                each
                for press, each in first.items()
                if second - self._counted.get(press, -SAME_PRESS_SECONDS) >= SAME_PRESS_SECONDS
            ]

    def remember(self, clicks: Sequence[Click]) -> None:
        """These presses are counted now."""
        second = self._rt.clock.boot_seconds()
        with self._lock:
            for each in clicks:
                self._counted[_press(each)] = second
                self._counted.move_to_end(_press(each))
            while self._counted and (
                len(self._counted) > MOST
                or second - next(iter(self._counted.values())) >= SAME_PRESS_SECONDS
            ):
                self._counted.popitem(last=False)


def is_machines_request() -> bool:
    """Whether the request at hand says that it is a robot's, or looks ahead for a person."""
    is_ahead = "prefetch" in request.headers.get("Sec-Purpose", "")
    return is_ahead or is_machine(request.user_agent.string)


def _age(seen: Seen, second: float) -> float:
    return second - seen.visit.second


def _press(click: Click) -> _Press:
    visit = click.seen.visit
    return click.seen.handle, visit.mark, visit.page, click.kind
