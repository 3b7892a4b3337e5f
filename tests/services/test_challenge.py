"""The challenge as one person lives it."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from funnel.db.offers import ChallengeEntry
from funnel.db.people import FunnelEvent
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import DayLocked, LinkInvalid
from funnel.domain.people import PersonState, Purpose, SuppressionReason
from funnel.domain.sequence import Fact
from funnel.services import challenge, suppression
from tests.support import make
from tests.support.house import House
from tests.support.steps import DRIP, drip_due

DAY = timedelta(days=1)


def handle(house: House) -> UUID:
    return make.person(house).public_id


def view(house: House) -> challenge.ChallengeView:
    with house.rt.reading.begin() as session:
        return challenge.challenge_view(
            session, handle(house), challenge=house.rt.catalog.challenge, now=house.clock.now()
        )


def mark(house: House, day: int, is_done: bool = True) -> challenge.ChallengeView:
    with house.rt.sessions.begin() as session:
        return challenge.mark_day(
            session,
            handle(house),
            day,
            is_done=is_done,
            challenge=house.rt.catalog.challenge,
            now=house.clock.now(),
        )


def facts(house: House) -> set[str]:
    with house.rt.reading.begin() as session:
        return set(session.scalars(select(FunnelEvent.fact)))


def test_joining_ends_the_invitations_in_the_same_transaction(each_house: House) -> None:
    house = each_house
    drip_due(house)
    make.join(house)
    assert make.message(house, DRIP).state == MessageState.CANCELLED
    nurture = make.enrolment(house, "nurture")
    assert nurture.state == EnrolmentState.EXITED
    assert nurture.why == "They joined the challenge, so these mails stop."
    assert make.enrolment(house, "challenge").state == EnrolmentState.ACTIVE
    assert Purpose.CHALLENGE in {row.purpose for row in make.person(house).consents}


def test_joining_and_everything_with_it_is_all_or_nothing(each_house: House) -> None:
    house = each_house
    drip_due(house)

    def join_and_fail() -> None:
        with house.rt.sessions.begin() as session:
            challenge.join(
                session,
                handle(house),
                make.EVIDENCE,
                links=house.rt.links,
                now=house.clock.now(),
            )
            raise KeyError

    with pytest.raises(KeyError):
        join_and_fail()
    assert make.message(house, DRIP).state == MessageState.SCHEDULED
    assert make.enrolment(house, "nurture").state == EnrolmentState.ACTIVE
    assert Fact.JOINED not in facts(house)


def test_the_first_day_comes_at_once_and_joining_twice_changes_nothing(house: House) -> None:
    make.joined(house)
    make.join(house)
    house.work()
    subjects = [email.subject for email in house.mailer.accepted]
    assert subjects[2:] == ["Day 1: find your starting point"]
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.count()).select_from(ChallengeEntry)) == 1


@pytest.mark.parametrize("reason", [SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED])
def test_a_dead_or_complaining_address_joins_without_mail(
    house: House, reason: SuppressionReason
) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        suppression.suppress_person(
            session,
            session.merge(make.person(house)),
            reason,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    sent = len(house.mailer.offered)
    make.join(house)
    house.hop(6 * DAY)
    assert view(house).is_joined
    assert len(house.mailer.offered) == sent
    assert make.person(house).consents == []


def test_someone_who_unsubscribed_joins_with_a_fresh_consent(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    make.join(house)
    house.work()
    assert make.person(house).state == PersonState.CONFIRMED
    assert [row.purpose for row in make.person(house).consents] == [Purpose.CHALLENGE]
    assert house.mailer.accepted[-1].subject.startswith("Day 1")


def test_a_day_opens_at_local_midnight_and_a_missed_one_can_be_caught_up(house: House) -> None:
    make.joined(house)
    assert [day.number for day in view(house).days if day.is_open] == [1]
    with pytest.raises(DayLocked):
        mark(house, 2)
    house.clock.advance(3 * DAY)
    assert [day.number for day in view(house).days if day.is_open] == [1, 2, 3, 4]
    assert mark(house, 4).today == 1
    assert mark(house, 1).today == 2
    assert view(house).done_count == 2


@pytest.mark.parametrize("day", [0, -1, 6, 99])
def test_there_are_no_other_days(house: House, day: int) -> None:
    make.joined(house)
    house.clock.advance(20 * DAY)
    with pytest.raises(DayLocked):
        mark(house, day)


def test_a_tick_can_be_taken_back_and_ticking_twice_counts_once(house: House) -> None:
    make.joined(house)
    assert mark(house, 1).done_count == mark(house, 1).done_count == 1
    assert mark(house, 1, is_done=False).done_count == 0
    assert mark(house, 1, is_done=False).done_count == 0


def test_finishing_ends_the_challenge_mails_and_opens_the_programme(each_house: House) -> None:
    house = each_house
    make.joined(house)
    house.hop(timedelta(days=3, hours=15))  # past midnight of the fifth day, before its mail
    assert [mark(house, day).is_complete for day in range(1, 6)] == [False] * 4 + [True]
    assert Fact.COMPLETED in facts(house)
    assert make.enrolment(house, "challenge").state == EnrolmentState.EXITED
    assert make.enrolment(house, "programme").state == EnrolmentState.ACTIVE
    house.hop(DAY)
    assert house.mailer.accepted[-1].subject.startswith("Day 4")


def test_finishing_is_kept_when_a_tick_is_taken_back(house: House) -> None:
    make.joined(house)
    house.clock.advance(4 * DAY)
    for day in range(1, 6):
        mark(house, day)
    with house.rt.reading.begin() as session:
        finished = session.scalars(select(ChallengeEntry.completed_at)).one()
    house.clock.advance(DAY)
    assert not mark(house, 3, is_done=False).is_complete
    assert mark(house, 3).is_complete
    with house.rt.reading.begin() as session:
        assert session.scalars(select(ChallengeEntry.completed_at)).one() == finished


def test_nobody_ticks_a_day_before_joining(house: House) -> None:
    make.confirmed(house)
    assert not view(house).is_joined
    with pytest.raises(DayLocked):
        mark(house, 1)


def test_an_unknown_handle_is_no_link(house: House) -> None:
    with pytest.raises(LinkInvalid), house.rt.reading.begin() as session:
        challenge.challenge_view(
            session, uuid4(), challenge=house.rt.catalog.challenge, now=house.clock.now()
        )
