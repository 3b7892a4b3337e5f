"""By when the law wants what, and which words are kept."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.complaints import (
    MAX_WORDS,
    acknowledge_by,
    answer_by,
    parse_words,
    plain_words,
)
from funnel.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("received", "by"),
    [
        (date(2026, 11, 23), date(2026, 12, 23)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2026, 8, 31), date(2026, 9, 30)),
    ],
)
def test_an_answer_is_due_a_calendar_month_later(received: date, by: date) -> None:
    assert answer_by(received) == by


def test_it_is_acknowledged_within_thirty_days() -> None:
    assert acknowledge_by(date(2026, 11, 23)) == date(2026, 12, 23)
    assert acknowledge_by(date(2027, 1, 31)) == date(2027, 3, 2)


@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2090, 1, 1)))
def test_an_answer_is_never_due_later_than_the_31st_day(received: date) -> None:
    assert 28 <= (answer_by(received) - received).days <= 31


@pytest.mark.parametrize("raw", ["", "   ", "\n\r\n", "\x00\x07", "\u202e"])
def test_no_words_are_no_complaint(raw: str) -> None:
    with pytest.raises(InvalidInput, match="in your own words"):
        parse_words(raw)


def test_words_keep_their_lines_and_lose_what_nobody_can_see() -> None:
    assert parse_words(" You wrote\r\nto me\rafter\x00 I\u202e left. \n") == (
        "You wrote\nto me\nafter I left."
    )


def test_there_is_room_for_three_thousand_characters() -> None:
    assert parse_words("x" * MAX_WORDS) == "x" * MAX_WORDS
    with pytest.raises(InvalidInput, match="3,000"):
        parse_words("x" * (MAX_WORDS + 1))


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_and_reading_twice_changes_nothing(raw: str) -> None:
    once = plain_words(raw)
    assert plain_words(once) == once
    assert "\r" not in once
