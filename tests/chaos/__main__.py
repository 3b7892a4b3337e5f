"""`python -m tests.chaos [--seeds 5] [--mode all|sendgrid|smtp|sqlite] [--people 60] ...`."""

import argparse
import json
import logging
import sys
import time
from collections import Counter

from tests.chaos.checker import Report
from tests.chaos.run import Plan, run
from tests.chaos.site import Mode

SUMS = ("sends", "lost", "duplicated", "ambiguous", "kills", "faults")


def main(argv: list[str] | None = None) -> int:
    """Run every seed; the last line printed is one JSON object. 1 when a rule broke."""
    logging.basicConfig(level=logging.ERROR)
    asked = _arguments().parse_args(argv)
    modes = list(Mode) if asked.mode == "all" else [Mode(asked.mode)]
    started, reports = time.monotonic(), []
    for number in range(asked.seeds):
        seed = asked.first_seed + number
        plan = Plan(
            seed=seed,
            mode=modes[number % len(modes)],
            people=asked.people,
            steps=asked.steps,
            day_seconds=asked.day,
            arrive_seconds=asked.storm / 4,
            storm_seconds=asked.storm,
        )
        reports.append(run(plan))
        print(reports[-1].line, flush=True)  # noqa: T201 - the proof's own output
    if len(reports) > 1:
        print(_sum(reports, time.monotonic() - started))  # noqa: T201 - the same
    return 1 if any(report.broken for report in reports) else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--mode", choices=["all", *Mode], default="all")
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--day", type=float, default=6.0, help="seconds of a funnel day")
    parser.add_argument("--storm", type=float, default=45.0, help="seconds of faults")
    return parser


def _sum(reports: list[Report], seconds: float) -> str:
    kinds: Counter[str] = Counter()
    for report in reports:
        kinds.update(report.details["faults"])
    broken = [f"seed {r.seed}: {r.broken}" for r in reports if r.broken]
    sums = {name: sum(getattr(report, name) for report in reports) for name in SUMS}
    return json.dumps(
        {
            "seeds": len(reports),
            "modes": sorted({report.mode for report in reports}),
            **sums,
            "fault_kinds": len(kinds),
            "unsubscribe_p99_seconds": max(r.unsubscribe_p99_seconds for r in reports),
            "seconds": round(seconds, 1),
            "broken": broken or None,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
