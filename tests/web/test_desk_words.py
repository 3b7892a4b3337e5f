"""The desk's sentences, signs and charts."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from funnel.domain.brake import Tally
from funnel.domain.flow import CatchUp, Flow, Limits
from funnel.domain.sequence import Fact
from funnel.domain.stats import STEP_RULES, Rate, StepCount
from funnel.services.control import SendingState
from funnel.services.reports.health import GuideHealth, Health, MailHealth
from funnel.services.reports.people import Whereabouts
from funnel.services.reports.sender import SenderHealth
from funnel.services.reports.weeks import WeekCount
from funnel.web.desk import charts, words
from funnel.web.desk.signs import Level, signs, verdict

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("when", "alone", "inside"),
    [
        (NOW - 7 * HOUR, "Today, 08:00", "today at 08:00"),
        (NOW + 17 * HOUR, "Tomorrow, 08:00", "tomorrow, Saturday, at 08:00"),
        (NOW - 24 * HOUR, "Yesterday, 15:00", "yesterday at 15:00"),
        (NOW + 72 * HOUR, "Monday 23 November, 15:00", "on Monday 23 November at 15:00"),
        (
            datetime(2025, 7, 1, 7, 30, tzinfo=UTC),
            "Tuesday 1 July 2025, 08:30",
            "on Tuesday 1 July 2025 at 08:30",
        ),
    ],
)
def test_times_are_told_in_london_and_near_days_by_name(
    when: datetime, alone: str, inside: str
) -> None:
    assert words.moment(when, NOW, LONDON) == alone
    assert words.moment_in_sentence(when, NOW, LONDON) == inside


def test_near_days_are_judged_by_the_local_calendar() -> None:
    late = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)  # 23:30 in London
    assert words.moment(late + HOUR, late, LONDON) == "Tomorrow, 00:30"


@pytest.mark.parametrize(
    ("this_week", "last_week", "sentence"),
    [
        (22, 17, "22 new people this week, five more than by this time last week."),
        (1, 2, "One new person this week, one fewer than by this time last week."),
        (0, 0, "No new people this week, as many as by this time last week."),
        (3, 30, "Three new people this week, 27 fewer than by this time last week."),
    ],
)
def test_the_week_in_a_sentence(this_week: int, last_week: int, sentence: str) -> None:
    assert words.this_week(WeekCount(Fact.REQUESTED, this_week, last_week, 99)) == sentence


def test_rate_names_the_people_it_is_taken_of() -> None:
    joined = next(rule for rule in STEP_RULES if rule.fact is Fact.JOINED)
    step = StepCount(joined, 52, Rate(52, 117))
    assert words.rate_sentence(step) == (
        "44% of the 117 who confirmed two weeks ago or more joined"
    )
    assert words.likely(step.rate) == "likely 36 to 53%"


def test_every_step_and_place_has_its_words() -> None:
    for rule in STEP_RULES:
        assert words.STEP_NAMES[rule.fact]
        assert words.COULD_HAVE[rule.fact]
    assert set(words.WHERE) == set(words.NOTHING_NEXT) == set(Whereabouts)
    assert words.LOST.keys() == words.TO_TRY.keys() == words.DID.keys()


@pytest.mark.parametrize(
    ("passed", "spelled"),
    [
        (timedelta(seconds=30), "a moment"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=4), "4 days"),
        (timedelta(seconds=-5), "a moment"),
    ],
)
def test_spans_are_told_in_their_largest_unit(passed: timedelta, spelled: str) -> None:
    assert words.spell(passed) == spelled


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("direct", "Typed the address"),
        ("google", "Google"),
        ("news.example.org", "news.example.org"),
        (None, "All the others"),
        ("", ""),
    ],
)
def test_sources_have_a_name(source: str | None, name: str) -> None:
    assert words.source_name(source) == name


WELL = Health(
    now=NOW,
    machine_now=NOW,
    sending=SendingState(is_paused=False),
    last_tick_at=NOW - timedelta(seconds=4),
    mail=MailHealth(NOW - HOUR, 0, None, 0, 0, 0, 0, 0, 0),
    guides=GuideHealth(NOW - HOUR, 2.1, 0, None, 0, 0, None, 0),
    event_problems=0,
    sender=SenderHealth(Tally(1000, 0, 200, 0), Flow(NOW.date())),
)


def sender_is(**changed: Any) -> Health:
    """All is well but for this of the sender."""
    return replace(WELL, sender=replace(WELL.sender, **changed))


def _levels(health: Health, missing: int = 0) -> dict[str, Level]:
    return {sign.name: sign.level for sign in signs(health, missing)}


def test_all_is_well_when_nothing_asks_for_a_look() -> None:
    found = signs(WELL, 0)
    assert {sign.level for sign in found} == {Level.OK}
    assert verdict(found).name == "All is well"


@pytest.mark.parametrize(
    ("health", "name", "level"),
    [
        (
            replace(WELL, sending=SendingState(True, NOW, "Dr Reyes")),
            "All mail is stopped",
            Level.BAD,
        ),
        (
            replace(WELL, sending=SendingState(True, NOW, "Funnel itself", restored="Restored.")),
            "All mail is stopped",
            Level.BAD,
        ),
        (
            replace(WELL, sending=SendingState(False, NOW, "Dr Reyes", is_series_stopped=True)),
            "The series is stopped",
            Level.BAD,
        ),
        (
            replace(WELL, sending=SendingState(False, braked="3 reports.")),
            "The series is held",
            Level.BAD,
        ),
        (
            replace(WELL, sending=SendingState(False, unanswered="No answer.")),
            "The series waits for an answer",
            Level.BAD,
        ),
        (sender_is(tally=Tally(1000, 1, 200, 0)), "Reports of spam", Level.LOOK),
        (sender_is(trouble="The account is closed."), "The provider takes no mail", Level.BAD),
        (sender_is(skew="This machine's clock is 9 minutes behind."), "A wrong clock", Level.BAD),
        (
            sender_is(limits=Limits(per_day=10), flow=Flow(NOW.date(), sent=8, sent_series=8)),
            "The day's share is used up",
            Level.LOOK,
        ),
        (
            sender_is(limits=Limits(warm_up_from=NOW.date()), flow=Flow(NOW.date(), sent=50)),
            "The warm-up's share is used up",
            Level.LOOK,
        ),
        (
            sender_is(last_event_at=NOW - timedelta(days=4)),
            "The provider tells nothing",
            Level.LOOK,
        ),
        (
            replace(WELL, mail=replace(WELL.mail, due=3, oldest_due_at=NOW - HOUR)),
            "Mail is late",
            Level.BAD,
        ),
        (replace(WELL, last_tick_at=None), "The worker is silent", Level.BAD),
        (replace(WELL, last_tick_at=NOW - HOUR), "The worker is silent", Level.BAD),
        (
            replace(WELL, guides=replace(WELL.guides, failed=1, why="The press jammed.")),
            "Guides that cannot be made",
            Level.BAD,
        ),
        (
            replace(WELL, guides=replace(WELL.guides, house_failed=1, why="The press jammed.")),
            "The plain copy cannot be renewed",
            Level.LOOK,
        ),
        (
            replace(WELL, guides=replace(WELL.guides, waiting=2, oldest_waiting_at=NOW - HOUR)),
            "Guides are late",
            Level.BAD,
        ),
        (
            replace(WELL, mail=replace(WELL.mail, unconfirmed=1)),
            "Mails without an answer",
            Level.LOOK,
        ),
        (replace(WELL, mail=replace(WELL.mail, held=1)), "Mails that failed", Level.LOOK),
        (replace(WELL, mail=replace(WELL.mail, complained=1)), "Reported as spam", Level.LOOK),
        (replace(WELL, event_problems=2), "News from the provider", Level.LOOK),
    ],
)
def test_each_trouble_has_its_sign(health: Health, name: str, level: Level) -> None:
    found = signs(health, 0)
    assert _levels(health)[name] is level
    assert verdict(found).name == "One thing to look at"
    assert verdict(found).level is level


@pytest.mark.parametrize(
    ("health", "name"),
    [
        (
            sender_is(limits=Limits(warm_up_from=NOW.date()), flow=Flow(NOW.date(), sent=49)),
            "Warm-up of the new domain",
        ),
        (sender_is(flow=Flow(NOW.date(), catch_up=CatchUp.begin(120, NOW))), "Catching up"),
        (sender_is(slept=(NOW - 3 * HOUR, NOW - HOUR)), "The machine slept"),
    ],
)
def test_what_is_unusual_but_well_is_told_without_alarm(health: Health, name: str) -> None:
    found = signs(health, 0)
    assert _levels(health)[name] is Level.OK
    assert verdict(found).name == "All is well"


def test_a_plan_that_cannot_be_read_asks_for_a_look() -> None:
    assert _levels(replace(WELL, unreadable=("nurture",)))["A plan cannot be read"] is Level.LOOK
    assert "A plan cannot be read" not in _levels(WELL)


@pytest.mark.parametrize(
    ("without_plain", "words"),
    [
        (0, "Three so far. Their readers have the plain copy meanwhile."),
        (2, "Three so far. For two of them there is no plain copy to stand in."),
        (3, "Three so far. There is no plain copy to stand in meanwhile."),
    ],
)
def test_failing_guides_say_whether_the_plain_copy_stands_in(
    without_plain: int, words: str
) -> None:
    guides = replace(WELL.guides, failed=3, without_plain=without_plain, why="The press jammed.")
    (say,) = [sign.say for sign in signs(replace(WELL, guides=guides), 0) if "made" in sign.name]
    assert say == f"{words} The press jammed."


def test_facts_still_in_brackets_ask_for_a_look() -> None:
    found = signs(WELL, 9)
    assert found[-1].say.startswith("Nine are still in [square brackets].")
    assert verdict(found).level is Level.LOOK


def _parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - drawn by our own code a line above


def test_funnel_bar_draws_who_could_who_did_and_the_interval() -> None:
    bar = _parsed(charts.funnel_bar(Rate(52, 117), 171))
    could, did = bar.findall("rect")
    assert (could.get("width"), did.get("width")) == ("68.42%", "30.41%")
    middle = bar.find("g[@class='bar__whisker']/line")
    assert middle is not None
    assert (middle.get("x1"), middle.get("x2")) == ("24.47%", "36.59%")


def test_a_bar_of_few_people_is_drawn_as_early() -> None:
    assert "bar--early" in charts.funnel_bar(Rate(14, 23), 171)
    assert "bar--early" not in charts.funnel_bar(Rate(14, 30), 171)


def test_a_bar_of_nobody_is_empty_and_whole() -> None:
    bar = _parsed(charts.funnel_bar(Rate(0, 0), 0))
    assert [rect.get("width") for rect in bar.findall("rect")] == ["0%", "0%"]
    assert bar.find("g") is None


def test_week_line_writes_each_count_and_leaves_the_last_piece_open() -> None:
    line = _parsed(charts.week_line([14, 0, 22], ["28 Sep", "5 Oct", "<b>"]))
    texts = [text.text for text in line.findall("text")]
    assert texts == ["14", "28 Sep", "0", "5 Oct", "22", "<b>"]
    assert len(line.findall("circle")) == 3
    solid, dashed = line.findall("svg/polyline")
    assert len((solid.get("points") or "").split()) == 2
    assert (dashed.get("points") or "").split()[0] == (solid.get("points") or "").split()[1]


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (4, 4), (5, 6), (22, 30), (41, 60), (171, 200)]
)
def test_scale_ends_on_a_round_number_that_holds_all(most: int, top: int) -> None:
    assert charts.scale_top(most) == top


def test_dots_are_one_a_person_and_stop_at_sixty() -> None:
    few = charts.dots(2, 1)
    assert few.count("<circle") == 3
    assert few.count("dots__one--stuck") == 1
    assert charts.dots(500, 500).count("<circle") == 60


def test_charts_carry_no_styles_so_that_the_policy_holds() -> None:
    drawn = [
        charts.funnel_bar(Rate(3, 9), 9),
        charts.week_line([1, 2], ["a", "b"]),
        charts.dots(3, 2),
        charts.mini_bar(1, 2),
    ]
    assert not [svg for svg in drawn if re.search(r"style|<script|on\w+=", svg)]
