"""The therapist's hand on a whole sequence."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from funnel.db.mail import Enrolment, StepSkip
from funnel.domain.delivery import MessageState
from funnel.domain.sequence import Absence
from funnel.domain.sequence import House as Rules
from funnel.services import sequence_pause, steering_all
from funnel.services.advancing import SequenceEngine
from funnel.services.house_rules import set_absences
from tests.support import make
from tests.support.editing import publish, sequence_source
from tests.support.house import House
from tests.support.locks import while_people_are_locked
from tests.support.steps import DRIP, drip_due, state_of

DAY = timedelta(days=1)
REYES = "Dr Reyes"


def sent_to(house: House, email: str) -> list[str]:
    return [
        message.mail_key.removeprefix("nurture/")
        for message in make.messages(house, email)
        if message.state == MessageState.ACCEPTED and message.mail_key.startswith("nurture/")
    ]


def resume(house: House, engine: SequenceEngine | None = None) -> int:
    with house.rt.sessions.begin() as session:
        engine = engine or house.rt.sequences
        done = steering_all.resume_sequence(
            session, "nurture", engine=engine, now=house.clock.now()
        )
        return done.count


def test_a_paused_sequence_keeps_every_place_and_is_released_spaced_out(
    each_house: House,
) -> None:
    house = each_house
    drip_due(house)
    with house.rt.sessions.begin() as session:
        done = steering_all.pause_sequence(session, "nurture", by=REYES, now=house.clock.now())
    assert (done.count, done.sentence) == (1, "Paused the whole of “The follow-up series”.")
    assert state_of(house, DRIP) == MessageState.CANCELLED
    make.confirmed(house, "ben@example.org")
    house.hop(2 * DAY)
    assert sent_to(house, "ada@example.org") == sent_to(house, "ben@example.org") == []
    assert make.enrolment(house, "nurture").why == sequence_pause.WHY
    spread = SequenceEngine(b"", lambda _away, _now: Rules(spread=timedelta(minutes=30)))
    assert resume(house, spread) == 2
    assert resume(house, spread) == 0
    with house.rt.reading.begin() as session:
        dues = session.scalars(select(Enrolment.next_due_at)).all()
    now = house.clock.now()
    assert sorted(due - now for due in dues if due) == [
        timedelta(minutes=1),
        timedelta(minutes=2),
    ]
    house.hop(timedelta(hours=1))
    assert sent_to(house, "ada@example.org") == sent_to(house, "ben@example.org")
    assert sent_to(house, "ben@example.org") == ["one-technique"]


def test_all_who_stand_before_a_step_are_skipped_sent_or_moved(each_house: House) -> None:
    house = each_house
    for email in ("ada@example.org", "ben@example.org"):
        make.confirmed(house, email)
    house.hop(DAY)
    make.confirmed(house, "cleo@example.org")
    now = house.clock.now()
    with house.rt.sessions.begin() as session:
        assert steering_all.count_before(session, "nurture", "why-hips") == 2
        skip = steering_all.skip_all(session, "nurture", "why-hips", by=REYES, now=now)
        again = steering_all.skip_all(session, "nurture", "why-hips", by=REYES, now=now)
        move = steering_all.move_all(
            session, "nurture", "one-technique", "wake-up", by=REYES, now=now
        )
        hurried = steering_all.send_all_now(session, "nurture", "desk-reset", by=REYES, now=now)
    assert (skip.count, again.count, move.count, hurried.count) == (2, 0, 1, 2)
    assert (
        skip.sentence
        == "Skipped “Why I look somewhere else first” of “The follow-up series” for 2 people."
    )
    house.work()
    assert sent_to(house, "ada@example.org") == ["one-technique", "desk-reset"]
    house.hop(2 * DAY)
    assert sent_to(house, "cleo@example.org") == ["wake-up"]
    with house.rt.reading.begin() as session:
        told = session.scalars(select(StepSkip.why).distinct().order_by(StepSkip.why)).all()
    assert told == [
        "Passed over: Dr Reyes moved them on to “Now for the quiet ones”.",
        "Skipped by Dr Reyes.",
    ]


def test_while_the_practice_is_away_nothing_leaves_and_it_goes_when_it_is_back(
    house: House,
) -> None:
    make.confirmed(house)
    first = house.clock.now().date() + DAY
    with house.rt.sessions.begin() as session:
        set_absences(session, (Absence(first, first + 6 * DAY),), now=house.clock.now())
    house.hop(4 * DAY)
    assert sent_to(house, "ada@example.org") == []
    assert make.enrolment(house, "nurture").why == "Held: the practice is away until 1 December."
    with house.rt.sessions.begin() as session:
        set_absences(session, (), now=house.clock.now())
    house.work()
    assert sent_to(house, "ada@example.org") == ["one-technique"]


def test_a_mail_held_by_an_absence_goes_when_that_is_taken_back(each_house: House) -> None:
    house = each_house
    drip_due(house)
    today = house.clock.now().date()
    with house.rt.sessions.begin() as session:
        set_absences(session, (Absence(today, today + 14 * DAY),), now=house.clock.now())
    house.work()
    assert make.message(house, DRIP).why == "Held: the practice is away until 9 December."
    with house.rt.sessions.begin() as session:
        set_absences(session, (), now=house.clock.now())
    house.work()
    assert state_of(house, DRIP) == MessageState.ACCEPTED


def end_absence(house: House) -> None:
    with house.rt.sessions.begin() as session:
        set_absences(session, (), now=house.clock.now())


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("act", [end_absence, resume])
def test_many_places_are_let_go_with_their_people_taken_first(
    each_house: House, act: Callable[[House], object]
) -> None:
    house = each_house
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        steering_all.pause_sequence(session, "nurture", by=REYES, now=house.clock.now())
    house.clock.advance(2 * DAY)
    house.work()
    assert make.enrolment(house, "nurture").why == sequence_pause.WHY
    _, free = while_people_are_locked(house, act, Enrolment.id)
    assert free == 1


def test_at_once_is_for_none_who_get_another_mail_first(each_house: House) -> None:
    house = each_house
    before, put_in = ["one-technique: 0 minutes", "desk-reset: 30 days"], "why-hips: 0 minutes"
    publish(house, ("sequence", "nurture", sequence_source("nurture", *before)))
    make.confirmed(house)
    house.clock.move_to(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    after = sequence_source("nurture", put_in, *before)
    publish(house, ("sequence", "nurture", after), include_past=["nurture/why-hips"])
    with house.rt.sessions.begin() as session:
        done = steering_all.send_all_now(
            session, "nurture", "desk-reset", by=REYES, now=house.clock.now()
        )
    assert done.count == 0
    house.work()
    assert sent_to(house, "ada@example.org") == ["one-technique"]
    house.hop(DAY)
    assert sent_to(house, "ada@example.org") == ["one-technique", "why-hips"]


def test_what_was_asked_for_all_holds_no_more_once_they_were_skipped_or_paused(
    house: House,
) -> None:
    make.confirmed(house)
    house.clock.move_to(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    now = house.clock.now()
    with house.rt.sessions.begin() as session:
        steering_all.send_all_now(session, "nurture", "one-technique", by=REYES, now=now)
        steering_all.skip_all(session, "nurture", "one-technique", by=REYES, now=now)
        steering_all.send_all_now(session, "nurture", "why-hips", by=REYES, now=now)
        steering_all.pause_sequence(session, "nurture", by=REYES, now=now)
    resume(house)
    house.work()
    assert sent_to(house, "ada@example.org") == []
