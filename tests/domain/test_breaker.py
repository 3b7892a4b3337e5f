"""The breaker lets a batch, one probe or nothing through."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.breaker import (
    ALERT_AFTER,
    DOUBTS_TO_OPEN,
    ERRORS_TO_OPEN,
    LOOKS_BACK,
    PROBE_EVERY,
    Breaker,
)
from funnel.domain.ports import Outcome, SendResult

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def told(outcome: Outcome, status_code: int | None = None) -> SendResult:
    return SendResult(UUID(int=1), outcome, "because", status_code=status_code)


def after(*outcomes: Outcome) -> Breaker:
    breaker = Breaker()
    for outcome in outcomes:
        breaker = breaker.after(told(outcome), NOW)
    return breaker


def test_a_provider_that_answers_gets_whole_batches() -> None:
    assert after(Outcome.ACCEPTED, Outcome.REFUSED).room(200, NOW) == 200


def test_a_refused_account_leaves_one_probe_a_minute() -> None:
    breaker = after(Outcome.ACCOUNT_REFUSED)
    assert breaker.room(20, NOW) == 0
    later = NOW + PROBE_EVERY
    assert breaker.room(20, later) == 1
    assert breaker.probing(later).room(20, later) == 0


def test_unclear_answers_in_a_row_open_it_and_one_clear_answer_closes_it() -> None:
    assert after(*[Outcome.AMBIGUOUS] * (DOUBTS_TO_OPEN - 1)).room(20, NOW) == 1
    breaker = after(*[Outcome.AMBIGUOUS] * DOUBTS_TO_OPEN)
    assert breaker.room(20, NOW) == 0
    assert breaker.after(told(Outcome.ACCEPTED), NOW) == Breaker()


def test_half_of_the_last_twenty_answers_wrong_opens_it() -> None:
    every_other = [Outcome.AMBIGUOUS, Outcome.ACCEPTED] * (ERRORS_TO_OPEN - 1)
    assert not after(*every_other).is_open
    assert after(*every_other, Outcome.AMBIGUOUS).is_open


def test_errors_long_ago_are_forgotten() -> None:
    spaced = [Outcome.AMBIGUOUS, Outcome.ACCEPTED, Outcome.ACCEPTED] * 30
    assert not after(*spaced).is_open
    assert after(*spaced, *[Outcome.ACCEPTED] * LOOKS_BACK) == Breaker()


def test_after_an_error_batches_stay_small_until_twenty_answers_were_clear() -> None:
    breaker = after(Outcome.AMBIGUOUS, *[Outcome.ACCEPTED] * (LOOKS_BACK - 1))
    assert breaker.room(500, NOW) == LOOKS_BACK
    assert breaker.after(told(Outcome.ACCEPTED), NOW).room(500, NOW) == 500


def test_a_provider_that_cannot_be_reached_is_in_trouble() -> None:
    assert not after(*[Outcome.NOT_SENT_RETRY] * (ERRORS_TO_OPEN - 1)).is_open
    assert after(*[Outcome.NOT_SENT_RETRY] * ERRORS_TO_OPEN).is_open


@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT_THROTTLED, Outcome.NOT_SENT_RETRY])
def test_a_busy_provider_says_nothing_of_trouble(outcome: Outcome) -> None:
    breaker = Breaker()
    for _ in range(LOOKS_BACK):
        breaker = breaker.after(told(outcome, 451), NOW)
    assert breaker == Breaker()


def test_help_is_called_when_it_has_been_open_for_a_quarter_of_an_hour() -> None:
    breaker = after(Outcome.ACCOUNT_REFUSED)
    for minutes in range(1, 16):
        breaker = breaker.after(told(Outcome.ACCOUNT_REFUSED), NOW + timedelta(minutes=minutes))
    assert not breaker.needs_help(NOW + ALERT_AFTER)
    assert breaker.needs_help(NOW + ALERT_AFTER + timedelta(seconds=1))
    assert not Breaker().needs_help(NOW)


@given(st.lists(st.sampled_from(Outcome), max_size=30), st.integers(1, 1000), st.integers(0, 600))
def test_there_is_always_a_next_probe(outcomes: list[Outcome], size: int, seconds: int) -> None:
    breaker = after(*outcomes)
    assert 0 <= breaker.room(size, NOW + timedelta(seconds=seconds)) <= size
    assert breaker.room(size, NOW + PROBE_EVERY) >= 1


def test_a_clock_that_jumped_ahead_and_came_back_does_not_put_the_probe_off_for_days() -> None:
    breaker = Breaker().after(told(Outcome.ACCOUNT_REFUSED), NOW + timedelta(days=30))
    assert breaker.room(20, NOW) == 1
    again = breaker.after(told(Outcome.ACCOUNT_REFUSED), NOW)
    assert again.room(20, NOW) == 0
    assert again.needs_help(NOW + ALERT_AFTER + timedelta(seconds=1))


def test_a_probe_that_asked_nothing_lets_the_next_one_go_at_once() -> None:
    probing = after(Outcome.ACCOUNT_REFUSED).probing(NOW)
    assert probing.room(20, NOW) == 0
    assert probing.unprobed(NOW).room(20, NOW) == 1
    assert Breaker().unprobed(NOW) == Breaker()


def test_what_the_provider_never_saw_does_not_close_it() -> None:
    breaker = after(Outcome.ACCOUNT_REFUSED)
    assert breaker.after(told(Outcome.REFUSED), NOW) == breaker
    assert not breaker.after(told(Outcome.REFUSED, 400), NOW).is_open
