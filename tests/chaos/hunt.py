"""`make chaos-mutants`: every mutant must be caught, by a rule that is about what it lost."""

import argparse
import json
import logging
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.chaos.mutants import MUTANTS, Mutant, breed
from tests.chaos.run import run

TRIES = 3  # faults meet the weak place by chance: a further seed may show what one did not


def main(argv: list[str] | None = None) -> int:
    """Hunt them all, or those whose name begins with a word; 1 when one got away."""
    logging.basicConfig(level=logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="make chaos-mutants", description=__doc__)
    parser.add_argument("names", nargs="*")
    names = parser.parse_args(argv).names
    hunted = [m for m in MUTANTS if not names or m.name.startswith(tuple(names))]
    started, caught = time.monotonic(), {}
    for mutant in hunted:
        found, tries = hunt(mutant)
        caught[mutant.name] = bool(found)
        _say(f"{'caught' if found else 'GOT AWAY':9} {mutant.name:50} {tries} {found or ''}"[:220])
    _say(
        json.dumps(
            {
                "mutants": len(hunted),
                "caught": sum(caught.values()),
                "got_away": [name for name, is_caught in caught.items() if not is_caught],
                "seconds": round(time.monotonic() - started, 1),
            }
        )
    )
    return 0 if all(caught.values()) else 1


def hunt(mutant: Mutant) -> tuple[str | None, int]:
    """What broke, by a rule that counts for this mutant, and how many runs that took."""
    with tempfile.TemporaryDirectory(prefix="funnel-mutant-") as folder:
        code = breed(mutant, Path(folder))
        for tried in range(1, TRIES + 1):
            plan = replace(mutant.plan, seed=mutant.plan.seed + tried, code=code)
            report = run(plan)
            for name, found in report.findings.items():
                if name.startswith(mutant.rules):
                    return f"{name}: {found[0]}", tried
    return None, TRIES


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what was asked for


if __name__ == "__main__":
    sys.exit(main())
