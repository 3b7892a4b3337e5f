"""The breaker lets a batch, one probe or nothing through."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.breaker import DOUBTS_TO_OPEN, PROBE_EVERY, Breaker
from funnel.domain.ports import Outcome

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def after(*outcomes: Outcome) -> Breaker:
    breaker = Breaker()
    for outcome in outcomes:
        breaker = breaker.after(outcome, "because", NOW)
    return breaker


def test_a_provider_that_answers_gets_whole_batches() -> None:
    assert after(Outcome.ACCEPTED, Outcome.REFUSED).room(20, NOW) == 20


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
    assert breaker.after(Outcome.ACCEPTED, "well", NOW) == Breaker()


def test_a_busy_provider_says_nothing_of_trouble() -> None:
    assert after(Outcome.NOT_SENT_THROTTLED, Outcome.NOT_SENT_RETRY) == Breaker()


@given(st.lists(st.sampled_from(Outcome), max_size=30), st.integers(1, 1000), st.integers(0, 600))
def test_there_is_always_a_next_probe(outcomes: list[Outcome], size: int, seconds: int) -> None:
    breaker = after(*outcomes)
    assert 0 <= breaker.room(size, NOW + timedelta(seconds=seconds)) <= size
    assert breaker.room(size, NOW + PROBE_EVERY) >= 1
