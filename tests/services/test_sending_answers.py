"""What becomes of a message after each answer; bad letters; many senders at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, get_ident
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import OperationalError

from funnel.db.mail import Attempt, Enrolment, Message
from funnel.db.people import Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.breaker import DOUBTS_TO_OPEN, PROBE_EVERY
from funnel.domain.delivery import GIVE_UP_AFTER, GIVE_UP_TRIES, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import MailRefused
from funnel.domain.people import PersonState
from funnel.domain.ports import MailClass, Outcome, OutgoingEmail, SendResult
from funnel.services.letters import Draft
from funnel.services.sending import Sender
from funnel.services.work import drain
from tests.support import make
from tests.support.house import FakeMailer, House
from tests.support.steps import (
    CONFIRM,
    DRIP,
    drip_due,
    raise_it,
    send,
    sender_of,
    state_of,
)


def attempts(house: House) -> list[Attempt]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(Attempt).order_by(Attempt.fence)))


def test_an_accepted_mail_keeps_who_took_it_and_when(house: House) -> None:
    make.request(house)
    send(house)
    message = make.message(house, CONFIRM)
    assert message.state == MessageState.ACCEPTED
    assert message.accepted_at == message.closed_at == house.clock.now()
    assert message.provider_id == message.id.hex
    assert message.provider == "fake"
    (attempt,) = attempts(house)
    assert attempt.outcome == Outcome.ACCEPTED
    assert attempt.ended_at is not None


def test_the_intent_is_in_the_database_before_the_provider_is_called(each_house: House) -> None:
    house = each_house
    seen: list[tuple[str, int]] = []

    def look() -> None:
        with house.rt.reading.begin() as session:
            message = session.scalars(select(Message)).one()
            tries = session.scalar(select(func.count()).select_from(Attempt))
            seen.append((message.state, tries or 0))

    make.request(house)
    house.mailer.during = look
    send(house)
    assert seen == [(MessageState.SENDING, 1)]


def test_a_throttled_mail_waits_and_is_not_counted(house: House) -> None:
    make.request(house)
    house.mailer.script = [Outcome.NOT_SENT_THROTTLED, Outcome.ACCOUNT_REFUSED]
    for _ in range(2):
        send(house)
        message = make.message(house, CONFIRM)
        assert message.attempt == 0
        assert message.state == MessageState.SCHEDULED
        assert message.not_before > house.clock.now()
        house.clock.move_to(message.not_before)
    house.clock.advance(PROBE_EVERY)
    send(house)
    assert make.message(house, CONFIRM).attempt == 1
    assert len(attempts(house)) == 3, "every try leaves a row"


def test_pauses_between_tries_grow(house: House) -> None:
    make.request(house)
    house.mailer.script = [Outcome.NOT_SENT_RETRY] * 5
    pauses = []
    for _ in range(5):
        send(house)
        message = make.message(house, CONFIRM)
        pauses.append((message.not_before - house.clock.now()).total_seconds())
        house.clock.move_to(message.not_before)
    for number, pause in enumerate(pauses):
        assert 15 * 2**number <= pause <= 30 * 2**number


def test_a_series_mail_that_never_gets_through_is_given_up_and_holds_its_series(
    house: House,
) -> None:
    drip_due(house)
    house.mailer.script = [Outcome.NOT_SENT_RETRY] * 500
    house.live(GIVE_UP_AFTER[MailClass.DRIP] + timedelta(hours=14), timedelta(hours=2))
    assert state_of(house, DRIP) == MessageState.FAILED
    held = make.enrolment(house, "nurture")
    assert held.state == EnrolmentState.HELD
    assert held.next_due_at is None
    assert "Given up" in held.why
    tries = len(house.mailer.offered)
    assert tries >= GIVE_UP_TRIES
    house.live(timedelta(days=2), timedelta(hours=6))
    assert len(house.mailer.offered) == tries


def test_a_refused_mail_fails_at_once_and_the_next_ones_are_held(house: House) -> None:
    drip_due(house)
    house.mailer.script = [Outcome.REFUSED]
    house.hop(timedelta(days=5))
    assert len(house.mailer.offered) == 1
    assert state_of(house, DRIP) == MessageState.FAILED
    assert make.enrolment(house, "nurture").state == EnrolmentState.HELD


@pytest.mark.parametrize(
    "error", [MailRefused("No way to unsubscribe."), ValueError("bug"), KeyError("x"), OSError()]
)
def test_a_letter_that_cannot_be_written_fails_alone(house: House, error: Exception) -> None:
    for name in ("ada", "ben", "cleo"):
        make.request(house, f"{name}@example.org")
    ben = make.message(house, CONFIRM, "ben@example.org").id

    def fail_for_ben(letter: Draft) -> None:
        if letter.message_id == ben:
            raise_it(error)

    assert drain(lambda: bool(sender_of(house, fail_for_ben).send_batch())) == 1
    assert {email.to_address for email in house.mailer.accepted} == {
        "ada@example.org",
        "cleo@example.org",
    }
    failed = make.message(house, CONFIRM, "ben@example.org")
    assert failed.state == MessageState.FAILED
    assert failed.why.startswith("It could not be written")


def test_a_mailer_that_answers_for_too_few_leaves_its_batch_in_doubt(house: House) -> None:
    class Forgetful(FakeMailer):
        def send(self, emails: object) -> list[SendResult]:
            del emails
            return []

    make.request(house)
    sender = replace(house.rt.worker.sender, mailer=Forgetful())
    with pytest.raises(ValueError, match="shorter"):
        sender.send_batch()
    assert state_of(house, CONFIRM) == MessageState.SENDING


def test_confirm_mails_go_before_series_mails(house: House) -> None:
    drip_due(house)
    make.request(house, "ben@example.org")
    house.work()
    assert [email.mail_class for email in house.mailer.offered] == [
        MailClass.CONFIRM,
        MailClass.DRIP,
    ]


def test_a_batch_is_never_larger_than_the_mailer_takes(each_house: House) -> None:
    house = each_house
    _crowd(house, 30)
    small = FakeMailer(batch_size=7)
    sender = replace(house.rt.worker.sender, mailer=small)
    assert sender.send_batch() == 7
    assert drain(lambda: bool(sender.send_batch())) == 4
    assert len(small.accepted) == 30


class OneAtATime(FakeMailer):
    """Never answers for a message it has seen before without a complaint."""

    def _send(self, email: OutgoingEmail) -> SendResult:
        assert email.message_id not in {seen.message_id for seen in list(self.offered)}
        return super()._send(email)


def test_two_senders_over_many_messages_send_each_exactly_once(each_house: House) -> None:
    house = each_house
    _crowd(house, 300)
    meeting, met = Barrier(2), set[int]()

    def meet() -> None:
        """Neither goes on before the other has mail in hand too."""
        if get_ident() not in met:
            met.add(get_ident())
            meeting.wait(60)

    shared = OneAtATime(batch_size=20, during=meet)
    senders = [
        replace(house.rt.worker.sender, mailer=shared, worker=f"worker {number}")
        for number in range(2)
    ]
    with ThreadPoolExecutor(2) as pool:
        rounds = list(pool.map(lambda each: drain(lambda: bool(each.send_batch())), senders))
    assert min(rounds) > 0, "both took part"
    counts = Counter(email.message_id for email in shared.accepted)
    assert len(counts) == 300
    assert set(counts.values()) == {1}
    with house.rt.reading.begin() as session:
        states = set(session.scalars(select(Message.state)))
        tries = session.scalar(select(func.count()).select_from(Attempt))
    assert states == {MessageState.ACCEPTED}
    assert tries == 300


def _crowd(house: House, size: int) -> None:
    """Many people, each with a confirm mail due; written in one go."""
    now: datetime = house.clock.now()
    with house.rt.sessions.begin() as session:
        text = session.scalars(select(TextVersion).where(TextVersion.key == CONFIRM)).one()
        session.execute(
            insert(Subscriber),
            [
                {
                    "public_id": uuid4(),
                    "email": f"person{number}@example.org",
                    "email_key": f"person{number}@example.org",
                    "state": PersonState.PENDING,
                    "created_at": now,
                    "source": "direct",
                    "is_test": False,
                }
                for number in range(size)
            ],
        )
        ids = session.scalars(select(Subscriber.id)).all()
        session.execute(
            insert(Message),
            [
                {
                    "id": uuid4(),
                    "subscriber_id": who,
                    "dedupe_key": f"confirm:{who}",
                    "mail_class": MailClass.CONFIRM,
                    "mail_key": CONFIRM,
                    "text_version_id": text.id,
                    "reference": str(uuid4()),
                    "priority": 30,
                    "created_at": now,
                    "due_at": now,
                    "not_before": now,
                    "why": "Queued.",
                }
                for who in ids
            ],
        )


def test_a_failed_step_goes_again_when_the_series_starts_again(house: House) -> None:
    drip_due(house)
    house.mailer.script = [Outcome.REFUSED]
    house.work()
    with house.rt.sessions.begin() as session:
        session.execute(
            update(Enrolment).values(state=EnrolmentState.ACTIVE, next_due_at=house.clock.now())
        )
    house.work()
    first, second = house.mailer.offered
    assert first.message_id == second.message_id
    assert state_of(house, DRIP) == MessageState.ACCEPTED


def test_a_provider_in_trouble_gets_one_probe_a_minute(house: House) -> None:
    for number in range(30):
        make.request(house, f"reader{number}@example.org")
    house.mailer.script = [Outcome.AMBIGUOUS] * 30
    for _ in range(10):
        send(house)
    assert len(attempts(house)) <= DOUBTS_TO_OPEN + house.mailer.batch_size
    tried = len(attempts(house))
    house.clock.advance(PROBE_EVERY)
    send(house)
    send(house)
    assert len(attempts(house)) == tried + 1
    house.mailer.script = []
    house.clock.advance(PROBE_EVERY)
    send(house)
    send(house)
    assert len(attempts(house)) > tried + 2, "one clear answer closes the breaker"


def test_an_answer_survives_a_database_that_is_away_for_a_moment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.request(house)
    away = iter([True, True, False])
    pauses: list[float] = []
    finish = Sender._finish

    def sometimes(self: Sender, *args: object) -> None:
        if next(away):
            raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))
        finish(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Sender, "_finish", sometimes)
    replace(house.rt.worker.sender, pause=pauses.append).send_batch()
    assert make.message(house, CONFIRM).state == MessageState.ACCEPTED
    assert len(pauses) == 2


def test_an_address_that_does_not_exist_is_left_alone(house: House) -> None:
    make.request(house)
    house.mailer.script = [Outcome.ADDRESS_REFUSED]
    send(house)
    assert make.message(house, CONFIRM).state == MessageState.FAILED
    assert make.person(house).state == PersonState.BOUNCED
