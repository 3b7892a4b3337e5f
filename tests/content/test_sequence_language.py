"""The fuller language of a sequence: every word of it, and how a mistake is told."""

from datetime import time, timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from funnel.content.sequence_checks import check_together
from funnel.content.sequence_schema import schema_file, schema_text
from funnel.content.sequences import mail_keys, parse_sequence
from funnel.domain.errors import ContentInvalid
from funnel.domain.people import Purpose
from funnel.domain.schedule import Delay, Window
from funnel.domain.sequence import Condition, Fact, Sequence, WaitFor, Way
from tests.content.samples import TEMPLATES, findings

GOOD = """\
key: spring
title: A spring series
purpose: series
starts_on: [confirmed]
exits_on: [purchased]
again_after: 26 weeks
priority: 5
on_closed_days: send
steps:
  - key: first
    after: 2 weeks 1 day 3 hours
    window: 09:00-12:00
    only_if: {has: [downloaded], lacks: [joined], source: [qr], pattern: [desk-hips], days_done: 3}
    variants: {plain: 1, story: 3}
  - key: second
    after: 1 day
    wait_for: {any: [downloaded, joined], at_most: 5 days, or: skip}
  - key: fork
    after: 0 minutes
    ways:
      - if: {has: [downloaded]}
        go_to: last
      - go_to: third
  - key: third
    after: 1 day
  - key: last
    after: 1 day
"""
PATTERNS = frozenset({"desk-hips"})


def told(source: str) -> tuple[str, ...]:
    def read(text: str, where: str) -> Sequence:
        return parse_sequence(text, where, PATTERNS)

    return findings(read, source, "spring.yaml")


def test_every_word_of_the_language_is_read() -> None:
    read = parse_sequence(GOOD, "spring.yaml", PATTERNS)
    assert read.again_after == timedelta(weeks=26)
    assert (read.priority, read.keeps_clinic_days) == (5, False)
    first, second, fork, *_ = read.steps
    assert first.delay == Delay(15, 180)
    assert first.window == Window(time(9), time(12))
    assert first.only_if == Condition(
        has=frozenset({Fact.DOWNLOADED}),
        lacks=frozenset({Fact.JOINED}),
        source=frozenset({"qr"}),
        pattern=PATTERNS,
        days_done=3,
    )
    assert first.variants == (("plain", 1), ("story", 3))
    either = frozenset({Fact.DOWNLOADED, Fact.JOINED})
    assert second.wait_for == WaitFor(either, Delay(5), or_skip=True)
    assert fork.ways == (Way("last", Condition(has=frozenset({Fact.DOWNLOADED}))), Way("third"))


def test_what_is_not_said_changes_nothing() -> None:
    plain = parse_sequence(
        "key: a\ntitle: A\npurpose: series\nstarts_on: [joined]\n"
        "steps:\n  - {key: one, after: 1 day, wait_for: {any: [completed], at_most: 2 days}}\n",
        "a.yaml",
    )
    assert (plain.again_after, plain.priority, plain.keeps_clinic_days) == (None, 0, True)
    (step,) = plain.steps
    assert (step.only_if, step.window, step.ways, step.variants) == (None, None, (), ())
    assert step.wait_for is not None
    assert not step.wait_for.or_skip


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("26 weeks", "26 fortnights", 6, "as in '2 weeks'"),
        ("26 weeks", "60 weeks", 6, "at most 366 days"),
        ("26 weeks", "1 day 1 day", 6, "as in '2 weeks'"),
        ("2 weeks 1 day 3 hours", "999 hours 52 weeks", 11, "at most 366 days"),
        ("priority: 5", "priority: -1", 7, "'priority' does not fit"),
        ("closed_days: send", "closed_days: maybe", 8, "must be one of 'wait' or 'send'"),
        ("09:00-12:00", "12:00-09:00", 12, "a window opens before it closes"),
        ("09:00-12:00", "09:00-09:29", 12, "leave 30 minutes at least between the hours"),
        ("A spring series", '"A spring\\u0000series"', 2, "cannot be seen or printed"),
        ("has: [downloaded], lacks", "has: [slept], lacks", 13, "'steps.0.only_if.has.0' must be"),
        ("lacks: [joined]", "lacks: [downloaded]", 13, "nobody can both have and lack"),
        ("pattern: [desk-hips]", "pattern: [moody]", 13, "no pattern 'moody'"),
        ("days_done: 3", "days_done: 99", 13, "'steps.0.only_if.days_done' does not fit"),
        ("days_done: 3", "age: 3", 13, "'steps.0.only_if.age' is not known here"),
        ("plain: 1", "plain: 0", 14, "an arm weighs 1 to 1000"),
        ("plain: 1", "plain: lots", 14, "'steps.0.variants.plain' does not fit"),
        ("plain: 1, ", "", 14, "a test needs two arms"),
        ("any: [downloaded, joined]", "any: []", 17, "'steps.1.wait_for.any' does not fit"),
        ("[downloaded, joined]", "[confirmed]", 17, "'confirmed' starts or ends the sequence"),
        ("[downloaded, joined]", "[purchased]", 17, "'purchased' starts or ends the sequence"),
        ("at_most: 5 days, ", "", 17, "'steps.1.wait_for.at_most' is missing"),
        ("at_most: 5 days", "at_most: 24 hours", 17, "make at_most longer than after"),
        ("or: skip", "or: cry", 17, "must be one of 'send' or 'skip'"),
        ("key: second\n", 'key: second\n    at: "09:00"\n', 16, "so 'at' means nothing"),
        ("key: second\n", "key: second\n    weekdays: [monday]\n", 16, "'weekdays' means nothing"),
        ("key: second\n", "key: second\n    expires_after: 0 days\n", 16, "expire at once"),
        ("    ways:\n", "    skip_if: [joined]\n    ways:\n", 20, "a fork sends no mail"),
        ("    ways:\n", "    variants: {a: 1, b: 1}\n    ways:\n", 20, "a fork sends no mail"),
        ("if: {has: [downloaded]}\n        go_to: last", "go_to: last", 21, "none after it is"),
        ("go_to: last", "go_to: first", 22, "'first' is not after this fork"),
        ("go_to: last", "go_to: fork", 22, "'fork' is not after this fork"),
        ("go_to: last", "go_to: nowhere", 22, "there is no step 'nowhere'"),
        ("      - go_to: third", "      - go_to: last", 24, "no way leads to this step"),
        ("key: last", "key: first", 26, "the step key 'first' is here twice"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, line: int, problem: str) -> None:
    assert old in GOOD
    complaints = told(GOOD.replace(old, new, 1))
    assert any(
        each.startswith(f"spring.yaml:{line}: ") and problem in each for each in complaints
    ), complaints


def test_a_fork_without_a_way_is_refused() -> None:
    start = GOOD[: GOOD.index("    ways:")]
    assert any("a fork needs a way" in each for each in told(f"{start}    ways: []\n"))


def test_a_pattern_is_checked_only_against_patterns_that_are_given() -> None:
    source = GOOD.replace("desk-hips", "moody")
    assert parse_sequence(source, "spring.yaml").steps[0].only_if is not None


def test_all_problems_of_the_language_are_told_at_once() -> None:
    source = (
        GOOD.replace("26 weeks", "long")
        .replace("lacks: [joined]", "lacks: [downloaded]")
        .replace("plain: 1", "plain: 0")
        .replace("[downloaded, joined]", "[confirmed]")
        .replace("go_to: last", "go_to: first")
    )
    assert [int(each.split(":")[1]) for each in told(source)] == [6, 13, 14, 17, 22]


@pytest.mark.parametrize(
    "source",
    [
        "a: &a [x]\nsteps: *a\n",
        "steps: " + "[" * 40 + "]" * 40,
        "steps: [" + "{key: a, after: 1 day}," * 3000 + "]",
        "key: " + "x" * 300_000,
        "steps: !!python/object:os.system x",
        "- just\n- a list\n",
        "\0",
        "",
        "steps: [7, [a], {ways: 3}, {ways: [3, {if: 3}], only_if: [], wait_for: x}]",
        "steps: [{key: [a], variants: 3, at: {}, window: [], wait_for: {any: {}}}]",
    ],
    ids=["alias", "depth", "length", "size", "tag", "list", "nul", "empty", "shapes", "types"],
)
def test_a_file_of_any_shape_is_refused_and_never_trips_the_reader(source: str) -> None:
    with pytest.raises(ContentInvalid) as caught:
        parse_sequence(source, "bad.yaml")
    assert all(each.startswith("bad.yaml:") for each in caught.value.findings)


# --- between sequences, and their mails ---------------------------------------------------------


def following(key: str, follows: str | None) -> Sequence:
    starts = frozenset({Fact.JOINED})
    return Sequence(key, key, Purpose.SERIES, (), starts_on=starts, follows=follows)


def test_sequences_that_follow_each_other_in_a_circle_are_refused_once() -> None:
    chain = {"a": "c", "b": "a", "c": "b", "d": "a", "e": None}
    ((key, problem),) = check_together(
        {key: following(key, follows) for key, follows in chain.items()}
    )
    assert key == "a"
    assert problem.startswith("these follow each other in a circle: 'a', 'c', 'b'.")


def test_a_sequence_follows_one_that_exists() -> None:
    ((key, problem),) = check_together({"a": following("a", "lost"), "b": following("b", "a")})
    assert (key, problem.partition(",")[0]) == ("a", "it follows 'lost'")


def test_the_mails_of_a_sequence_are_its_steps_and_arms_but_no_forks() -> None:
    read = parse_sequence(GOOD, "spring.yaml")
    assert mail_keys(read) == {"first.plain", "first.story", "second", "third", "last"}


# --- the schema for editors ---------------------------------------------------------------------


def test_the_schema_is_the_one_the_models_give() -> None:
    """To renew it: python -m tests.content.renew."""
    assert schema_file(TEMPLATES).read_text("utf-8") == schema_text()


def validator() -> jsonschema.Draft202012Validator:
    schema = yaml.safe_load(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "path", sorted((TEMPLATES / "sequences").glob("*/sequence.yaml")), ids=lambda p: p.parent.name
)
def test_the_shipped_sequences_fit_the_schema_and_lead_editors_to_it(path: Path) -> None:
    text = path.read_text("utf-8")
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == schema_file(TEMPLATES).resolve()
    validator().validate(yaml.safe_load(text))


def test_the_schema_takes_the_whole_language_and_refuses_what_the_reader_refuses() -> None:
    validator().validate(yaml.safe_load(GOOD))
    for old, new in [
        ("26 weeks", "26 fortnights"),
        ("[purchased]", "[slept]"),
        ("plain: 1", "plain: 0"),
        ("09:00-12:00", "nine to noon"),
        ("priority: 5", "urgent: true"),
        ("go_to: last", "goto: last"),
    ]:
        assert not validator().is_valid(yaml.safe_load(GOOD.replace(old, new)))
        assert told(GOOD.replace(old, new))


def test_one_step_that_does_not_fit_is_one_problem() -> None:
    source = (
        "key: a\ntitle: A\npurpose: series\nstarts_on: [joined]\n"
        'steps:\n  - {key: one, after: 1 day, at: "8h10"}\n'
    )
    with pytest.raises(ContentInvalid) as told:
        parse_sequence(source, "a.yaml")
    (only,) = told.value.findings
    assert only.startswith("a.yaml:6: 'steps.0.at': write a time of day")
