"""The therapist's hand on one person's place."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from funnel.db.mail import Enrolment, StepSkip
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import InvalidInput, NotFound
from funnel.domain.ports import Outcome
from funnel.domain.sequence import Fact
from funnel.services import steering
from funnel.services.facts import record_fact
from funnel.services.steering import Steered
from tests.support import make
from tests.support.editing import mail_source, publish, sequence_source
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


def happens(house: House, fact: Fact) -> None:
    with house.rt.sessions.begin() as session:
        record_fact(session, session.merge(make.person(house)), fact, now=house.clock.now())


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


@pytest.mark.parametrize("then", ["skip", "move", "pause", "take out", "leave"])
def test_what_was_asked_for_one_mail_makes_no_other_leave_early(
    each_house: House, then: str
) -> None:
    house = each_house
    make.confirmed(house)
    house.clock.move_to(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    send_now(house, "one-technique")
    match then:
        case "skip":
            skip(house, "one-technique")
        case "move":
            move(house, "two-paths")
        case "pause":
            pause(house)
            house.clock.advance(5 * DAY)
            resume(house)
        case "take out":
            publish(house, ("sequence", "nurture", sequence_source("nurture", "why-hips: 2 days")))
        case _:
            make.unsubscribed(house)
            house.clock.advance(30 * DAY)
            make.request(house)
            make.confirm(house)
    house.work()
    assert sent(house) == []


def test_the_mail_shown_as_next_is_sent_or_skipped_though_another_one_lies_before_it(
    house: House,
) -> None:
    steps = ["one-technique: 1 day", "why-hips: 1 day", "desk-reset: 1 day"]
    source = sequence_source("nurture", *steps)
    not_for_her = "1 day\n    skip_if: [downloaded]\n"
    publish(house, ("sequence", "nurture", source.replace("1 day\n", not_for_her, 1)))
    make.confirmed(house)
    happens(house, Fact.DOWNLOADED)
    skip(house, "why-hips")
    told = {"one-technique": "Skipped: they opened the guide.", "why-hips": "Skipped by Dr Reyes."}
    assert skipped(house) == told
    send_now(house, "desk-reset")
    house.work()
    assert sent(house) == ["desk-reset"]


def test_a_mail_that_is_owed_can_be_skipped_though_it_was_passed_over_before(house: House) -> None:
    before = sequence_source("nurture", "why-hips: 0 minutes", "one-technique: 0 minutes")
    unfit = before.replace("after: 0 minutes", "after: 0 minutes\n    skip_if: [downloaded]")
    publish(house, ("sequence", "nurture", unfit))
    make.request(house)
    house.work()
    make.confirm(house)
    happens(house, Fact.DOWNLOADED)
    house.work()
    publish(house, ("sequence", "nurture", sequence_source("nurture", "one-technique: 1 day")))
    publish(house, ("sequence", "nurture", before), include_past=["nurture/why-hips"])
    skip(house, "why-hips")
    house.hop(2 * DAY)
    assert sent(house) == []
    assert skipped(house)["why-hips"] == "Skipped by Dr Reyes."


def test_a_mail_that_fails_leaves_a_place_paused_that_was_paused_meanwhile(
    each_house: House,
) -> None:
    house = each_house
    drip_due(house)
    house.mailer.script = [Outcome.REFUSED]
    house.mailer.during = lambda: pause(house)
    send(house)
    house.mailer.during = None
    assert place(house).state == EnrolmentState.PAUSED
    assert place(house).why.startswith("Paused, and the mail failed.")
    publish(house, ("mail", DRIP, mail_source("Mended words here")))
    house.hop(2 * DAY)
    assert sent(house) == []
    resume(house)
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
        "one-technique": "Passed over: Dr Reyes moved them on to “Two minutes for people who sit”.",
        "why-hips": "Passed over: Dr Reyes moved them on to “Two minutes for people who sit”.",
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
