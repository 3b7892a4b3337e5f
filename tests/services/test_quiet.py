"""Pausing, and asking for fewer: one decision, wherever it is asked."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import InvalidInput, LinkInvalid
from funnel.domain.people import PersonState
from funnel.domain.ports import Outcome
from funnel.services import quiet, steering, steering_all, timeline
from funnel.services.timeline import PersonView
from tests.support import make
from tests.support.house import House
from tests.support.make import pause, want_fewer
from tests.support.steps import DRIP, drip_due, send, sender_of

DAY = timedelta(days=1)
WHY = "Held: they paused their emails until 7 December."
BACK = datetime(2026, 12, 7, 0, 0, tzinfo=UTC)
OPENS = datetime(2026, 12, 7, 8, 0, tzinfo=UTC)


def start_again(house: House) -> None:
    with house.rt.sessions.begin() as session:
        quiet.start_again(session, make.person(house).public_id, now=house.clock.now())


def desk(house: House) -> PersonView:
    with house.rt.reading.begin() as session:
        return timeline.person(
            session,
            make.person(house).id,
            offer_keys=(),
            engine=house.rt.sequences,
            now=house.clock.now(),
        )


def subjects(house: House) -> list[str]:
    return [email.subject for email in house.mailer.offered]


# --- the pause ----------------------------------------------------------------------------------


def test_two_quiet_weeks_end_by_themselves_and_the_series_goes_on_where_it_was(
    each_house: House,
) -> None:
    house = each_house
    make.confirmed(house)
    pause(house)
    house.mailer.offered.clear()
    house.hop(BACK - house.clock.now())
    assert subjects(house) == []
    house.hop(2 * DAY)
    assert subjects(house) == ["One small thing to try today"]
    went = make.message(house, DRIP).accepted_at
    assert went is not None
    assert OPENS <= went <= OPENS + timedelta(minutes=30), "strewn as after any hold"
    house.hop(2 * DAY)
    assert len(subjects(house)) == 2, "and never in a burst"


def test_the_desk_foretells_when_it_goes_and_why(house: House) -> None:
    make.confirmed(house)
    house.work()
    pause(house)
    foretold = [_foretold(house)]
    house.clock.advance(2 * DAY)
    house.work()
    foretold += [_foretold(house)]
    assert foretold[0] == foretold[1], "before the engine looked at it, and after"
    house.clock.move_to(foretold[0])
    house.mailer.offered.clear()
    house.work()
    assert len(subjects(house)) == 1, "at the very instant that was foretold"
    assert desk(house).paused_until is None


def _foretold(house: House) -> datetime:
    view = desk(house)
    assert (view.paused_until, view.upcoming[0].why) == (BACK, WHY)
    assert view.upcoming[0].at is not None
    assert OPENS <= view.upcoming[0].at <= OPENS + timedelta(minutes=30)
    return view.upcoming[0].at


def test_a_pause_between_claim_and_handing_over_still_holds_the_mail(each_house: House) -> None:
    house = each_house
    drip_due(house)
    sender_of(house, lambda _: pause(house)).send_batch()
    house.work()
    assert subjects(house) == []
    assert make.enrolment(house, "nurture").state == EnrolmentState.ACTIVE
    house.hop(15 * DAY)
    assert subjects(house)[0] == "One small thing to try today"


def test_a_mail_that_nobody_took_back_is_held_in_the_intent(each_house: House) -> None:
    """Whatever brought it back to the outbox, as an answer that came late."""
    house = each_house
    drip_due(house)
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        person.paused_until = BACK
    assert send(house) == 1
    assert subjects(house) == []
    waiting = make.message(house, DRIP)
    assert (waiting.state, waiting.why) == (MessageState.SCHEDULED, WHY)
    assert OPENS <= waiting.not_before <= OPENS + timedelta(minutes=30)


def test_a_hurried_mail_is_held_by_a_pause_too(house: House) -> None:
    drip_due(house)
    with house.rt.sessions.begin() as session:
        session.merge(make.person(house)).paused_until = BACK
        session.execute(update(Message).values(is_hurried=True))
    send(house)
    assert subjects(house) == []
    assert make.message(house, DRIP).why == WHY


def test_what_was_queued_is_taken_back_and_what_is_leaving_leaves(house: House) -> None:
    drip_due(house)
    house.mailer.during = lambda: pause(house)
    house.mailer.script = [Outcome.NOT_SENT_RETRY]
    send(house)
    house.mailer.during = None
    house.clock.advance(timedelta(minutes=5))
    send(house)
    assert len(subjects(house)) == 1, "tried before the pause, and held after it"
    start_again(house)
    house.work()
    assert len(house.mailer.accepted) == 3, "and it goes when she is back"


def test_a_mail_that_goes_once_more_is_held_and_let_go_as_it_is(house: House) -> None:
    drip_due(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).where(Message.mail_key == DRIP).values(is_resent=True))
    pause(house)
    house.work()
    waiting = make.message(house, DRIP)
    assert (subjects(house), waiting.state) == ([], MessageState.SCHEDULED)
    assert waiting.why == "Held: they paused their emails until 8 December."
    start_again(house)
    house.work()
    assert subjects(house) == ["One small thing to try today"]


def test_starting_again_early_sends_what_waited_at_its_usual_hours(each_house: House) -> None:
    house = each_house
    drip_due(house)
    pause(house)
    assert make.message(house, DRIP).state == MessageState.CANCELLED
    house.hop(4 * DAY)
    assert subjects(house) == []
    start_again(house)
    house.work()
    assert subjects(house) == ["One small thing to try today"], "it is daytime"
    house.hop(2 * DAY)
    assert len(subjects(house)) == 2


def test_started_again_at_night_it_waits_for_the_morning(house: House) -> None:
    drip_due(house)
    pause(house)
    house.clock.move_to(datetime(2026, 11, 25, 23, 0, tzinfo=UTC))
    house.work()
    start_again(house)
    house.work()
    assert subjects(house) == []
    house.hop(timedelta(hours=10))
    assert len(subjects(house)) == 1


def test_a_pause_holds_the_challenge_too_and_its_days_stay_open(house: House) -> None:
    make.joined(house)
    pause(house)
    house.mailer.offered.clear()
    house.hop(10 * DAY)
    assert subjects(house) == []
    house.hop(6 * DAY)
    assert [subject[:5] for subject in subjects(house)] == ["Day 2", "Day 3", "Day 4"]


def test_service_mail_goes_on_in_a_pause(house: House) -> None:
    make.confirmed(house)
    pause(house)
    house.clock.advance(2 * DAY)
    make.ask_again(house)
    house.work()
    assert subjects(house)[-1] == "Your guide is ready"


def test_whoever_joins_the_challenge_has_paused_enough(house: House) -> None:
    make.confirmed(house)
    pause(house)
    make.join(house)
    house.work()
    assert make.person(house).paused_until is None
    assert subjects(house)[-1].startswith("Day 1")


def test_unsubscribing_in_a_pause_works_as_ever_and_ends_it(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    pause(house)
    make.unsubscribed(house)
    person = make.person(house)
    assert (person.state, person.paused_until) == (PersonState.UNSUBSCRIBED, None)
    house.mailer.offered.clear()
    house.hop(30 * DAY)
    assert subjects(house) == []
    make.choose(house, series=True)
    house.hop(2 * DAY)
    assert len(subjects(house)) == 1


def test_pausing_again_counts_from_then_and_never_shortens(house: House) -> None:
    make.confirmed(house)
    pause(house)
    pause(house)
    assert make.person(house).paused_until == BACK
    house.clock.advance(3 * DAY)
    pause(house)
    assert make.person(house).paused_until == BACK + 3 * DAY


def test_starting_again_without_a_pause_changes_nothing(house: House) -> None:
    make.confirmed(house)
    before = make.enrolment(house, "nurture")
    house.clock.advance(timedelta(hours=1))
    start_again(house)
    after = make.enrolment(house, "nurture")
    assert (after.next_due_at, after.why) == (before.next_due_at, before.why)


def test_there_is_nothing_to_hold_for_whoever_gets_no_mail(house: House) -> None:
    make.request(house)
    for state in set(PersonState) - {PersonState.CONFIRMED}:
        with house.rt.sessions.begin() as session:
            session.merge(make.person(house)).state = state
        for act in (pause, start_again, want_fewer):
            with pytest.raises(LinkInvalid):
                act(house)


# --- the therapist's hand -----------------------------------------------------------------------


def test_the_therapist_is_told_that_they_paused_instead_of_sending_now(house: House) -> None:
    make.confirmed(house)
    pause(house)
    with (
        pytest.raises(InvalidInput, match="they paused their emails until 7 December"),
        house.rt.sessions.begin() as session,
    ):
        steering.send_now(
            session,
            make.enrolment(house, "nurture").id,
            "one-technique",
            engine=house.rt.sequences,
            by="Dr Reyes",
            now=house.clock.now(),
        )


def test_sending_to_everybody_leaves_out_who_paused(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    make.confirmed(house, "ben@example.org", name="Ben")
    pause(house)
    house.mailer.offered.clear()
    with house.rt.sessions.begin() as session:
        done = steering_all.send_all_now(
            session, "nurture", "one-technique", by="Dr Reyes", now=house.clock.now()
        )
    house.work()
    assert done.count == 1
    assert [email.to_address for email in house.mailer.offered] == ["ben@example.org"]


def test_a_mail_asked_for_by_hand_before_the_pause_goes_when_it_is_over(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Enrolment).values(send_now="one-technique"))
    pause(house)
    house.mailer.offered.clear()
    house.hop(13 * DAY)
    assert subjects(house) == []
    house.hop(DAY)
    went = make.message(house, DRIP).accepted_at
    assert went is not None
    assert OPENS <= went <= OPENS + timedelta(minutes=30)


# --- fewer --------------------------------------------------------------------------------------


def test_whoever_asks_for_fewer_gets_one_a_week(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    want_fewer(house)
    house.mailer.offered.clear()
    house.hop(23 * DAY)
    assert len(subjects(house)) == 4
    times = sorted(m.accepted_at for m in make.messages(house) if m.enrolment_id and m.accepted_at)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(timedelta(days=7) <= gap < timedelta(days=7, minutes=31) for gap in gaps)
    assert desk(house).upcoming[0].why == "Held: they asked for at most 1 email a week."
    assert desk(house).weekly_cap == 1


def test_the_challenge_is_not_slowed(house: House) -> None:
    make.joined(house)
    want_fewer(house)
    house.hop(5 * DAY)
    assert len([subject for subject in subjects(house) if subject.startswith("Day")]) == 5


def test_taking_it_back_lets_what_waits_go_on(house: House) -> None:
    make.confirmed(house)
    want_fewer(house)
    house.hop(4 * DAY)
    many = len(subjects(house))
    want_fewer(house, is_wanted=False)
    house.work()
    assert len(subjects(house)) == many + 1


def test_a_cap_of_ones_own_is_asked_about_in_the_intent_too(house: House) -> None:
    make.confirmed(house)
    house.hop(DAY)
    house.clock.move_to(datetime(2026, 11, 26, 8, 10, tzinfo=UTC))
    with house.rt.sessions.begin() as session:
        house.rt.sequences.advance_due(session, now=house.clock.now())
        session.merge(make.person(house)).weekly_cap = 1
    house.mailer.offered.clear()
    assert send(house) == 1
    assert subjects(house) == []
    waiting = [each for each in make.messages(house) if each.state == MessageState.SCHEDULED]
    assert [each.why for each in waiting] == ["Held: they asked for at most 1 email a week."]


def test_what_was_queued_before_she_asked_for_fewer_is_held(house: House) -> None:
    make.confirmed(house)
    house.hop(DAY)
    house.clock.move_to(datetime(2026, 11, 26, 8, 10, tzinfo=UTC))
    with house.rt.sessions.begin() as session:
        house.rt.sequences.advance_due(session, now=house.clock.now())
    want_fewer(house)
    house.mailer.offered.clear()
    house.work()
    assert subjects(house) == []
