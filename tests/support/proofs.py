"""The sum that a form asks for, done as a browser does it, and a fake that costs nothing."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime

import altcha


def solve(challenge: str) -> str:
    """What the widget puts into its field for this sum."""
    found = altcha.Challenge.from_dict(json.loads(challenge))
    solution = altcha.solve_challenge(found)
    assert solution is not None
    return altcha.Payload(found, solution).to_base64()


@dataclass
class EasyProofs:
    """Sums whose answer is the sum itself: for tests of everything around them."""

    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    made: dict[str, datetime] = field(default_factory=dict)

    def challenge(self, until: datetime) -> str:
        name = f"sum {next(self.numbers)}"
        self.made[name] = until
        return name

    def solved(self, answer: str, machine: datetime) -> str | None:
        until = self.made.get(answer)
        return answer if until is not None and machine < until else None
