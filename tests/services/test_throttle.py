"""What is counted in the database, so that every worker and every restart knows it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Message
from funnel.domain.clock import ManualClock
from funnel.domain.delivery import MessageState
from funnel.domain.flow import Limits
from funnel.domain.gate import Gate
from funnel.domain.ports import MailClass, Outcome, OutgoingEmail, SendResult
from funnel.domain.sequence import Absence
from funnel.services import brake, catch_up, control
from funnel.services.control import StopMode
from funnel.services.house_rules import set_absences
from funnel.services.skew import ClockWatch
from funnel.services.throttle import Claimed, Throttle, peek_flow
from funnel.services.watch import Watch
from tests.support import make
from tests.support.house import FakeMailer, House, PowerCut
from tests.support.rows import NOW, add_enrolment, add_message, add_person, add_texts

Sessions = sessionmaker[Session]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def limited(house: House, limits: Limits) -> House:
    """The house with a sender that has these limits."""
    sender = replace(house.rt.worker.sender, throttle=Throttle(limits))
    sweeper = replace(house.rt.worker.sweeper, throttle=sender.throttle)
    watch = replace(house.rt.worker.watch, limits=limits)
    worker = replace(
        house.rt.worker, sender=sender, sweeper=sweeper, watch=watch, linger_seconds=0.0
    )
    return replace(house, rt=replace(house.rt, worker=worker))


def ask(house: House, many: int) -> None:
    for number in range(many):
        make.request(house, f"p{number}@example.org")


def test_no_more_leave_than_the_rate_and_all_leave_in_the_end(each_house: House) -> None:
    house = limited(each_house, Limits(per_second=2))
    ask(house, 12)
    counts = []
    for _ in range(6):
        house.rt.worker.mail_round()
        counts.append(len(house.mailer.accepted))
        house.clock.advance(timedelta(seconds=2))
    assert counts == [4, 8, 12, 12, 12, 12]


def test_two_workers_share_one_bucket(house: House) -> None:
    pair = [limited(house, Limits(per_second=2)) for _ in range(2)]
    ask(house, 12)
    for each in pair:
        each.rt.worker.mail_round()
    assert len(house.mailer.accepted) == 4


def test_a_round_says_how_long_the_rate_makes_series_mail_wait(late: Session) -> None:
    bind = late.get_bind()
    late.commit()
    sessions, clock = sessionmaker(bind), ManualClock(NOW)
    limits = Limits(per_second=2)
    watch = Watch(
        sessions,
        clock,
        limits,
        None,
        ClockWatch(sessions, clock, FakeMailer(), Gate(), "here"),
    )
    assert watch.rate_pause() == 0
    rows = [Claimed(uuid4(), MailClass.DRIP, "ada@example.org")] * 3
    with sessions.begin() as session:
        Throttle(limits).hold_back(session, rows, now=NOW, machine=NOW)
    assert watch.rate_pause() == pytest.approx(0.4)
    with sessions.begin() as session:
        control.pause_sending(session, by="Dr Reyes", now=NOW)
    assert watch.rate_pause() is None
    assert replace(watch, limits=Limits()).rate_pause() is None


def test_a_stopped_series_lets_go_what_people_asked_for(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        control.pause_sending(session, by="Dr Reyes", now=house.clock.now(), mode=StopMode.SERIES)
    before = len(house.mailer.accepted)
    house.hop(3 * DAY)
    assert len(house.mailer.accepted) == before
    make.request(house, "bea@example.org")
    house.work()
    assert [mail.to_address for mail in house.mailer.accepted[before:]] == ["bea@example.org"]
    with house.rt.sessions.begin() as session:
        control.resume_sending(session)
    house.hop(DAY)
    assert len(house.mailer.to("ada@example.org")) > before


def test_a_held_series_goes_on_when_the_brake_is_let_go(house: House) -> None:
    make.confirmed(house)
    before = len(house.mailer.accepted)
    with house.rt.sessions.begin() as session:
        control.write(session, control.BRAKE, {"on": True, "why": "3 reports."})
    house.hop(3 * DAY)
    assert len(house.mailer.accepted) == before
    with house.rt.sessions.begin() as session:
        brake.let_go(session, now=house.clock.now())
    house.hop(DAY)
    assert len(house.mailer.accepted) > before


def test_a_closed_gate_lets_nothing_be_claimed(house: House) -> None:
    gate = Gate("no trust yet")
    sender = replace(house.rt.worker.sender, throttle=Throttle(gate=gate))
    make.request(house)
    assert sender.send_batch() == 0
    gate.open("no trust yet")
    assert sender.send_batch() == 1


@pytest.fixture
def late(sessions: Sessions) -> Iterator[Session]:
    """Two series mails have been due for a day; 140 went within two hours last week."""
    with sessions.begin() as session:
        version = add_texts(session)["nurture/one"]
        for days, state, many in ((7, MessageState.ACCEPTED, 70), (1, MessageState.SCHEDULED, 1)):
            for hour in range(2):
                for _ in range(many):
                    enrolment = add_enrolment(session, add_person(session, {}))
                    add_message(
                        session,
                        enrolment.subscriber,
                        "nurture/one",
                        version,
                        state,
                        created_at=NOW - days * DAY + hour * HOUR,
                        enrolment=enrolment,
                    )
        yield session


LIMITS = Limits(per_second=100, catches_up=True)


def test_a_backlog_drains_at_twice_the_usual_rate_and_then_all_is_as_ever(late: Session) -> None:
    assert catch_up.usual_hour(late, NOW) == 70
    catch_up.watch(late, LIMITS, now=NOW, machine=NOW)
    begun = peek_flow(late, LIMITS, NOW).catch_up
    assert begun is not None
    assert begun.per_hour == 140
    throttle = Throttle(LIMITS)
    room = throttle.room(late, wanted=150, machine=NOW)
    assert (room.total, room.series) == (150, 2)
    for message in late.scalars(select(Message).where(Message.state == MessageState.SCHEDULED)):
        message.state = MessageState.ACCEPTED
    late.flush()
    catch_up.watch(late, LIMITS, now=NOW, machine=NOW + MINUTE)
    assert peek_flow(late, LIMITS, NOW).catch_up is None


def test_the_first_day_after_a_holiday_is_a_calm_one(sessions: Sessions) -> None:
    away = Absence(NOW.date() - 3 * DAY, NOW.date() - DAY)
    with sessions.begin() as session:
        set_absences(session, (away,), now=NOW)
        for now, is_calm in ((NOW - DAY, False), (NOW, True), (NOW + HOUR, True)):
            catch_up.watch(session, LIMITS, now=now, machine=now)
            assert (peek_flow(session, LIMITS, now).catch_up is not None) == is_calm
        later = NOW + DAY + HOUR
        catch_up.watch(session, LIMITS, now=later, machine=later)
        assert peek_flow(session, LIMITS, later).catch_up is None


def test_a_machine_that_slept_catches_up_and_says_so(house: House) -> None:
    limited_house = limited(house, LIMITS)
    limited_house.work()
    house.clock.advance(3 * HOUR)
    limited_house.work()
    with house.rt.reading.begin() as session:
        slept = control.read(session, control.SLEPT)
    assert slept["until"] == house.clock.machine().isoformat()


@pytest.mark.parametrize("limits", [Limits(), Limits(per_second=5)])
def test_a_provider_that_asks_for_time_gets_it_but_no_more_than_an_hour(
    sessions: Sessions, limits: Limits
) -> None:
    throttle, second = Throttle(limits), MINUTE / 60
    with sessions.begin() as session:

        def room(machine: datetime) -> int:
            return throttle.room(session, wanted=10, machine=machine).total

        throttle.slow_down(session, until=NOW + MINUTE, machine=NOW)
        throttle.slow_down(session, until=NOW + second, machine=NOW)
        assert [room(NOW + 59 * second), room(NOW + MINUTE)] == [0, 10]
        throttle.slow_down(session, until=NOW + 9 * DAY, machine=NOW)
        assert [room(NOW + 59 * MINUTE), room(NOW + HOUR)] == [0, 10]
        assert room(NOW - DAY) == 10, "a clock that was put back does not wait for its old time"


class BusyMailer(FakeMailer):
    """Answers every mail that there were too many, and when to come back if it is told to."""

    retry_at: datetime | None = None

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        self.offered += emails
        throttled = Outcome.NOT_SENT_THROTTLED
        return [
            SendResult(email.message_id, throttled, "Slow down.", None, 429, self.retry_at)
            for email in emails
        ]


@pytest.mark.parametrize("waits", [None, 30 * MINUTE])
def test_one_mail_too_many_makes_all_the_others_wait_without_any_rate(
    house: House, waits: timedelta | None
) -> None:
    mailer = BusyMailer(batch_size=2)
    mailer.retry_at = house.clock.machine() + waits if waits else None
    sender = replace(house.rt.worker.sender, mailer=mailer)
    ask(house, 6)
    while sender.send_batch():
        assert len(mailer.offered) <= 6
    assert len(mailer.offered) == 2
    house.clock.advance((waits or MINUTE) - timedelta(seconds=1))
    assert sender.send_batch() == 0
    house.clock.advance(timedelta(seconds=1))
    assert sender.send_batch() == 2


def test_workers_that_die_after_the_claim_do_not_use_up_the_day(each_house: House) -> None:
    house = limited(each_house, Limits(per_second=1000, per_day=50))
    ask(house, 20)

    def die(_place: str) -> None:
        raise PowerCut

    for _ in range(3):
        with pytest.raises(PowerCut):
            replace(house.rt.worker.sender, reach=die).send_batch()
        house.clock.advance(MINUTE)
        house.rt.worker.sweeper.sweep()
        house.clock.advance(MINUTE)
    make.request(house, "new@example.org")
    while house.rt.worker.sender.send_batch():
        assert len(house.mailer.accepted) <= 21
    assert len(house.mailer.accepted) == 21


def test_the_counts_survive_a_restart(sessions: Sessions) -> None:
    limits = Limits(per_second=5, per_day=100, warm_up_from=NOW.date())
    rows = [Claimed(uuid4(), MailClass.DRIP, f"p{n}@GMail.com") for n in range(25)]
    with sessions.begin() as session:
        throttle = Throttle(limits)
        throttle.room(session, wanted=25, machine=NOW)
        held = throttle.hold_back(session, rows, now=NOW + DAY, machine=NOW)
    assert held == {row.message_id: NOW + DAY + MINUTE for row in rows[20:]}, "in the funnel's time"
    with sessions.begin() as session:
        flow = peek_flow(session, limits, NOW)
        assert (flow.sent, flow.sent_series, len(flow.minute)) == (20, 20, 1)
        throttle.give_back(session, [MailClass.DRIP] * 3, machine=NOW)
    with sessions.begin() as session:
        assert peek_flow(session, limits, NOW).sent == 17
