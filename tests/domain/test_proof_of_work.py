"""When visitors are asked for a proof: from a high pressure on, until an hour was quiet."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.proof_of_work import (
    HIGH_MAILS,
    HIGH_REFUSED,
    LOW_MAILS,
    LOW_REFUSED,
    QUIET,
    Alarm,
    Pressure,
    ProofMode,
    is_asked,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
UNDER_ATTACK = Alarm(NOW, NOW, "40 confirm mails were asked for within an hour.")
PRESSURES = st.builds(Pressure, st.integers(0, 100), st.integers(0, 100))


@pytest.mark.parametrize(
    ("pressure", "alarms"),
    [
        (Pressure(), False),
        (Pressure(mails=HIGH_MAILS - 1, refused=HIGH_REFUSED - 1), False),
        (Pressure(mails=HIGH_MAILS), True),
        (Pressure(refused=HIGH_REFUSED), True),
    ],
)
def test_only_a_high_pressure_raises_the_alarm(pressure: Pressure, alarms: bool) -> None:
    after = Alarm().after(pressure, NOW)
    assert after.is_on(NOW) == alarms
    assert (after.since == NOW) == alarms


def test_the_alarm_says_what_brought_it_about() -> None:
    assert Pressure(mails=44).in_words() == "44 confirm mails were asked for within an hour."
    assert "20 connections were turned away" in Pressure(refused=20).in_words()


def test_it_ends_by_itself_after_a_quiet_hour() -> None:
    assert UNDER_ATTACK.is_on(NOW + QUIET - MINUTE)
    assert not UNDER_ATTACK.is_on(NOW + QUIET)


@pytest.mark.parametrize(
    ("pressure", "lasts"),
    [
        (Pressure(mails=LOW_MAILS - 1, refused=LOW_REFUSED - 1), False),
        (Pressure(mails=LOW_MAILS), True),
        (Pressure(refused=LOW_REFUSED), True),
    ],
)
def test_a_pressure_too_low_to_raise_it_can_keep_it_up(pressure: Pressure, lasts: bool) -> None:
    later = NOW + QUIET - MINUTE
    kept = UNDER_ATTACK.after(pressure, later)
    assert kept.is_on(NOW + QUIET) == lasts
    assert kept.since == NOW
    assert kept.why == UNDER_ATTACK.why
    assert not Alarm().after(pressure, later).is_on(later)


def test_an_attack_is_written_down_every_few_minutes_and_not_with_each_form() -> None:
    high = Pressure(mails=HIGH_MAILS)
    assert UNDER_ATTACK.after(high, NOW + 4 * MINUTE) is UNDER_ATTACK
    assert UNDER_ATTACK.after(high, NOW + 5 * MINUTE).loud_at == NOW + 5 * MINUTE


def test_a_clock_that_was_put_back_leaves_no_alarm_for_days() -> None:
    from_the_future = Alarm(NOW + timedelta(days=3), NOW + timedelta(days=3), "?")
    assert not from_the_future.is_on(NOW)


@given(st.lists(st.tuples(st.integers(0, 120), PRESSURES), max_size=30))
def test_whatever_comes_it_is_on_only_within_an_hour_of_pressure(
    story: list[tuple[int, Pressure]],
) -> None:
    alarm, now, pressed_at = Alarm(), NOW, None
    for minutes, pressure in story:
        now += minutes * MINUTE
        alarm = alarm.after(pressure, now)
        pressed_at = pressed_at if pressure.is_low else now
        if alarm.is_on(now):
            assert pressed_at is not None
            assert now - pressed_at < QUIET


@pytest.mark.parametrize("mode", list(ProofMode))
@pytest.mark.parametrize("alarm", [Alarm(), UNDER_ATTACK])
def test_the_therapist_has_the_last_word(mode: ProofMode, alarm: Alarm) -> None:
    expected = {ProofMode.ON: True, ProofMode.OFF: False, ProofMode.AUTO: alarm is UNDER_ATTACK}
    assert is_asked(mode, alarm, NOW) == expected[mode]
