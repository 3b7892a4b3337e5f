"""The words of a run: the shipped ones, with a series as short as the run."""

import shutil
from pathlib import Path

from tests.chaos.site import CLOSES, OPENS, SENT_AT

SEQUENCE = "nurture"
STEPS = (
    "one-technique", "why-hips", "desk-reset", "wake-up",
    "two-paths", "five-days", "good-questions", "what-next",
)  # fmt: skip
CHALLENGE_STEPS = ("day-1", "day-2")
MARK = "A line that was added while people were on their way."


def write_templates(shipped: Path, folder: Path, steps: int) -> None:
    """A copy of the shipped words with `steps` mails, one a day, and two of the challenge."""
    shutil.copytree(shipped, folder)
    _write_plan(folder, steps)
    challenge = folder / "sequences/challenge/sequence.yaml"
    head, _, _ = challenge.read_text("utf-8").partition("steps:")
    lines = [f"  - key: {key}\n    after: {at} days\n" for at, key in enumerate(CHALLENGE_STEPS)]
    challenge.write_text(f"{head}steps:\n{''.join(lines)}".replace("0 days", "0 minutes"), "utf-8")
    _drop_orphans(folder / "sequences/challenge", CHALLENGE_STEPS)
    _drop_orphans(folder / f"sequences/{SEQUENCE}", STEPS[: steps + 1])


def edit(folder: Path, steps: int) -> None:
    """Publish another version: new words in the last mail, and one step more after it."""
    last = next((folder / f"sequences/{SEQUENCE}").glob(f"*-{STEPS[steps - 1]}.md"))
    words = last.read_text("utf-8")
    if MARK not in words:
        last.write_text(f"{words.rstrip()}\n\n{MARK}\n", "utf-8")
    _write_plan(folder, steps + 1)


def _write_plan(folder: Path, steps: int) -> None:
    plan = f"""key: {SEQUENCE}
title: The follow-up series
purpose: series
starts_on: [confirmed]
exits_on: [joined, purchased]
min_gap: 20 hours
window: {OPENS}-{CLOSES}

steps:
"""
    plan += "".join(f'  - key: {key}\n    after: 1 day\n    at: "{SENT_AT}"\n'
                    for key in STEPS[:steps])  # fmt: skip
    (folder / f"sequences/{SEQUENCE}/sequence.yaml").write_text(plan, "utf-8")


def _drop_orphans(folder: Path, keys: tuple[str, ...]) -> None:
    for mail in folder.glob("*.md"):
        if mail.stem.partition("-")[2] not in keys:
            mail.unlink()
