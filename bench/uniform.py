"""Does the time of an answer tell whether an address is known? Pairs of posts to the form.

In each pair a new address and one that has confirmed ask for the guide, in an order drawn by lot,
each from a network of its own. Prints one JSON line for both databases: the median of each in
milliseconds, their difference and ratio, and the chance that both are of one kind (Mann-Whitney,
two-sided). Postgres runs without fsync, as in the tests.
"""

import argparse
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.support import make
from tests.support.front_door import Door, open_door
from tests.support.house import House, open_house
from tests.support.servers import running_postgres
from tests.support.visitor import hidden_fields

PAIRS = 500
WARM_UP = 20
BETWEEN = timedelta(minutes=2)  # thirty new people an hour: no limit is near


def confirm(house: House, number: int) -> str:
    email = f"known{number:05}@example.org"
    make.confirmed(house, email)
    house.clock.advance(BETWEEN)
    return email


def post(door: Door, email: str, number: int) -> float:
    """Milliseconds until the form is answered."""
    fields = {**hidden_fields(door.get("/")), "email": email, "series": "yes"}
    place = {"REMOTE_ADDR": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
    started = time.perf_counter()
    answer = door.client.post("/signup", data=fields, environ_overrides=place)
    took = time.perf_counter() - started
    assert answer.status_code == 303
    return took * 1000


def measure(house: House, pairs: int) -> dict[str, float]:
    door, draw = open_door(house), random.Random(1)
    known = [confirm(house, number) for number in range(pairs + WARM_UP)]
    house.clock.advance(timedelta(days=2))
    times: dict[str, list[float]] = {"new": [], "known": []}
    for number, email in enumerate(known):
        house.clock.advance(BETWEEN)
        addresses = [("new", f"other{number:05}@example.org"), ("known", email)]
        draw.shuffle(addresses)
        for place, (kind, address) in enumerate(addresses):
            times[kind].append(post(door, address, 2 * number + place))
    new, old = (values[WARM_UP:] for values in times.values())
    p50_new, p50_known = statistics.median(new), statistics.median(old)
    return {
        "p50_new_ms": round(p50_new, 2),
        "p50_known_ms": round(p50_known, 2),
        "difference_ms": round(abs(p50_new - p50_known), 2),
        "ratio": round(p50_new / p50_known, 3),
        "same_kind": round(mann_whitney(new, old), 4),
    }


def mann_whitney(one: list[float], other: list[float]) -> float:
    """The chance of ranks at least so far apart if both are of one kind (normal approximation)."""
    ranked = sorted((value, kind) for kind, values in enumerate((one, other)) for value in values)
    ranks = sum(rank for rank, (_, kind) in enumerate(ranked, start=1) if kind == 0)
    n, m = len(one), len(other)
    mean, spread = n * (n + m + 1) / 2, math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(ranks - mean) / spread / math.sqrt(2))


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    with running_postgres() as server:
        yield {
            "sqlite": f"sqlite:///{folder}/funnel.db",
            "postgres": server.create_database("uniform"),
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=PAIRS)
    pairs = options.parse_args().pairs
    found = {}
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as urls:
        for name, url in urls.items():
            place = Path(folder) / name
            place.mkdir()
            with open_house(url, place) as house:
                found[name] = measure(house, pairs)
    print(json.dumps({"benchmark": "uniform", "pairs": pairs, **found}))


if __name__ == "__main__":
    main()
