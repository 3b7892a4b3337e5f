"""The nemesis: seeded faults, one after the other and over each other, every choice logged."""

import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
import redis
from sqlalchemy.exc import SQLAlchemyError

from tests.chaos.faults import Target, all_faults, heal

# Only in long storms: these last for days of the calendar.
LONG = frozenset({"provider outage", "series mail held for days"})


@dataclass
class Nemesis:
    """Deals faults from a shuffled deck, each kind once before any comes again.

    `only` keeps the deck to some kinds, for a mutant that one kind of fault shows.
    """

    target: Target
    seed: int
    pause: float
    only: frozenset[str] = frozenset()
    _closing: threading.Event = field(default_factory=threading.Event)
    _running: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(f"{self.seed}:nemesis")
        self.faults = all_faults(self.target, self._wait, self.draw)
        unknown = self.only - self.faults.keys()
        assert not unknown, f"no such faults: {unknown}"
        self.left_out = frozenset() if self.target.has_long_faults else LONG

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="nemesis", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let every fault end, then heal all that could still be bad."""
        self._closing.set()
        self._thread.join()
        for thread in self._running:
            thread.join()
        heal(self.target)

    def _run(self) -> None:
        deck: list[str] = []
        while not self._closing.wait(self.draw.uniform(0.5, 1.5) * self.pause):
            if not deck:
                deck = sorted(self.only or self.faults.keys() - self.left_out)
                self.draw.shuffle(deck)
            name = deck.pop()
            thread = threading.Thread(target=self._do, args=(name,), name=name, daemon=True)
            self._running.append(thread)
            thread.start()

    def _do(self, name: str) -> None:
        started = time.time()
        self.target.history.note("fault", name=name)
        try:
            # Servers may be away because of another fault: that is no fault of this one.
            with suppress(SQLAlchemyError, psycopg.Error, redis.RedisError, OSError):
                self.faults[name]()
        finally:
            self.target.history.note("fault over", name=name, began=started)

    def _wait(self, shortest: float, longest: float | None = None) -> None:
        """Let a fault last; it ends early when the run does."""
        seconds = shortest if longest is None else self.draw.uniform(shortest, longest)
        self._closing.wait(seconds)
