"""The therapist's hand on one person's place."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from funnel.db.mail import Enrolment, StepSkip
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import InvalidInput, NotFound
from funnel.services import steering
from funnel.services.steering import Steered
from tests.support import make
from tests.support.house import House
from tests.support.steps import DRIP, drip_due, send, state_of

DAY = timedelta(days=1)
REYES = "Dr Reyes"


def place(house: House) -> Enrolment:
    return make.enrolment(house, "nurture")


def sent(house: House) -> list[str]:
    return [
        message.mail_key.removeprefix("nurture/")
        for message in make.messages(house)
        if message.state == MessageState.ACCEPTED and message.mail_key.startswith("nurture/")
    ]


def skipped(house: House) -> dict[str, str]:
    with house.rt.reading.begin() as session:
        return {row.step_key: row.why for row in session.scalars(select(StepSkip))}


def pause(house: House) -> Steered:
    with house.rt.sessions.begin() as session:
        return steering.pause(session, place(house).id, by=REYES, now=house.clock.now())


def resume(house: House) -> Steered:
    with house.rt.sessions.begin() as session:
        return steering.resume(session, place(house).id, by=REYES, now=house.clock.now())


def _with_step(house: House, act: str, step: str) -> Steered:
    with house.rt.sessions.begin() as session:
        found: Steered = getattr(steering, act)(
            session,
            place(house).id,
            step,
            engine=house.rt.sequences,
            by=REYES,
            now=house.clock.now(),
        )
        return found


def skip(house: House, step: str) -> Steered:
    return _with_step(house, "skip_next", step)


def send_now(house: House, step: str) -> Steered:
    return _with_step(house, "send_now", step)


def move(house: House, step: str) -> Steered:
    return _with_step(house, "move_to", step)


def test_pausing_cancels_the_mail_that_waits_and_resuming_sends_it_after_all(
    each_house: House,
) -> None:
    house = each_house
    drip_due(house)
    pause(house)
    again = pause(house)
    assert again.sentence == "Paused “The follow-up series” for one person."
    assert state_of(house, DRIP) == MessageState.CANCELLED
    house.hop(5 * DAY)
    assert (place(house).state, place(house).why) == (EnrolmentState.PAUSED, "Paused by Dr Reyes.")
    assert sent(house) == []
    resume(house)
    resume(house)
    house.hop(3 * DAY)
    assert sent(house) == ["one-technique", "why-hips"]


def test_skipping_pressed_twice_skips_one_mail_and_says_who_did_it(house: House) -> None:
    make.confirmed(house)
    skip(house, "one-technique")
    skip(house, "one-technique")
    assert skipped(house) == {"one-technique": "Skipped by Dr Reyes."}
    house.hop(5 * DAY)
    assert sent(house)[0] == "why-hips"


def test_a_mail_that_waits_in_the_outbox_can_still_be_skipped(house: House) -> None:
    drip_due(house)
    skip(house, "one-technique")
    assert state_of(house, DRIP) == MessageState.CANCELLED
    house.hop(3 * DAY)
    assert sent(house) == ["why-hips"]


def test_only_the_mail_that_is_shown_as_next_is_skipped(house: House) -> None:
    make.confirmed(house)
    with pytest.raises(InvalidInput, match="another mail comes next"):
        skip(house, "why-hips")
    assert place(house).last_step is None


def test_send_now_waits_for_no_hour_and_counts_once(house: House) -> None:
    make.confirmed(house)
    house.clock.move_to(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    send_now(house, "one-technique")
    send_now(house, "one-technique")
    house.work()
    assert sent(house) == ["one-technique"]
    assert house.mailer.accepted[-1].created_at == house.clock.now()
    assert not place(house).send_now
    send_now(house, "one-technique")
    house.hop(DAY)
    assert sent(house) == ["one-technique"]


def test_send_now_never_passes_a_withdrawn_consent(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    with pytest.raises(InvalidInput, match="over for them"):
        send_now(house, "one-technique")


def test_moving_on_names_the_mails_that_are_jumped(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    move(house, "desk-reset")
    move(house, "desk-reset")
    assert skipped(house) == {
        "one-technique": "Passed over: Dr Reyes moved them on to 'desk-reset'.",
        "why-hips": "Passed over: Dr Reyes moved them on to 'desk-reset'.",
    }
    house.hop(5 * DAY)
    assert sent(house) == ["desk-reset", "wake-up"]
    assert place(house).onto is None


def test_moving_back_brings_a_skipped_mail_and_never_one_that_went(house: House) -> None:
    make.confirmed(house)
    house.hop(DAY)
    skip(house, "why-hips")
    with pytest.raises(InvalidInput, match="no mail goes twice"):
        move(house, "one-technique")
    move(house, "why-hips")
    assert skipped(house) == {}
    house.hop(5 * DAY)
    assert sent(house) == ["one-technique", "why-hips", "desk-reset"]


def test_nobody_is_moved_to_a_step_that_does_not_exist(house: House) -> None:
    make.confirmed(house)
    with pytest.raises(NotFound):
        move(house, "no-such")


def test_a_mail_that_is_just_leaving_cannot_be_taken_back(house: House) -> None:
    drip_due(house)
    refusals: list[str] = []

    def try_to_skip() -> None:
        with pytest.raises(InvalidInput) as refused:
            skip(house, "one-technique")
        refusals.append(str(refused.value))

    house.mailer.during = try_to_skip
    send(house)
    assert refusals == ["A mail is just leaving for them. Please try in a minute."]
    assert sent(house) == ["one-technique"]
