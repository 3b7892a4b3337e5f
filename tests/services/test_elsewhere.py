"""Mail to an address that is not, or no longer, a person's own, and mail to strangers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel.db.mail import Message
from funnel.db.people import Subscriber, Suppression
from funnel.domain.delivery import MessageState
from funnel.domain.people import PersonState, fingerprint
from funnel.domain.ports import Outcome
from funnel.services import control, mail_events, restored
from tests.support import make
from tests.support.house import House, PowerCut
from tests.support.steps import DRIP, drip_due, raise_it, send, sender_of, sweep

DAY = timedelta(days=1)
OLD, NEW, CLEO = "ada@example.org", "ada@new.example.org", "cleo@example.org"
GAP = timedelta(minutes=1)


def tell(house: House, message: Message, event: str, email: str, less: str = "") -> None:
    body: dict[str, object] = {
        "event": event,
        "sg_event_id": f"{event}-{message.id.hex}",
        "sg_message_id": f"{message.provider_id}.filter0001.0",
        "smtp-id": f"<{message.id}@practice.example>",
        "send_id": str(message.id),
        "email": email,
        "timestamp": 1795000000,
    }
    body = {key: value for key, value in body.items() if key not in less.split()}
    with house.rt.sessions.begin() as session:
        mail_events.take_events(session, [body], now=house.clock.now())
    with house.rt.sessions.begin() as session:
        mail_events.handle_events(session, links=house.rt.links, clock=house.clock)


def reasons(house: House, email: str) -> set[str]:
    mark = fingerprint(email, house.rt.links.pepper)
    with house.rt.reading.begin() as session:
        query = select(Suppression.reason).where(Suppression.address_hash == mark)
        return set(session.scalars(query))


def mail(house: House, key: str) -> Message:
    with house.rt.reading.begin() as session:
        return session.scalars(select(Message).where(Message.mail_key == key)).one()


def asked_to_move(house: House) -> Message:
    """Ada asked for another address, and the mail to it has gone."""
    make.confirmed(house)
    make.ask_to_move(house, NEW)
    house.work()
    return mail(house, "service/confirm_change")


# --- what the provider tells --------------------------------------------------------------------


@pytest.mark.parametrize("event", ["bounce", "spamreport", "unsubscribe"])
def test_bad_news_of_the_new_address_is_not_about_the_person(each_house: House, event: str) -> None:
    house = each_house
    message = asked_to_move(house)
    tell(house, message, event, NEW)
    assert make.person(house).state == PersonState.CONFIRMED
    assert [row.purpose for row in make.person(house).consents] == ["series"]
    assert len(reasons(house, NEW)) == 1
    assert reasons(house, OLD) == set()


def test_bad_news_of_the_new_address_is_about_whoever_has_it(house: House) -> None:
    message = asked_to_move(house)
    make.confirmed(house, NEW, name="Ben")
    tell(house, message, "spamreport", NEW)
    assert make.person(house, NEW).state == PersonState.COMPLAINED
    assert make.person(house).state == PersonState.CONFIRMED


def test_an_event_that_carries_only_the_providers_id_finds_it_by_its_own_address(
    house: House,
) -> None:
    message = asked_to_move(house)
    tell(house, message, "delivered", NEW, less="send_id smtp-id")
    assert mail(house, "service/confirm_change").delivery == "delivered"
    other = mail(house, "service/guide_ready")
    tell(house, other, "delivered", NEW, less="send_id smtp-id")
    assert mail(house, "service/guide_ready").delivery is None


def test_a_bounce_at_the_old_address_does_not_stop_the_mail_to_the_new(house: House) -> None:
    drip_due(house)
    send(house)
    make.move(house, NEW)
    tell(house, make.message(house, DRIP, NEW), "bounce", OLD)
    assert make.person(house, NEW).state == PersonState.CONFIRMED
    assert (reasons(house, OLD), reasons(house, NEW)) == ({"bounced"}, set())


@pytest.mark.parametrize("event", ["spamreport", "unsubscribe"])
def test_who_reports_from_the_old_mailbox_is_meant_wherever_they_are(
    house: House, event: str
) -> None:
    drip_due(house)
    send(house)
    make.move(house, NEW)
    tell(house, make.message(house, DRIP, NEW), event, OLD)
    assert make.person(house, NEW).consents == []
    assert len(reasons(house, OLD)) == len(reasons(house, NEW)) == 1


# --- what the answer to a call tells ------------------------------------------------------------


def test_a_new_address_that_does_not_exist_is_left_alone_and_the_person_is_not(
    each_house: House,
) -> None:
    house = each_house
    make.confirmed(house)
    house.mailer.script = [Outcome.ADDRESS_REFUSED]
    make.ask_to_move(house, NEW)
    house.work()
    assert reasons(house, NEW) == {"bounced"}
    assert make.person(house).state == PersonState.CONFIRMED
    assert mail(house, "service/confirm_change").state == MessageState.FAILED


def test_an_address_refused_after_its_owner_moved_is_only_the_old_one(house: House) -> None:
    drip_due(house)
    house.mailer.during = lambda: make.move(house, NEW)
    house.mailer.script = [Outcome.ADDRESS_REFUSED]
    send(house)
    house.mailer.during = None
    assert make.person(house, NEW).state == PersonState.CONFIRMED
    assert (reasons(house, OLD), reasons(house, NEW)) == ({"bounced"}, set())


# --- strangers ----------------------------------------------------------------------------------


def test_a_stranger_gets_an_answer_without_becoming_a_person(each_house: House) -> None:
    house = each_house
    make.complain(house)
    house.work()
    (answer,) = house.mailer.to(CLEO)
    assert answer.subject == "I have received your complaint"
    assert "what you sent us on 23 November 2026" in answer.text
    assert answer.list_unsubscribe_url is None
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Subscriber)).all() == []


def test_mail_to_a_stranger_survives_a_crash_at_every_step(each_house: House) -> None:
    house = each_house
    make.complain(house)
    with pytest.raises(PowerCut):
        sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
    house.clock.advance(GAP)
    assert sweep(house) == 1
    house.mailer.script = [PowerCut()]
    with pytest.raises(PowerCut):
        send(house)
    house.clock.advance(3 * GAP)
    assert sweep(house) == 1
    assert mail(house, "service/complaint_received").state == MessageState.UNKNOWN
    house.hop(timedelta(hours=1))
    assert mail(house, "service/complaint_received").state == MessageState.ACCEPTED


@pytest.mark.parametrize(("event", "goes"), [("bounce", False), ("spamreport", True)])
def test_a_receipt_goes_to_whoever_reported_us_but_not_where_nothing_arrives(
    house: House, event: str, goes: bool
) -> None:
    make.complain(house)
    house.work()
    tell(house, mail(house, "service/complaint_received"), event, CLEO)
    assert len(reasons(house, CLEO)) == 1
    house.clock.advance(2 * DAY)
    make.complain(house)
    house.work()
    assert len(house.mailer.to(CLEO)) == (2 if goes else 1)


def test_all_mail_stopped_holds_mail_to_strangers_as_well(house: House) -> None:
    make.complain(house)
    with house.rt.sessions.begin() as session:
        control.pause_sending(session, by="Dr Reyes", now=house.clock.now())
    house.hop(timedelta(hours=1))
    assert house.mailer.offered == []
    with house.rt.sessions.begin() as session:
        control.resume_sending(session)
    house.work()
    assert len(house.mailer.to(CLEO)) == 1


def test_a_restored_database_holds_mail_to_strangers_as_well(each_house: House) -> None:
    house = each_house
    make.complain(house)
    gap = restored.Gap(False, house.clock.now() - DAY, house.clock.now() + DAY)
    with house.rt.sessions.begin() as session:
        restored.stand_still(session, gap, clock=house.clock)
    assert mail(house, "service/complaint_received").state == MessageState.UNKNOWN
