"""Reading a sequence: every form of its timing, and how a mistake is told."""

from datetime import UTC, datetime, time, timedelta

import pytest

from funnel.content.sequences import parse_sequence
from funnel.domain.decision import next_step
from funnel.domain.people import Purpose
from funnel.domain.schedule import Delay, Window, due_after, zone_of
from funnel.domain.sequence import Fact, Send, Sequence, Wait
from funnel.domain.sequence import Place as Standing
from tests.content.samples import TEMPLATES, findings

GOOD = """\
key: spring
title: A spring series
purpose: series
starts_on: [confirmed]
exits_on: [joined, purchased]
min_gap: 18 hours
window: 07:00-21:30
steps:
  - key: first
    after: 2 days 3 hours
    at: "18:00"
    weekdays: [monday, sunday]
    skip_if: [joined]
    expires_after: 3 days
  - key: second
    after: 90 minutes
"""


def shipped(name: str) -> Sequence:
    path = TEMPLATES / "sequences" / name / "sequence.yaml"
    return parse_sequence(path.read_text("utf-8"), name)


def test_every_part_of_a_sequence_is_read() -> None:
    read = parse_sequence(GOOD, "spring.yaml")

    assert (read.key, read.title, read.purpose) == ("spring", "A spring series", Purpose.SERIES)
    assert read.starts_on == {Fact.CONFIRMED}
    assert read.exits_on == {Fact.JOINED, Fact.PURCHASED}
    assert read.min_gap == timedelta(hours=18)
    assert read.window == Window(time(7), time(21, 30))
    first, second = read.steps
    assert (first.delay, first.at) == (Delay(2, 180), time(18))
    assert first.weekdays == {0, 6}
    assert first.skip_if == {Fact.JOINED}
    assert first.expires_after == timedelta(days=3)
    assert (second.delay, second.at) == (Delay(0, 90), None)


def test_gap_and_window_have_kind_defaults() -> None:
    source = GOOD.replace("min_gap: 18 hours\n", "").replace("window: 07:00-21:30\n", "")
    read = parse_sequence(source, "spring.yaml")
    assert (read.min_gap, read.window) == (timedelta(hours=20), Window(time(8), time(20)))


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("key: spring\n", "", 1, "'key' is missing"),
        ("key: spring", "key: Spring Mails", 1, "'key' does not fit"),
        ("key: spring", "key: ../etc", 1, "'key' does not fit"),
        ("purpose: series", "purpose: health2", 3, "'purpose' must be one of"),
        ("[confirmed]", "[arrived]", 4, "'starts_on.0' must be one of"),
        ("[confirmed]", "confirmed", 4, "'starts_on' does not fit"),
        ("starts_on: [confirmed]\n", "", 1, "nobody would ever get these mails"),
        ("starts_on: [confirmed]", "follows: spring", 4, "cannot follow itself"),
        ("[joined, purchased]", "[confirmed]", 5, "cannot also end it"),
        ("18 hours", "18", 6, "write a length of time"),
        ("18 hours", "-1 hours", 6, "write a length of time"),
        ("18 hours", "1 fortnight", 6, "write a length of time"),
        ("2 days 3 hours", "99999 days", 10, "at most 366 days"),
        ("2 days 3 hours", "P2D", 10, "write a length of time"),
        ("2 days 3 hours", "2.5 days", 10, "write a length of time"),
        ("    after: 2 days 3 hours\n", "", 9, "'steps.0.after' is missing"),
        ("07:00-21:30", "21:30-07:00", 7, "a window opens before it closes"),
        ("07:00-21:30", "always", 7, "write the hours as in"),
        ("07:00-21:30", "07:00-24:00", 7, "write a time of day"),
        ('"18:00"', '"22:00"', 11, "22:00 is outside the window"),
        ('"18:00"', '"25:00"', 11, "write a time of day"),
        ('"18:00"', "8", 11, "write a time of day"),
        ("[monday, sunday]", "[someday]", 12, "a weekday is one of monday"),
        ("skip_if: [joined]", "skip_if: [was_sad]", 13, "'steps.0.skip_if.0' must be one of"),
        ("skip_if:", "skip_when:", 13, "'steps.0.skip_when' is not known"),
        ("3 days", "soon", 14, "write a length of time"),
        ("key: second", "key: first", 15, "the step key 'first' is here twice"),
        ("title: A spring series", 'title: ""', 2, "'title' does not fit"),
        ("title: A spring series", "title: a\ntitle: b", 3, "'title' is here twice"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, line: int, told: str) -> None:
    complaints = findings(parse_sequence, GOOD.replace(old, new), "spring.yaml")
    assert any(each.startswith(f"spring.yaml:{line}: ") and told in each for each in complaints)


@pytest.mark.parametrize("steps", ["steps: []", "steps:", "steps: none", "steps: {a: b}"])
def test_a_sequence_without_steps_is_refused(steps: str) -> None:
    source = GOOD[: GOOD.index("steps:")] + steps + "\n"
    assert "'steps'" in findings(parse_sequence, source, "spring.yaml")[0]


def test_all_problems_of_a_sequence_are_told_at_once() -> None:
    source = (
        GOOD.replace("series\n", "fun\n", 2)
        .replace("[confirmed]", "[arrived]")
        .replace("18 hours", "long")
        .replace('"18:00"', '"05:00"')
        .replace("key: second", "key: first")
    )
    told = findings(parse_sequence, source, "spring.yaml")
    assert [int(each.split(":")[1]) for each in told] == [3, 4, 6, 11, 15]


def test_an_unquoted_time_of_day_is_read_as_a_time() -> None:
    assert parse_sequence(GOOD.replace('"18:00"', "18:00"), "x").steps[0].at == time(18)


@pytest.mark.parametrize(
    ("name", "days"), [("nurture", [1, 3, 5, 7, 9, 11, 13, 16]), ("programme", [1, 4, 7])]
)
def test_the_mails_fall_on_their_days_at_the_same_wall_time(name: str, days: list[int]) -> None:
    start = datetime(2026, 3, 20, 21, 40, tzinfo=UTC)  # the clocks go forward on 29 March
    zone = zone_of("Europe/London")
    anchor, due = start, []
    for step in shipped(name).steps:
        anchor = due_after(anchor, step.delay, zone, at=step.at)
        due.append(anchor.astimezone(zone))

    assert [(each.date() - start.date()).days for each in due] == days
    assert {each.time() for each in due} == {time(8, 10)}


def walk(sequence: Sequence, joined_at: datetime) -> list[datetime]:
    """When each mail of a sequence goes, for a person whose last mail went a minute before."""
    zone = "Europe/London"
    anchor, last_step, last_drip = joined_at, None, joined_at - timedelta(minutes=1)
    sent: list[datetime] = []
    now = joined_at
    while len(sent) < len(sequence.steps):
        place = Standing(anchor, last_step, frozenset(), zone, last_drip)
        decision = next_step(sequence, place, now)
        if isinstance(decision, Wait):
            now = decision.until
            continue
        assert isinstance(decision, Send)
        sent.append(now)
        anchor, last_step, last_drip = now, decision.step.key, now
    return sent


@pytest.mark.parametrize("hour", [6, 9, 13, 22])
def test_the_first_day_of_the_challenge_comes_at_once_in_waking_hours(hour: int) -> None:
    joined = datetime(2026, 1, 12, hour, 20, tzinfo=UTC)
    sent = walk(shipped("challenge"), joined)

    assert sent[0] == joined
    mornings = [datetime(2026, 1, 12 + day, 7, 30, tzinfo=UTC) for day in range(1, 5)]
    assert sent[1:] == mornings


def test_a_challenge_joined_at_night_waits_for_the_morning_and_keeps_one_mail_a_day() -> None:
    sent = walk(shipped("challenge"), datetime(2026, 1, 12, 23, 50, tzinfo=UTC))

    assert sent[0] == datetime(2026, 1, 13, 6, 0, tzinfo=UTC)
    assert [each.date().day for each in sent] == [13, 14, 15, 16, 17]


def test_what_starts_and_ends_each_shipped_sequence() -> None:
    nurture, challenge, programme = map(shipped, ("nurture", "challenge", "programme"))
    assert nurture.starts_on == {Fact.CONFIRMED}
    assert nurture.exits_on == {Fact.JOINED, Fact.PURCHASED}
    assert challenge.starts_on == {Fact.JOINED}
    assert challenge.exits_on == {Fact.COMPLETED}
    assert programme.starts_on == {Fact.COMPLETED}
    assert programme.follows == "challenge"
    assert programme.exits_on == {Fact.WAITLISTED, Fact.PURCHASED}
    purposes = [nurture.purpose, challenge.purpose, programme.purpose]
    assert purposes == [Purpose.SERIES, Purpose.CHALLENGE, Purpose.SERIES]
