"""What SpamAssassin makes of mails, by its own rules alone: one process, no network."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[1] / "support" / "data"
CONTROL = DATA / "spam-control.eml"
HIGHEST = 1.0
# The rules that Debian's package brings, so that a machine with newer ones says the same.
RULES = "/usr/share/spamassassin"
_VERDICT = re.compile(r"^X-Spam-Verdict: score=(-?[\d.]+) tests=(\S*)\r?$", re.MULTILINE)


@dataclass(frozen=True)
class Score:
    """A mail's points, and the rules that gave or took any."""

    points: float
    rules: tuple[str, ...]

    @property
    def is_low(self) -> bool:
        """Whether no reasonable filter would mind."""
        return self.points < HIGHEST


def scores(mails: Mapping[str, bytes]) -> dict[str, Score]:
    """The score of each mail, by its name."""
    program = shutil.which("spamassassin")
    assert program, "The tests need SpamAssassin. Run `make test`, which installs it."
    with tempfile.TemporaryDirectory() as home:
        files = [Path(home) / f"{number:03}.eml" for number in range(len(mails))]
        for file, content in zip(files, mails.values(), strict=True):
            file.write_bytes(content)
        judged = _judge(program, home, files)
    assert len(judged) == len(mails), "SpamAssassin did not judge every mail"
    return dict(zip(mails, judged, strict=True))


def _judge(program: str, home: str, files: list[Path]) -> list[Score]:
    """One score a file, in order."""
    options = ["--local", "--nocreate-prefs", "--prefspath", os.devnull]
    rules = ["--configpath", RULES, "--siteconfigpath", str(DATA / "spamassassin")]
    ran = subprocess.run(
        [program, *options, *rules, *map(str, files)],
        check=True,
        capture_output=True,
        env={**os.environ, "HOME": home, "LC_ALL": "C"},
    )
    found = _VERDICT.findall(ran.stdout.decode("utf-8", errors="replace"))
    return [Score(float(points) or 0.0, telling(rules)) for points, rules in found]


def telling(rules: str) -> tuple[str, ...]:
    """The rules that moved the score: "NO_RELAYS=-0.001" moved it by nothing that is shown."""
    pairs = (rule.partition("=") for rule in rules.split(",") if "=" in rule)
    return tuple(f"{name} {points}" for name, _, points in pairs if abs(float(points)) >= 0.05)
