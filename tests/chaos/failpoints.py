"""Failpoints: at named places of the protocol a process dies, sleeps or fails, drawn by seed."""

import json
import os
import random
import signal
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.chaos.site import Strikes

ARMED = "armed"
LOG = "failpoints.jsonl"
# How likely a fault is each time a place is passed. Commits are passed far more often.
CHANCES = {
    "after_claim": 0.05,
    "after_render": 0.05,
    "after_intent": 0.08,
    "before_call": 0.03,
    "after_call": 0.05,
    "after_answer": 0.05,
    "before_commit": 0.004,
    "after_commit": 0.006,
    "before_ring": 0.02,
}
INSIDE_A_TRANSACTION = frozenset({"before_commit", "after_commit"})


class Strike(StrEnum):
    """What happens at a failpoint."""

    KILL = "kill"
    PAUSE = "pause"
    ERROR = "error"


class FailpointError(OSError):
    """What a failpoint raises."""


@dataclass
class Failpoints:
    """The failpoints of one process. They strike while the run's file `armed` is there."""

    folder: Path
    part: str
    seed: str
    how: Strikes
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def reach(self, place: str) -> None:
        """Pass a place; perhaps never to return."""
        if self.draw.random() >= self._chance(place) or not (self.folder / ARMED).exists():
            return
        strike = Strike(self.draw.choice(self.how.kinds))
        seconds = self._pause(place)
        self._note(place, strike, seconds)
        if strike is Strike.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif strike is Strike.PAUSE:
            time.sleep(seconds)
        else:
            raise FailpointError(f"failpoint {place}")

    def _chance(self, place: str) -> float:
        if self.how.chances is not None:
            return self.how.chances.get(place, 0.0)
        return CHANCES[place] * self.how.rate

    def _pause(self, place: str) -> float:
        """Short while rows are locked: a database that waits for ever is another fault.

        Usually no pause outlasts a call's lease and the settle window: one that falls between the
        deadline and the first byte would double a mail, and nothing on this side can prevent it.
        """
        shortest, longest = self.how.pause
        return self.draw.uniform(shortest, 2.0 if place in INSIDE_A_TRANSACTION else longest)

    def _note(self, place: str, strike: Strike, seconds: float) -> None:
        line = {"at": time.time(), "part": self.part, "place": place, "strike": strike}
        if strike is Strike.PAUSE:
            line["seconds"] = round(seconds, 2)
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
