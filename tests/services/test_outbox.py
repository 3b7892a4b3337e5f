"""The outbox: a due mail is a row."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import MessageState
from funnel.domain.people import Purpose
from funnel.domain.ports import MailClass
from funnel.services import outbox
from funnel.services.step_mail import SURELY_NOT_SENT, Queued, StepMail, queue_steps
from tests.support import make
from tests.support.house import House
from tests.support.steps import DRIP, drip_due


def put(house: House, key: str) -> bool:
    with house.rt.sessions.begin() as session:
        return outbox.put_service_mail(
            session,
            make.person(house),
            "guide_ready",
            mail_class=MailClass.DELIVER,
            dedupe_key=key,
            now=house.clock.now(),
        )


def put_step(house: House, key: str = "one-technique") -> Queued:
    with house.rt.sessions.begin() as session:
        enrolment = session.scalars(select(Enrolment)).one()
        mail = StepMail(
            enrolment_id=enrolment.id,
            subscriber_id=enrolment.subscriber_id,
            sequence_key=enrolment.sequence_key,
            step_key=key,
            mail=key,
            purpose=Purpose.SERIES,
            why="It is due.",
        )
        return queue_steps(session, [mail], now=house.clock.now())[enrolment.id]


def put_into(house: House, state: MessageState) -> None:
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).where(Message.mail_key == DRIP).values(state=state))


def test_one_dedupe_key_is_one_mail(each_house: House) -> None:
    house = each_house
    make.request(house)
    assert [put(house, "a"), put(house, "a"), put(house, "b")] == [True, False, True]


def test_a_mail_without_words_is_not_queued(house: House) -> None:
    make.request(house)
    with pytest.raises(LookupError, match="no-such"), house.rt.sessions.begin() as session:
        outbox.put_service_mail(
            session,
            make.person(house),
            "no-such",
            mail_class=MailClass.DELIVER,
            dedupe_key="x",
            now=house.clock.now(),
        )


@pytest.mark.parametrize(
    ("state", "is_open", "after"),
    [
        (MessageState.SCHEDULED, True, MessageState.SCHEDULED),
        (MessageState.CLAIMED, True, MessageState.CLAIMED),
        (MessageState.SENDING, True, MessageState.SENDING),
        (MessageState.UNKNOWN, True, MessageState.UNKNOWN),
        (MessageState.CANCELLED, True, MessageState.SCHEDULED),
        (MessageState.FAILED, True, MessageState.SCHEDULED),
        (MessageState.ACCEPTED, False, MessageState.ACCEPTED),
        (MessageState.UNCONFIRMED, False, MessageState.UNCONFIRMED),
        (MessageState.SKIPPED, True, MessageState.SCHEDULED),
    ],
)
def test_only_a_step_that_surely_did_not_go_is_queued_anew(
    each_house: House, state: MessageState, is_open: bool, after: MessageState
) -> None:
    house = each_house
    drip_due(house)
    before = make.message(house, DRIP)
    put_into(house, state)
    house.clock.advance(timedelta(hours=1))
    assert put_step(house) is (Queued.OPEN if is_open else Queued.WENT)
    message = make.message(house, DRIP)
    assert message.state == after
    assert message.id == before.id
    was_reopened = state in SURELY_NOT_SENT
    assert message.fence == before.fence + was_reopened
    assert (message.due_at == house.clock.now()) is was_reopened


def test_two_open_mails_of_one_series_are_impossible(each_house: House) -> None:
    house = each_house
    drip_due(house)
    assert put_step(house, "why-hips") is Queued.OPEN, "something is on its way already"
    assert [message.mail_key for message in make.messages(house)[2:]] == [DRIP]
    columns = [column.name for column in Message.__table__.columns]
    first = make.message(house, DRIP)
    values = {name: getattr(first, name) for name in columns}
    values |= {"id": make.person(house).public_id, "step_key": "other", "dedupe_key": "other"}
    with pytest.raises(IntegrityError), house.rt.sessions.begin() as session:
        session.add(Message(**values))


def test_cancelling_leaves_alone_what_has_been_started(house: House) -> None:
    drip_due(house)
    for state in (MessageState.SENDING, MessageState.UNKNOWN, MessageState.ACCEPTED):
        put_into(house, state)
        with house.rt.sessions.begin() as session:
            ids = list(session.scalars(select(Enrolment.id)))
            outbox.cancel_waiting(session, ids, why="Stopped.", now=house.clock.now())
        assert make.message(house, DRIP).state == state
