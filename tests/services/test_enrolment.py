"""People moving through sequences."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete, func, select, update

from funnel.db.mail import Enrolment, Message, StepSkip
from funnel.db.people import Consent, FunnelEvent, Subscriber
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import PersonState
from funnel.domain.ports import Outcome
from funnel.domain.sequence import Fact
from funnel.services import enrolment, mail_events
from funnel.services.facts import record_fact
from funnel.services.steering import hurry
from tests.support import make
from tests.support.house import House, PowerCut
from tests.support.steps import (
    DRIP,
    LEASE_OF_A_CALL,
    advance,
    drip_due,
    publish,
    send,
    state_of,
)

DAY = timedelta(days=1)


def sent_keys(house: House) -> list[str]:
    return [
        message.mail_key.removeprefix("nurture/")
        for message in make.messages(house)
        if message.state == MessageState.ACCEPTED and message.mail_key.startswith("nurture/")
    ]


def test_confirming_starts_the_series_and_nothing_leaves_before_its_hour(house: House) -> None:
    make.confirmed(house)
    place = make.enrolment(house, "nurture")
    assert place.state == EnrolmentState.ACTIVE
    assert place.next_due_at == datetime(2026, 11, 24, 8, 10, tzinfo=UTC)
    house.clock.move_to(datetime(2026, 11, 24, 8, 9, tzinfo=UTC))
    house.work()
    assert sent_keys(house) == []


def test_only_the_next_mail_exists(house: House) -> None:
    make.confirmed(house)
    house.hop(6 * DAY)
    open_ones = [m for m in make.messages(house) if m.closed_at is None]
    assert open_ones == []
    assert sent_keys(house) == ["one-technique", "why-hips", "desk-reset"]


def test_advancing_twice_is_harmless(each_house: House) -> None:
    house = each_house
    drip_due(house)
    assert advance(house) == 0
    with house.rt.sessions.begin() as session:
        session.execute(update(Enrolment).values(next_due_at=house.clock.now()))
    advance(house)
    assert Counter(m.mail_key for m in make.messages(house))[DRIP] == 1


def test_advancing_in_many_places_at_once_makes_one_mail_each(each_house: House) -> None:
    house = each_house
    for number in range(12):
        make.confirmed(house, f"person{number}@example.org")
    house.clock.move_to(datetime(2026, 11, 24, 8, 10, tzinfo=UTC))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: advance(house), range(12)))
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(Message.mail_key == DRIP)
        assert session.scalar(query) == 12


def test_an_outage_slides_the_rest_and_never_bursts(house: House) -> None:
    make.confirmed(house)
    house.hop(2 * DAY)
    house.clock.advance(30 * DAY)  # nobody works
    house.hop(12 * DAY)
    times = [email.created_at for email in house.mailer.accepted][2:]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= timedelta(hours=20)
    assert gaps[0] > 30 * DAY - timedelta(hours=12)
    assert all(gap == 2 * DAY for gap in gaps[2:])


def test_a_goal_cancels_the_mail_that_is_already_scheduled(each_house: House) -> None:
    house = each_house
    drip_due(house)
    with house.rt.sessions.begin() as session:
        person = make.person(house)
        record_fact(session, session.merge(person), Fact.PURCHASED, now=house.clock.now())
    message = make.message(house, DRIP)
    assert message.state == MessageState.CANCELLED
    assert message.why == "They bought the programme, so these mails stop."
    house.hop(20 * DAY)
    assert sent_keys(house) == []


def test_a_fact_is_kept_the_first_time_only(house: House) -> None:
    make.confirmed(house)
    first = house.clock.now()
    house.clock.advance(DAY)
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        assert not record_fact(session, person, Fact.CONFIRMED, now=house.clock.now())
        times = session.scalars(
            select(FunnelEvent.occurred_at).where(FunnelEvent.fact == Fact.CONFIRMED)
        ).all()
    assert times == [first]


# --- stopping and starting again ----------------------------------------------------------------


def test_someone_who_comes_back_goes_on_with_the_mail_that_was_cancelled(
    each_house: House,
) -> None:
    house = each_house
    drip_due(house)
    make.unsubscribed(house)
    assert state_of(house, DRIP) == MessageState.CANCELLED
    house.clock.advance(DAY)
    make.choose(house, series=True)
    house.hop(4 * DAY)
    assert sent_keys(house)[:2] == ["one-technique", "why-hips"]


def test_someone_who_left_while_a_mail_was_leaving_does_not_get_it_twice(
    each_house: House,
) -> None:
    house = each_house
    drip_due(house)
    house.mailer.during = lambda: make.unsubscribed(house)
    send(house)
    house.mailer.during = None
    assert state_of(house, DRIP) == MessageState.ACCEPTED
    place = make.enrolment(house, "nurture")
    assert (place.state, place.last_step) == (EnrolmentState.STOPPED, "one-technique")
    house.clock.advance(DAY)
    make.choose(house, series=True)
    house.hop(5 * DAY)
    assert sent_keys(house) == ["one-technique", "why-hips", "desk-reset"]
    assert len(house.mailer.offered) == 3


def test_someone_who_comes_back_while_a_mail_is_in_doubt_goes_on(house: House) -> None:
    drip_due(house)
    house.mailer.script = [PowerCut()]
    with pytest.raises(PowerCut):
        send(house)
    make.unsubscribed(house)
    make.choose(house, series=True)
    house.clock.advance(LEASE_OF_A_CALL)
    house.hop(5 * DAY)
    assert state_of(house, DRIP) == MessageState.UNCONFIRMED
    assert sent_keys(house) == ["why-hips", "desk-reset"]


def test_late_news_of_an_old_mail_does_not_put_the_series_back(house: House) -> None:
    drip_due(house)
    house.mailer.script = [Outcome.AMBIGUOUS]
    house.hop(timedelta(days=2, hours=2))
    assert state_of(house, DRIP) == MessageState.UNCONFIRMED
    before = make.enrolment(house, "nurture")
    assert before.last_step == "why-hips"
    event = {"event": "delivered", "send_id": str(make.message(house, DRIP).id), "sg_event_id": "1"}
    with house.rt.sessions.begin() as session:
        mail_events.take_events(session, [event], now=house.clock.now())
    house.work()
    assert state_of(house, DRIP) == MessageState.ACCEPTED
    after = make.enrolment(house, "nurture")
    assert (after.last_step, after.anchor_at, after.next_due_at) == (
        before.last_step,
        before.anchor_at,
        before.next_due_at,
    )
    house.hop(timedelta(days=3))
    assert make.enrolment(house, "nurture").last_step == "desk-reset"
    assert sent_keys(house) == ["one-technique", "why-hips", "desk-reset"]
    assert len(house.mailer.offered) == 3


def test_a_consent_that_is_gone_stops_the_series_with_a_reason(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        session.execute(delete(Consent))
    house.hop(3 * DAY)
    place = make.enrolment(house, "nurture")
    assert place.state == EnrolmentState.STOPPED
    assert place.why == "They have not agreed to these emails."
    assert sent_keys(house) == []


def test_no_series_mail_goes_to_someone_unconfirmed(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Subscriber).values(state=PersonState.PENDING))
    house.hop(20 * DAY)
    assert sent_keys(house) == []


# --- edited sequences ---------------------------------------------------------------------------

TWO_STEPS = """
key: nurture
title: Short
purpose: series
starts_on: [confirmed]
steps:
  - key: {first}
    after: 1 day
    at: "08:10"
  - key: {second}
    after: 1 day
    at: "08:10"
"""


def test_a_step_without_words_holds_nobody_else_up(house: House) -> None:
    make.confirmed(house)
    publish(house, "sequence", "nurture", TWO_STEPS.format(first="no-such", second="why-hips"))
    make.joined(house, "ben@example.org")
    house.hop(DAY)
    held = make.enrolment(house, "nurture")
    assert held.state == EnrolmentState.ACTIVE
    assert "no mail text 'nurture/no-such'" in held.why
    assert held.next_due_at is not None
    assert held.next_due_at > house.clock.now()
    subjects = [email.subject for email in house.mailer.to("ben@example.org")]
    assert subjects[-1].startswith("Day 2")


def test_steps_in_another_order_never_send_a_mail_twice(house: House) -> None:
    make.confirmed(house)
    house.hop(timedelta(days=3, hours=1))
    assert sent_keys(house) == ["one-technique", "why-hips"]
    turned = TWO_STEPS.format(first="why-hips", second="one-technique")
    publish(house, "sequence", "nurture", turned)
    house.hop(5 * DAY)
    assert make.enrolment(house, "nurture").state == EnrolmentState.FINISHED
    assert Counter(sent_keys(house)) == {"one-technique": 1, "why-hips": 1}


def test_a_sequence_that_is_gone_stops(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Enrolment).values(sequence_key="gone"))
    house.hop(2 * DAY)
    with house.rt.reading.begin() as session:
        place = session.scalars(select(Enrolment)).one()
    assert place.state == EnrolmentState.STOPPED
    assert place.why == "This sequence no longer exists."


def test_a_step_that_is_passed_over_says_why_and_the_next_one_comes(house: House) -> None:
    make.confirmed(house)
    source = TWO_STEPS.format(first="one-technique", second="why-hips").replace(
        'at: "08:10"', 'at: "08:10"\n    skip_if: [requested]', 1
    )
    publish(house, "sequence", "nurture", source)
    house.hop(3 * DAY)
    with house.rt.reading.begin() as session:
        skip = session.scalars(select(StepSkip)).one()
    assert (skip.step_key, skip.why) == ("one-technique", "Skipped: they asked for the guide.")
    assert sent_keys(house) == ["why-hips"]


def test_a_step_whose_time_passed_while_it_waited_is_skipped(house: House) -> None:
    make.confirmed(house)
    source = TWO_STEPS.format(first="one-technique", second="why-hips").replace(
        'at: "08:10"', 'at: "08:10"\n    expires_after: 3 hours', 1
    )
    publish(house, "sequence", "nurture", source)
    house.clock.move_to(datetime(2026, 11, 24, 8, 10, tzinfo=UTC))
    house.mailer.script = [Outcome.NOT_SENT_RETRY] * 3
    house.work()
    house.clock.advance(timedelta(hours=4))
    house.work()
    assert state_of(house, DRIP) == MessageState.SKIPPED
    house.mailer.script = []
    house.hop(2 * DAY)
    assert sent_keys(house) == ["why-hips"]


@pytest.mark.parametrize("asks", ["skip_if: [downloaded]", "only_if: {lacks: [downloaded]}"])
def test_a_mail_that_waits_is_asked_again_whether_it_is_for_them(
    each_house: House, asks: str
) -> None:
    house = each_house
    edit_asking(house, asks)
    drip_due(house)
    happens(house, Fact.DOWNLOADED)
    assert state_of(house, DRIP) == MessageState.CANCELLED
    house.hop(3 * DAY)
    assert sent_keys(house) == ["why-hips"]


def test_a_mail_asked_again_that_is_still_for_them_goes_as_urgently_as_before(
    house: House,
) -> None:
    edit_asking(house, "skip_if: [downloaded], only_if: {lacks: [purchased]}")
    drip_due(house)
    with house.rt.sessions.begin() as session:
        hurry(session, [make.enrolment(house, "nurture").id], now=house.clock.now())
    house.clock.move_to(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    happens(house, Fact.WAITLISTED)
    assert state_of(house, DRIP) == MessageState.CANCELLED, "the next step asks for this fact"
    house.work()
    assert sent_keys(house) == ["one-technique"]


def edit_asking(house: House, asks: str) -> None:
    """A series of two mails that ask for facts, the first of them for these."""
    steps = (
        f'  - {{key: one-technique, after: 1 day, at: "08:10", {asks}}}\n'
        "  - {key: why-hips, after: 1 day, skip_if: [waitlisted]}\n"
    )
    head = "key: nurture\ntitle: Short\npurpose: series\nstarts_on: [confirmed]\nsteps:\n"
    publish(house, "sequence", "nurture", head + steps)


def happens(house: House, fact: Fact) -> None:
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        record_fact(session, person, fact, now=house.clock.now())


def test_the_programme_follows_the_challenge_finished_or_not(house: House) -> None:
    make.joined(house)
    house.hop(7 * DAY)
    assert make.enrolment(house, "challenge").state == EnrolmentState.FINISHED
    assert make.enrolment(house, "programme").state == EnrolmentState.ACTIVE
    assert make.enrolment(house, "nurture").state == EnrolmentState.EXITED


def test_the_programme_follows_only_with_consent_to_the_series(house: House) -> None:
    make.joined(house, series=False)
    house.hop(12 * DAY)
    with house.rt.reading.begin() as session:
        keys = session.scalars(select(Enrolment.sequence_key)).all()
    assert keys == ["challenge"]


def hold_everyone(house: House) -> None:
    """Ada's first series mail is refused, so that her series is held."""
    make.confirmed(house)
    house.mailer.script = [Outcome.REFUSED]
    house.hop(timedelta(days=2))
    assert states(house) == [EnrolmentState.HELD]


def states(house: House) -> list[str]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(Enrolment.state)))


def test_a_held_person_who_is_released_gets_the_mail_that_failed(house: House) -> None:
    hold_everyone(house)
    with house.rt.sessions.begin() as session:
        released = enrolment.release(session, make.person(house).id, now=house.clock.now())
    assert released == 1
    house.work()
    assert sent_keys(house) == ["one-technique"]
    assert states(house) == [EnrolmentState.ACTIVE]


def test_new_words_of_a_mail_release_those_it_held(house: House) -> None:
    hold_everyone(house)
    with house.rt.sessions.begin() as session:
        enrolment.release_all_of(session, "nurture/why-hips", now=house.clock.now())
    assert states(house) == [EnrolmentState.HELD]
    with house.rt.sessions.begin() as session:
        enrolment.release_all_of(session, "nurture/one-technique", now=house.clock.now())
    house.work()
    assert sent_keys(house) == ["one-technique"]
