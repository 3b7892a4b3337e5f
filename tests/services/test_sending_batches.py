"""A batch: how few statements it takes, and what its mails mean for each other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from funnel.db.mail import Enrolment, Message
from funnel.domain.breaker import PROBE_EVERY
from funnel.domain.delivery import MessageState, Patience
from funnel.domain.ports import MailClass, Outcome
from funnel.services import control, sequence_pause
from funnel.services.claiming import SUSPECT_AFTER
from funnel.services.letters import Draft
from tests.support import make
from tests.support.house import FakeMailer, House, PowerCut
from tests.support.steps import (
    CONFIRM,
    DRIP,
    advance,
    drip_due,
    raise_it,
    send,
    sender_of,
    state_of,
    sweep,
)


def count_statements(house: House, act: Callable[[], object]) -> int:
    seen: list[object] = []

    def note(*_: object) -> None:
        seen.append(None)

    event.listen(house.rt.engine, "before_cursor_execute", note)
    act()
    event.remove(house.rt.engine, "before_cursor_execute", note)
    return len(seen)


def test_a_large_batch_takes_as_many_statements_as_a_small_one(each_house: House) -> None:
    house = each_house
    taken = []
    for size in (2, 18):
        for number in range(size):
            make.request(house, f"person{size}-{number}@example.org")
        taken.append(count_statements(house, lambda: send(house)))
    assert len(house.mailer.accepted) == 20
    assert taken[0] == taken[1] < 30


def test_two_series_mails_to_one_person_do_not_leave_together(each_house: House) -> None:
    """Neither has gone when they are asked about: the first to go holds the second."""
    house = each_house
    drip_due(house)
    now = house.clock.now()
    with house.rt.sessions.begin() as session:
        first = session.scalars(select(Message).where(Message.mail_key == DRIP)).one()
        second = Enrolment(
            subscriber_id=first.subscriber_id,
            sequence_key="nurture",
            round=2,
            started_at=now,
            anchor_at=now,
            why="By hand.",
        )
        session.add(second)
        session.flush()
        columns = {column.name: getattr(first, column.name) for column in Message.__table__.columns}
        other = {"id": make.person(house).public_id, "enrolment_id": second.id, "dedupe_key": "x"}
        session.add(Message(**columns | other))
    send(house)
    assert len(house.mailer.offered) == 1
    states = [each.state for each in make.messages(house) if each.mail_key == DRIP]
    assert sorted(states) == [MessageState.ACCEPTED, MessageState.SCHEDULED]


def change_words_away(house: House) -> None:
    """The step is no longer in the sequence."""
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).where(Message.mail_key == DRIP).values(step_key="gone"))


def pause_sequence(house: House) -> None:
    with house.rt.sessions.begin() as session:
        sequence_pause.stop(session, "nurture", by="Dr Reyes", now=house.clock.now())


@pytest.mark.parametrize(
    ("happening", "word"), [(change_words_away, "taken out"), (pause_sequence, "paused")]
)
def test_what_becomes_of_its_sequence_stops_a_claimed_mail(
    house: House, happening: Callable[[House], None], word: str
) -> None:
    drip_due(house)
    sender_of(house, lambda _: happening(house)).send_batch()
    assert not house.mailer.offered
    message = make.message(house, DRIP)
    assert message.state == MessageState.CANCELLED
    assert word in message.why


def test_a_stop_of_the_series_holds_series_mail_and_nothing_else(house: House) -> None:
    drip_due(house)
    make.request(house, "ben@example.org")

    def stop(_: Draft) -> None:
        with house.rt.sessions.begin() as session:
            control.pause_sending(
                session, by="Dr Reyes", now=house.clock.now(), mode=control.StopMode.SERIES
            )

    sender_of(house, stop).send_batch()
    assert [email.mail_class for email in house.mailer.offered] == [MailClass.CONFIRM]
    assert state_of(house, DRIP) == MessageState.SCHEDULED
    assert send(house) == 0


def test_a_mail_the_therapist_sends_now_waits_for_no_hour(house: House) -> None:
    drip_due(house)
    house.clock.advance(timedelta(hours=14))
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(is_hurried=True))
    send(house)
    assert state_of(house, DRIP) == MessageState.ACCEPTED


def test_a_letter_that_stops_workers_again_and_again_goes_alone(house: House) -> None:
    make.request(house)
    for _ in range(2):
        with pytest.raises(PowerCut):
            sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
        house.clock.advance(Patience().lease)
        sweep(house)
        house.clock.move_to(max(house.clock.now(), make.message(house, CONFIRM).not_before))
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(not_before=house.clock.now() + timedelta(seconds=1)))
    for name in ("ben", "cleo"):
        make.request(house, f"{name}@example.org")
    house.clock.advance(timedelta(seconds=1))
    written: list[str] = []
    sender = sender_of(house, lambda draft: written.append(draft.to_address))
    assert sender.send_batch() == 2
    assert "ada@example.org" not in written, "the others go without it"
    assert sender.send_batch() == 1
    assert state_of(house, CONFIRM) == MessageState.ACCEPTED


def test_a_confirm_mail_that_stopped_workers_goes_alone_before_any_series_mail(
    house: House,
) -> None:
    drip_due(house)
    make.request(house, "ben@example.org")
    with house.rt.sessions.begin() as session:
        session.execute(
            update(Message).where(Message.mail_key == CONFIRM).values(lost_claims=SUSPECT_AFTER)
        )
    written: list[str] = []
    sender = sender_of(house, lambda draft: written.append(draft.to_address))
    assert [sender.send_batch() for _ in range(2)] == [1, 1]
    assert written == ["ben@example.org", "ada@example.org"]


def test_of_many_workers_one_takes_the_probe(each_house: House) -> None:
    house = each_house
    for number in range(6):
        make.request(house, f"person{number}@example.org")
    house.mailer.script = [Outcome.ACCOUNT_REFUSED] * 6
    send(house)
    house.clock.advance(PROBE_EVERY + timedelta(hours=1))
    tried = len(house.mailer.offered)
    claimed = [
        replace(house.rt.worker.sender, worker=f"worker {number}", mailer=hurrying(house))
        for number in range(3)
    ]
    assert sum(sender.send_batch() for sender in claimed) == 1
    assert len(house.mailer.offered) == tried + 1


def hurrying(house: House) -> FakeMailer:
    """A mailer that leaves the provider in trouble."""
    return FakeMailer(offered=house.mailer.offered, script=[Outcome.AMBIGUOUS])


def test_a_mail_that_cannot_be_checked_stops_alone(house: House) -> None:
    for name in ("ada", "ben"):
        make.request(house, f"{name}@example.org")

    def spoil(_: Draft) -> None:
        with house.rt.sessions.begin() as session:
            mine = Message.subscriber_id == make.person(house).id
            session.execute(update(Message).where(mine).values(purpose="nonsense"))

    sender_of(house, spoil).send_batch()
    assert [email.to_address for email in house.mailer.accepted] == ["ben@example.org"]
    assert state_of(house, CONFIRM) == MessageState.FAILED


def test_a_held_mail_is_decided_anew_by_its_series_afterwards(house: House) -> None:
    drip_due(house)
    pause_sequence(house)
    send(house)
    advance(house)
    assert make.message(house, DRIP).state == MessageState.CANCELLED
    with house.rt.sessions.begin() as session:
        sequence_pause.go(session, "nurture")
        session.execute(update(Enrolment).values(next_due_at=house.clock.now()))
    house.work()
    assert make.message(house, DRIP).state == MessageState.ACCEPTED
