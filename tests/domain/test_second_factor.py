"""Codes: which half-minutes count, and how a typed code is read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.second_factor import (
    PAPER_ALPHABET,
    PAPER_CHARACTERS,
    STEP_SECONDS,
    is_app_code,
    open_steps,
    plain_code,
    spelled,
)

NOW = datetime(2026, 11, 20, 9, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // STEP_SECONDS
instants = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    ("last_used", "expected"),
    [
        (None, (STEP, STEP - 1)),
        (STEP - 2, (STEP, STEP - 1)),
        (STEP - 1, (STEP,)),
        (STEP, ()),
        (STEP + 1, ()),
    ],
)
def test_a_used_step_and_all_before_it_are_over(
    last_used: int | None, expected: tuple[int, ...]
) -> None:
    assert open_steps(NOW, last_used) == expected


@given(instants, st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_whoever_uses_a_step_at_each_moment_never_uses_one_twice(
    start: datetime, waits: list[int]
) -> None:
    used, now = list[int](), start
    for wait in waits:
        now += timedelta(seconds=wait)
        steps = open_steps(now, used[-1] if used else None)
        used.extend(steps[:1])
    assert used == sorted(set(used))


@given(st.text(PAPER_ALPHABET, min_size=PAPER_CHARACTERS, max_size=PAPER_CHARACTERS))
def test_a_code_on_paper_is_read_as_it_was_spelled(code: str) -> None:
    assert plain_code(spelled(code)) == code
    assert plain_code(f"  {spelled(code).upper()}\n") == code
    assert not is_app_code(code)


@pytest.mark.parametrize("typed", ["123456", "123 456", "12-34-56", " 123456 "])
def test_six_digits_are_a_code_of_the_app(typed: str) -> None:
    assert is_app_code(plain_code(typed))


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "１２３４５６", "12345²"]
)
def test_anything_else_is_not(typed: str) -> None:
    assert not is_app_code(plain_code(typed))
