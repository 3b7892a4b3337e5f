"""Everything that is asked once more before a mail leaves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from funnel.db.mail import Enrolment, Message
from funnel.db.people import Consent
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import SuppressionReason
from funnel.domain.ports import MailClass
from funnel.services import control, suppression
from funnel.services.letters import Draft
from tests.support import make
from tests.support.house import House
from tests.support.steps import CONFIRM, DRIP, drip_due, sender_of

# --- what may happen between claim and intent ---------------------------------------------------


def take_consent(house: House) -> None:
    with house.rt.sessions.begin() as session:
        session.execute(delete(Consent))


def suppress(house: House) -> None:
    with house.rt.sessions.begin() as session:
        suppression.suppress_address(
            session,
            "ada@example.org",
            SuppressionReason.COMPLAINED,
            links=house.rt.links,
            now=house.clock.now(),
        )


def pause_enrolment(house: House) -> None:
    with house.rt.sessions.begin() as session:
        session.execute(update(Enrolment).values(state=EnrolmentState.PAUSED, why="By hand."))


@pytest.mark.parametrize(
    "happening", [make.unsubscribed, make.join, take_consent, suppress, pause_enrolment]
)
def test_what_happens_after_the_claim_still_stops_the_mail(
    each_house: House, happening: Callable[[House], None]
) -> None:
    house = each_house
    drip_due(house)
    sender_of(house, lambda _: happening(house)).send_batch()
    assert not house.mailer.offered
    message = make.message(house, DRIP)
    assert message.state == MessageState.CANCELLED
    assert message.why.endswith(".")


def test_a_stop_of_all_mail_after_the_claim_holds_it(each_house: House) -> None:
    house = each_house
    make.request(house)

    def stop(_: Draft) -> None:
        with house.rt.sessions.begin() as session:
            control.pause_sending(session, by="Dr Reyes", now=house.clock.now())

    sender_of(house, stop).send_batch()
    assert not house.mailer.offered
    assert make.message(house, CONFIRM).state == MessageState.SCHEDULED
    house.hop(timedelta(hours=1))
    assert not house.mailer.offered
    with house.rt.sessions.begin() as session:
        control.resume_sending(session)
    house.work()
    assert len(house.mailer.accepted) == 1


def test_a_stop_by_the_environment_claims_nothing(house: House) -> None:
    make.request(house)
    assert replace(house.rt.worker.sender, is_allowed=False).send_batch() == 0
    assert make.message(house, CONFIRM).state == MessageState.SCHEDULED


def test_a_mail_cancelled_by_a_pause_goes_when_the_pause_is_over(house: House) -> None:
    drip_due(house)
    sender_of(house, lambda _: pause_enrolment(house)).send_batch()
    with house.rt.sessions.begin() as session:
        session.execute(update(Enrolment).values(state=EnrolmentState.ACTIVE))
    house.work()
    assert [email.message_id for email in house.mailer.offered] == [make.message(house, DRIP).id]
    assert make.message(house, DRIP).state == MessageState.ACCEPTED


def test_a_service_mail_goes_to_someone_who_unsubscribed_meanwhile(house: House) -> None:
    make.request(house)
    house.work()
    make.confirm(house)
    house.rt.worker.printer.make_next()
    make.unsubscribed(house)
    house.work()
    assert house.mailer.accepted[-1].subject == "Your guide is ready"


# --- hours and gaps hold for retries too --------------------------------------------------------


def goes_at_the_opening(house: House) -> datetime:
    """What was held goes within the house's spread of the opening of the next day: when."""
    opens = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    goes = make.message(house, DRIP).not_before
    assert opens <= goes <= opens + house.rt.sequences.rules((), opens).spread
    return goes


def test_a_series_mail_that_waited_into_the_night_goes_in_the_morning(each_house: House) -> None:
    house = each_house
    drip_due(house)
    with house.rt.sessions.begin() as session:
        control.pause_sending(session, by="Dr Reyes", now=house.clock.now())
    house.clock.move_to(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    with house.rt.sessions.begin() as session:
        control.resume_sending(session)
    house.work()
    assert not house.mailer.offered
    assert make.message(house, DRIP).why == "Held: quiet hours until 08:00."
    house.clock.move_to(datetime(2026, 11, 25, 7, 59, tzinfo=UTC))
    house.work()
    assert not house.mailer.offered
    house.clock.move_to(goes_at_the_opening(house))
    house.work()
    assert len(house.mailer.offered) == 1


def test_a_series_mail_keeps_its_gap_to_one_that_went_meanwhile(each_house: House) -> None:
    house = each_house
    drip_due(house)
    with house.rt.sessions.begin() as session:
        session.execute(
            update(Message)
            .where(Message.mail_key == "service/guide_ready")
            .values(mail_class=MailClass.DRIP, accepted_at=house.clock.now() - timedelta(hours=1))
        )
    house.work()
    assert not house.mailer.offered
    assert goes_at_the_opening(house) > house.clock.now()
