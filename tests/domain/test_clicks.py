"""Who followed a link: a person or a machine."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.clicks import ClickKind, Visit, kind_of, mark_of

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=3)


def visit(page: str = "guide", second: float = 100.0, *, machine: bool = False) -> Visit:
    return Visit(page, "abcdef", NOW, second, machine)


def test_somebody_who_reads_first_is_a_person() -> None:
    one = visit()
    assert kind_of(one, [one], LONG_AGO) is ClickKind.PERSON


def test_whoever_says_so_is_a_machine() -> None:
    one = visit(machine=True)
    assert kind_of(one, [one], LONG_AGO) is ClickKind.MACHINE


@pytest.mark.parametrize(("seconds", "kind"), [(-5, "machine"), (9.9, "machine"), (10, "person")])
def test_nobody_reads_a_mail_within_ten_seconds(seconds: float, kind: str) -> None:
    one = visit()
    assert kind_of(one, [one], NOW - timedelta(seconds=seconds)) == kind


@pytest.mark.parametrize(
    ("pages", "kind"),
    [
        ([("guide", 100.0), ("challenge", 101.0)], ClickKind.PERSON),
        ([("guide", 100.0), ("guide", 100.5), ("guide", 101.0)], ClickKind.PERSON),
        ([("guide", 100.0), ("challenge", 101.0), ("leave", 102.0)], ClickKind.MACHINE),
        ([("guide", 100.0), ("challenge", 101.0), ("leave", 102.1)], ClickKind.PERSON),
        ([("leave", 98.5), ("challenge", 99.0), ("guide", 100.0)], ClickKind.MACHINE),
        ([("leave", 98.5), ("guide", 100.0), ("challenge", 101.5)], ClickKind.PERSON),
    ],
)
def test_three_pages_within_two_seconds_are_a_machines(
    pages: list[tuple[str, float]], kind: ClickKind
) -> None:
    around = [visit(page, second) for page, second in pages]
    (one,) = [each for each in around if each.page == "guide"][:1]
    assert kind_of(one, around, LONG_AGO) is kind


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.floats(95, 105)), max_size=8),
    st.floats(95, 105),
)
def test_a_burst_is_three_pages_in_some_two_seconds_around(
    others: list[tuple[str, float]], second: float
) -> None:
    one = visit("x", second)
    around = [one, *(visit(page, at) for page, at in others)]
    starts = [each.second for each in around if 0 <= second - each.second <= 2.0]
    expected = any(
        len({each.page for each in around if 0 <= each.second - start <= 2.0}) >= 3
        for start in starts
    )
    assert (kind_of(one, around, LONG_AGO) is ClickKind.MACHINE) == expected


@pytest.mark.parametrize(
    ("visits", "apart", "kind"),
    [(49, 1.0, ClickKind.PERSON), (50, 1.0, ClickKind.MACHINE), (50, 3.0, ClickKind.PERSON)],
)
def test_fifty_visits_within_two_minutes_are_a_machines(
    visits: int, apart: float, kind: ClickKind
) -> None:
    around = [visit("guide", 100 + apart * number) for number in range(visits)]
    assert kind_of(around[0], around, LONG_AGO) is kind


def test_a_mark_is_short_always_the_same_and_says_nothing() -> None:
    keys = ["nurture/one-technique", "nurture/why-hips", "challenge/day-1", "nurture/a.b"]
    marks = [mark_of(key) for key in keys]
    assert marks == [mark_of(key) for key in keys]
    assert len(set(marks)) == len(keys)
    assert all(len(mark) == 6 and mark.isalnum() and mark.islower() for mark in marks)
