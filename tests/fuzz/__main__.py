"""`python -m tests.fuzz [--histories 10000] [--knocks 2000] [--seed 1]`: one seed, one run."""

import argparse
import logging
import secrets
import sys

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.crowd import Crowd
from tests.fuzz.doors import knock, open_doors

A_BATCH = 250
STEPS = 20


def main(argv: list[str] | None = None) -> int:
    """Run everything; what breaks is raised, shrunk, with the seed printed above it."""
    logging.basicConfig(level=logging.CRITICAL)
    asked = _arguments().parse_args(argv)
    for number, many in enumerate(_batches(asked.histories)):
        _say(f"{many} histories of a crowd: --seed {asked.seed + number} --histories {many}")
        _crowd(asked.seed + number, many)
    for is_signed in (True, False):
        _say(f"the doors of machines, signed={is_signed}: --seed {asked.seed} --histories 0")
        _doors(asked.seed, asked.knocks, is_signed)
    _say("Nothing broke.")
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--knocks", type=int, default=2_000, help="of each kind at each door")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    return parser


def _batches(histories: int) -> list[int]:
    whole, rest = divmod(histories, A_BATCH)
    return [A_BATCH] * whole + [rest] * bool(rest)


def _crowd(number: int, histories: int) -> None:
    chosen = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        derandomize=False,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(number)(Crowd), settings=chosen)
    finally:
        Crowd.sweep()


def _doors(number: int, knocks: int, is_signed: bool) -> None:
    with open_doors(signed=is_signed) as doors:
        posted = knock(doors, knocks, number)
        assert doors.errors.told == [], doors.errors.told[:3]
    _say(f"  {posted} requests")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the proof's own output


if __name__ == "__main__":
    sys.exit(main())
