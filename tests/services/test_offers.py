"""The programme: its waiting list, and what was paid for."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from funnel.db.desk import Staff
from funnel.db.offers import Purchase, WaitlistEntry
from funnel.db.people import FunnelEvent
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.sequence import Fact
from funnel.services import offers
from tests.support import make
from tests.support.house import House
from tests.support.steps import advance

DAY = timedelta(days=1)
OFFER = "programme"
PITCH = "programme/keep-going"


def pitched(house: House) -> None:
    """Ada went through the challenge, and the first mail of the pitch is scheduled."""
    make.joined(house)
    house.hop(4 * DAY)
    while not any(message.mail_key == PITCH for message in make.messages(house)):
        house.clock.advance(timedelta(minutes=10))
        advance(house)


def waitlist(house: House) -> None:
    with house.rt.sessions.begin() as session:
        handle = make.person(house).public_id
        offers.join_waitlist(session, handle, OFFER, now=house.clock.now())


def leave(house: House) -> None:
    with house.rt.sessions.begin() as session:
        handle = make.person(house).public_id
        offers.leave_waitlist(session, handle, OFFER, now=house.clock.now())


def pay(house: House) -> None:
    with house.rt.sessions.begin() as session:
        staff = session.scalars(select(Staff)).first() or Staff(
            email="reyes@example.org",
            email_key="reyes@example.org",
            name="Dr Reyes",
            password_hash="x",
            created_at=house.clock.now(),
        )
        session.add(staff)
        session.flush()
        offers.mark_paid(
            session, make.person(house).id, OFFER, staff_id=staff.id, now=house.clock.now()
        )


def void(house: House) -> None:
    with house.rt.sessions.begin() as session:
        offers.void_purchase(session, make.person(house).id, OFFER, now=house.clock.now())


def stands(house: House) -> offers.OfferView:
    with house.rt.reading.begin() as session:
        return offers.offer_view(session, make.person(house).public_id, OFFER)


@pytest.mark.parametrize("act", [waitlist, pay])
def test_reaching_the_goal_ends_the_pitch_and_cancels_its_scheduled_mail(
    each_house: House, act: object
) -> None:
    house = each_house
    pitched(house)
    assert callable(act)
    act(house)
    assert make.message(house, PITCH).state == MessageState.CANCELLED
    assert make.enrolment(house, "programme").state == EnrolmentState.EXITED
    house.mailer.offered.clear()
    house.hop(20 * DAY)
    assert not [email for email in house.mailer.offered if email.mail_class == "drip"]


def test_the_waiting_list_is_joined_once_and_answered_once(house: House) -> None:
    make.confirmed(house)
    for _ in range(3):
        waitlist(house)
    house.work()
    assert stands(house) == offers.OfferView("Ada", is_waitlisted=True, is_purchased=False)
    keys = [message.mail_key for message in make.messages(house)]
    assert keys.count("service/waitlist_joined") == 1


def test_leaving_and_joining_again_takes_a_place_at_the_end(house: House) -> None:
    make.confirmed(house)
    waitlist(house)
    leave(house)
    leave(house)
    assert not stands(house).is_waitlisted
    house.clock.advance(DAY)
    waitlist(house)
    with house.rt.reading.begin() as session:
        entry = session.scalars(select(WaitlistEntry)).one()
    assert entry.left_at is None
    assert entry.joined_at == house.clock.now()


def test_a_purchase_is_marked_once_taken_back_and_marked_again(house: House) -> None:
    make.confirmed(house)
    pay(house)
    pay(house)
    assert stands(house).is_purchased
    void(house)
    void(house)
    assert not stands(house).is_purchased
    pay(house)
    assert stands(house).is_purchased
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.count()).select_from(Purchase)) == 1
        facts = session.scalars(select(FunnelEvent.fact)).all()
    assert facts.count(Fact.PURCHASED) == 1


def test_a_purchase_taken_back_does_not_start_the_pitch_again(house: House) -> None:
    pitched(house)
    pay(house)
    void(house)
    house.mailer.offered.clear()
    house.hop(20 * DAY)
    assert not house.mailer.offered


def test_a_purchase_makes_no_consent(house: House) -> None:
    make.confirmed(house, series=False)
    pay(house)
    assert make.person(house).consents == []
