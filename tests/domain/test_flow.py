"""How fast mail may flow: no flood in any ten seconds, service mail first, a slow start."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.bucket import Bucket
from funnel.domain.flow import (
    MINUTE,
    WARM_UP_A_DOMAIN,
    WARM_UP_DAYS,
    CatchUp,
    Flow,
    Limits,
    normal_hour,
)
from funnel.domain.ports import MailClass

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
DRIP, CONFIRM = (MailClass.DRIP, "example.org"), (MailClass.CONFIRM, "example.org")


def flow_of(limits: Limits, now: datetime = NOW) -> Flow:
    return Flow(now.date()).at(limits, now)


def take_all(flow: Flow, limits: Limits, now: datetime, wanted: int = 1000) -> tuple[Flow, int]:
    """The flow and the count after a worker took as much series mail as it may."""
    flow = flow.at(limits, now)
    rows = [(MailClass.DRIP, f"{n}.example") for n in range(flow.room(limits, wanted, now).series)]
    flow, waits = flow.admit(limits, rows, now)
    assert not any(waits)
    return flow, len(rows)


@given(
    rate=st.integers(1, 500),
    pauses=st.lists(st.floats(0, 4), min_size=1, max_size=60),
    batch=st.integers(1, 1000),
)
def test_no_ten_seconds_see_more_than_a_fifth_over_the_rate(
    rate: int, pauses: list[float], batch: int
) -> None:
    limits, now, taken = Limits(per_second=rate), NOW, []
    flow = flow_of(limits)
    for pause in pauses:
        now += timedelta(seconds=pause)
        flow = flow.at(limits, now)
        many = flow.room(limits, batch, now).total
        flow, _ = flow.admit(limits, [CONFIRM] * many, now)
        taken.append((now, many))
    for start, _ in taken:
        window = sum(many for at, many in taken if start <= at < start + 10 * SECOND)
        assert window <= 1.2 * rate * 10


@pytest.mark.parametrize("rate", [1, 2, 5, 100])
def test_all_of_the_rate_is_there_for_series_mail_alone(rate: int) -> None:
    limits, sent = Limits(per_second=rate), 0
    flow = flow_of(limits)
    for tenth in range(600):
        flow, many = take_all(flow, limits, NOW + tenth * SECOND / 10)
        sent += many
    assert 59 * rate <= sent <= 62 * rate


def test_a_burst_of_series_mail_leaves_a_share_for_what_people_asked_for() -> None:
    limits = Limits(per_second=10, per_day=1000)
    flow, many = take_all(flow_of(limits), limits, NOW)
    assert many == 16
    assert flow.room(limits, 100, NOW).series == 0
    assert flow.room(limits, 100, NOW).total == 4


def test_the_day_keeps_a_fifth_for_what_people_asked_for() -> None:
    limits = Limits(per_day=100)
    flow, many = take_all(flow_of(limits), limits, NOW)
    assert many == 80
    assert flow.room(limits, 1000, NOW).total == 20
    flow, _ = flow.admit(limits, [CONFIRM] * 20, NOW)
    assert flow.room(limits, 1000, NOW).total == 0
    tomorrow = NOW + timedelta(hours=14)
    assert flow.at(limits, tomorrow).room(limits, 1000, tomorrow).total == 100


@pytest.mark.parametrize(
    ("first", "figure"),
    [
        (date(2026, 11, 24), 50),
        *((date(2026, 11, 23) - timedelta(days=n), day) for n, day in enumerate(WARM_UP_DAYS)),
        (date(2026, 11, 23) - timedelta(days=len(WARM_UP_DAYS)), None),
    ],
)
def test_each_day_of_the_warm_up_takes_more_and_then_it_is_over(
    first: date, figure: int | None
) -> None:
    limits = Limits(warm_up_from=first)
    assert limits.warm_up_figure(NOW.date()) == figure
    flow, many = flow_of(limits), 0
    for part in range(12):
        flow, more = take_all(flow, limits, NOW + part * MINUTE)
        many += more
    assert many == (figure or 12_000)


def test_the_warm_up_never_holds_what_people_asked_for() -> None:
    limits = Limits(warm_up_from=NOW.date())
    flow, _ = take_all(flow_of(limits), limits, NOW)
    assert flow.room(limits, 60, NOW).series == 0
    assert flow.room(limits, 60, NOW).total == 60


def test_one_domain_gets_twenty_a_minute_while_the_name_is_new() -> None:
    limits = Limits(warm_up_from=NOW.date() - timedelta(days=3))
    rows = [(MailClass.DRIP, "gmail.com")] * 25 + [(MailClass.DRIP, "gmx.net")]
    flow, waits = flow_of(limits).admit(limits, rows, NOW)
    assert waits == [timedelta(0)] * 20 + [MINUTE] * 5 + [timedelta(0)]
    assert flow.sent == 21
    later = NOW + 59 * SECOND
    flow, waits = flow.at(limits, later).admit(limits, rows[:1], later)
    assert waits == [SECOND]
    _, waits = flow.at(limits, NOW + MINUTE).admit(limits, rows, NOW + MINUTE)
    assert waits.count(timedelta(0)) == 21


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(0, 30)), max_size=30))
def test_no_minute_sees_more_than_its_share_of_one_domain(steps: list[tuple[float, int]]) -> None:
    limits, now, went = Limits(warm_up_from=NOW.date()), NOW, []
    flow = flow_of(limits)
    for pause, many in steps:
        now += timedelta(seconds=pause)
        flow, waits = flow.at(limits, now).admit(limits, [DRIP] * many, now)
        assert all(timedelta(0) <= wait <= MINUTE for wait in waits)
        went.append((now, waits.count(timedelta(0))))
    for start, _ in went:
        assert sum(many for at, many in went if start <= at < start + MINUTE) <= WARM_UP_A_DOMAIN


@given(per_hour=st.integers(60, 20_000), step=st.integers(1, 900))
def test_catching_up_never_sends_more_in_an_hour(per_hour: int, step: int) -> None:
    limits = Limits(per_second=1000, catches_up=True)
    flow = replace(flow_of(limits), catch_up=CatchUp.begin(per_hour, NOW))
    now, went = NOW, 0
    while now <= NOW + HOUR:
        flow, many = take_all(flow, limits, now, wanted=10_000)
        went, now = went + many, now + step * SECOND
    assert went <= per_hour
    assert flow.room(limits, 50, now).total == 50, "what people asked for is never slowed by it"


def test_a_usual_hour_is_one_that_saw_mail_and_never_too_small() -> None:
    assert normal_hour(sent=14_000, hours=28) == 500
    assert normal_hour(sent=14, hours=14) == 60
    assert normal_hour(sent=0, hours=0) == 60


def test_what_did_not_go_is_given_back_to_the_day_and_not_to_the_burst() -> None:
    limits = Limits(per_second=5, per_day=10)
    flow, many = take_all(flow_of(limits), limits, NOW)
    back = flow.give_back([MailClass.DRIP] * many)
    assert (back.sent, back.sent_series) == (0, 0)
    assert back.bucket == flow.bucket


@pytest.mark.parametrize("back", [59 * MINUTE, timedelta(days=2)])
def test_a_clock_that_was_put_back_neither_floods_nor_stops_the_mail(back: timedelta) -> None:
    empty = Bucket.a_second(5, NOW).take(10, NOW)
    assert empty.at(NOW - back).tokens == 10
    assert empty.take(10, NOW - back).at(NOW - back + SECOND).tokens == 5


def test_two_workers_whose_clocks_are_a_little_apart_get_one_rate() -> None:
    empty = Bucket.a_second(5, NOW).take(10, NOW)
    assert empty.at(NOW - MINUTE).at(NOW).tokens == 0


def test_it_says_when_there_is_more() -> None:
    limits = Limits(per_second=5)
    flow, _ = take_all(flow_of(limits), limits, NOW)
    again = flow.room(limits, 100, NOW).again_in
    assert again == pytest.approx(0.2)
    assert flow_of(limits).room(limits, 5, NOW).again_in is None


def test_another_rate_is_heeded_at_once() -> None:
    flow = flow_of(Limits(per_second=5))
    assert flow.at(Limits(per_second=50), NOW).room(Limits(per_second=50), 1000, NOW).total == 100
    assert flow.at(Limits(), NOW).room(Limits(), 1000, NOW).total == 1000
