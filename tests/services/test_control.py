"""The switches of the sender, and slots of periodic work."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Control, Tick
from funnel.services import control

NOW = datetime(2026, 11, 23, 10, 0, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Sessions = sessionmaker[Session]


def test_mail_goes_until_it_is_stopped_and_again_when_it_may(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert control.sending_state(session) == control.SendingState(is_paused=False)
        control.pause_sending(session, by="Dr Reyes", now=NOW)
    with sessions.begin() as session:
        assert control.sending_state(session) == control.SendingState(True, NOW, "Dr Reyes")
        control.resume_sending(session)
        assert not control.sending_state(session).is_paused


def test_stopping_twice_keeps_who_did_it_first(sessions: Sessions) -> None:
    for name, at in [("Dr Reyes", NOW), ("Somebody", NOW + MINUTE)]:
        with sessions.begin() as session:
            control.pause_sending(session, by=name, now=at)
    with sessions.begin() as session:
        assert control.sending_state(session) == control.SendingState(True, NOW, "Dr Reyes")


def test_writing_the_first_value_in_many_places_at_once_works(sessions: Sessions) -> None:
    def write(number: int) -> None:
        with sessions.begin() as session:
            control.write(session, "key", {"number": number})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(Control)) == 1
        assert control.read(session, "key")["number"] in range(16)


def test_an_unknown_switch_is_empty(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert control.read(session, "nothing") == {}
        assert control.last_tick(session) is None


def test_each_slot_is_taken_once_by_whoever_comes_first(sessions: Sessions) -> None:
    def take(number: int) -> bool:
        with sessions.begin() as session:
            return control.take_slot(
                session, "sweep", every=MINUTE, now=NOW + timedelta(seconds=number)
            )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(take, range(40)))
    assert answers.count(True) == 1
    with sessions.begin() as session:
        assert control.take_slot(session, "sweep", every=MINUTE, now=NOW + MINUTE)
        assert control.take_slot(session, "tidy", every=MINUTE, now=NOW)


def test_slots_older_than_a_day_are_forgotten(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for at in (NOW - timedelta(days=2), NOW):
            control.take_slot(session, "sweep", every=MINUTE, now=at)
        control.forget_old_slots(session, now=NOW)
        assert session.scalar(select(func.count()).select_from(Tick)) == 1


def test_the_last_tick_is_remembered(sessions: Sessions) -> None:
    for at in (NOW, NOW + MINUTE):
        with sessions.begin() as session:
            control.record_tick(session, now=at)
    with sessions.begin() as session:
        assert control.last_tick(session) == NOW + MINUTE


def test_periodic_work_goes_on_when_the_clock_is_put_back_by_an_hour(sessions: Sessions) -> None:
    every = timedelta(seconds=5)

    def taken(minutes: int) -> int:
        with sessions.begin() as session:
            return sum(
                control.take_slot(session, "sweep", every=every, now=NOW + number * every)
                for number in range(minutes * 12)
            )

    assert taken(60) == 60 * 12
    assert taken(10) >= 8 * 12
