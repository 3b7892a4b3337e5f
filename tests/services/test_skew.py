"""A worker whose clock is wrong sends nothing, and says so."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.gate import Gate
from funnel.domain.skew import Reading
from funnel.services import control
from funnel.services.skew import ClockWatch
from tests.support.house import FakeMailer
from tests.support.misled_clock import DatedMailer, MisledClock

Sessions = sessionmaker[Session]
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def noted(sessions: Sessions) -> object:
    with sessions.begin() as session:
        return control.read(session, control.SKEW).get("why")


@pytest.mark.parametrize(
    ("ours", "is_off", "why"),
    [
        (NOW, False, "This machine's clock is 0 minutes behind the database's."),
        (NOW + 5 * MINUTE, False, "This machine's clock is 5 minutes ahead of the database's."),
        (NOW + 6 * MINUTE, True, "This machine's clock is 6 minutes ahead of the database's."),
        (NOW - 180 * MINUTE, True, "This machine's clock is 3 hours behind the database's."),
        (NOW - 9000 * MINUTE, True, "This machine's clock is 6 days behind the database's."),
    ],
)
def test_five_minutes_are_put_up_with(ours: datetime, *, is_off: bool, why: str) -> None:
    reading = Reading("the database's", NOW, ours)
    assert (reading.is_off, reading.why) == (is_off, why)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_database_s_clock_is_believed(sessions: Sessions) -> None:
    gate, clock = Gate(), MisledClock(datetime.now(UTC))
    watch = ClockWatch(sessions, clock, FakeMailer(), gate, "here:1")
    watch.look()
    assert gate.passes(0)
    clock.error = -60 * MINUTE
    watch.look()
    assert not gate.passes(0)
    assert noted(sessions) == "This machine's clock is 60 minutes behind the database's."
    clock.error = timedelta(0)
    watch.look()
    assert gate.passes(0)
    assert noted(sessions) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_provider_s_date_is_believed_for_an_hour(sessions: Sessions) -> None:
    gate, mailer, clock = Gate(), DatedMailer(), MisledClock(NOW)
    watch = ClockWatch(sessions, clock, mailer, gate, "here:1")
    mailer.last_date_seen = (NOW - 10 * MINUTE, clock.boot_seconds())
    watch.look()
    assert not gate.passes(0)
    assert noted(sessions) == "This machine's clock is 10 minutes ahead of the provider's."
    clock.advance(61 * MINUTE)
    watch.look()
    assert gate.passes(0), "nothing is sent, so nothing newer is heard: it is tried again"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_clock_that_was_put_right_is_believed_at_once(sessions: Sessions) -> None:
    gate, mailer, clock = Gate(), DatedMailer(), MisledClock(NOW)
    watch = ClockWatch(sessions, clock, mailer, gate, "here:1")
    mailer.last_date_seen = (NOW, clock.boot_seconds())
    watch.look()
    assert not watch.is_off
    clock.error = 10 * MINUTE
    watch.look()
    assert watch.is_off, "it jumped since the provider told its time"
    clock.advance(3 * MINUTE)
    clock.error = timedelta(0)
    watch.look()
    assert not watch.is_off
