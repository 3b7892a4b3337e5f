"""The sending protocol, with the power cut at every step."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from funnel.db.mail import Message
from funnel.domain.clock import ManualClock
from funnel.domain.delivery import MessageState, Patience
from funnel.domain.ports import Outcome
from funnel.services.letters import Draft
from tests.support import make
from tests.support.house import FakeMailer, House, PowerCut, TakenButLost
from tests.support.steps import (
    CONFIRM,
    DRIP,
    LEASE_OF_A_CALL,
    drip_due,
    raise_it,
    send,
    sender_of,
    state_of,
    sweep,
)

# --- crash points -------------------------------------------------------------------------------


def test_power_cut_after_the_claim_sends_once_after_the_lease(each_house: House) -> None:
    house = each_house
    make.request(house)
    with pytest.raises(PowerCut):
        sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
    assert state_of(house, CONFIRM) == MessageState.CLAIMED
    send(house)
    sweep(house)
    assert not house.mailer.offered, "the lease still holds"
    house.clock.advance(Patience().lease)
    house.work()
    assert len(house.mailer.accepted) == 1
    assert make.message(house, CONFIRM).attempt == 1


@pytest.mark.parametrize("answer", [PowerCut(), TakenButLost(PowerCut())])
@pytest.mark.parametrize("mail_key", [CONFIRM, DRIP])
def test_power_cut_during_the_call_is_never_followed_by_a_blind_send(
    house: House, answer: BaseException | TakenButLost, mail_key: str
) -> None:
    if mail_key == CONFIRM:
        make.request(house)
    else:
        drip_due(house)
    house.mailer.script = [answer]
    with pytest.raises(PowerCut):
        send(house)
    assert state_of(house, mail_key) == MessageState.SENDING
    house.clock.advance(LEASE_OF_A_CALL - timedelta(seconds=2))
    house.work()
    assert state_of(house, mail_key) == MessageState.SENDING
    house.clock.advance(timedelta(seconds=3))
    house.work()
    assert state_of(house, mail_key) == MessageState.UNKNOWN
    assert len(house.mailer.offered) == 1


def test_power_cut_before_the_finish_leaves_a_message_in_doubt(each_house: House) -> None:
    house = each_house
    make.request(house)
    clock = CutsAfterTheCall(house.clock.now())
    house.mailer.during = clock.arm
    with pytest.raises(PowerCut):
        replace(house.rt.worker.sender, clock=clock).send_batch()
    assert len(house.mailer.accepted) == 1
    house.clock.advance(LEASE_OF_A_CALL)
    sweep(house)
    assert state_of(house, CONFIRM) == MessageState.UNKNOWN


class CutsAfterTheCall(ManualClock):
    """Ends the process as soon as it looks at the time after the provider was called."""

    is_armed = False

    def arm(self) -> None:
        self.is_armed = True

    def machine(self) -> datetime:
        if self.is_armed:
            raise PowerCut
        return super().machine()


def test_everyone_else_is_not_held_up_by_a_lost_claim(house: House) -> None:
    make.request(house)
    with pytest.raises(PowerCut):
        sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
    make.request(house, "ben@example.org", name="Ben")
    house.work()
    assert [email.to_address for email in house.mailer.accepted] == ["ben@example.org"]


def test_a_letter_that_kills_its_worker_again_and_again_steps_back(house: House) -> None:
    make.request(house)
    pauses = []
    for _ in range(6):
        with pytest.raises(PowerCut):
            sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
        house.clock.advance(Patience().lease)
        sweep(house)
        pauses.append(make.message(house, CONFIRM).not_before - house.clock.now())
        house.clock.advance(max(pauses[-1], timedelta(0)))
    assert pauses[0] <= timedelta(0), "once is an accident"
    assert timedelta(seconds=15) <= pauses[1] <= timedelta(seconds=30)
    assert pauses[-1] > timedelta(minutes=2)
    assert max(pauses) <= timedelta(minutes=5)


# --- doubt --------------------------------------------------------------------------------------


def in_doubt(house: House, mail_key: str, *, was_taken: bool = True) -> None:
    if mail_key == CONFIRM:
        make.request(house)
    else:
        drip_due(house)
    answer = Outcome.AMBIGUOUS
    house.mailer.script = [TakenButLost(answer) if was_taken else answer]
    send(house)
    assert state_of(house, mail_key) == MessageState.UNKNOWN


@pytest.mark.parametrize("was_taken", [True, False])
def test_a_confirm_mail_in_doubt_goes_once_more_with_the_same_id_and_words(
    house: House, was_taken: bool
) -> None:
    in_doubt(house, CONFIRM, was_taken=was_taken)
    house.clock.advance(timedelta(seconds=59))
    house.work()
    assert len(house.mailer.offered) == 1
    house.clock.advance(timedelta(seconds=6))
    house.work()
    first, second = house.mailer.offered
    assert first == second
    assert first.message_id_header == second.message_id_header
    assert state_of(house, CONFIRM) == MessageState.ACCEPTED


def test_a_confirm_mail_doubted_twice_stays_unconfirmed_and_is_not_sent_a_third_time(
    house: House,
) -> None:
    in_doubt(house, CONFIRM)
    house.mailer.script = [TakenButLost(Outcome.AMBIGUOUS)]
    house.hop(timedelta(hours=3))
    assert len(house.mailer.offered) == 2
    assert state_of(house, CONFIRM) == MessageState.UNCONFIRMED


def test_a_series_mail_in_doubt_is_not_sent_again_and_the_series_goes_on(
    each_house: House,
) -> None:
    house = each_house
    in_doubt(house, DRIP)
    house.hop(timedelta(minutes=9))
    assert state_of(house, DRIP) == MessageState.UNKNOWN
    house.hop(timedelta(minutes=2))
    assert state_of(house, DRIP) == MessageState.UNCONFIRMED
    house.hop(timedelta(days=3))
    keys = [message.mail_key for message in make.messages(house)[2:]]
    assert keys == [DRIP, "nurture/why-hips"]
    sent = Counter(email.message_id for email in house.mailer.offered)
    assert set(sent.values()) == {1}


@pytest.mark.parametrize(
    ("was_taken", "times_offered"), [(True, 1), (False, 2)], ids=["taken", "lost"]
)
def test_a_provider_that_can_be_asked_is_asked(
    house: House, was_taken: bool, times_offered: int
) -> None:
    house.mailer.knows = True
    in_doubt(house, DRIP, was_taken=was_taken)
    house.clock.advance(timedelta(seconds=5))
    house.work()
    assert len(house.mailer.accepted) == 3, "confirm, guide, and the series mail exactly once"
    assert len(house.mailer.offered) == times_offered
    assert state_of(house, DRIP) == MessageState.ACCEPTED


def test_a_second_copy_with_other_words_never_leaves(house: House) -> None:
    in_doubt(house, CONFIRM)
    house.clock.advance(timedelta(seconds=61))
    sweep(house)
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(payload_sha256="of other words"))
    send(house)
    assert len(house.mailer.offered) == 1
    assert state_of(house, CONFIRM) == MessageState.UNCONFIRMED


@pytest.mark.parametrize("answer", [Outcome.NOT_SENT_RETRY, Outcome.NOT_SENT_THROTTLED])
def test_the_second_copy_stays_the_same_however_often_it_is_put_off(
    house: House, answer: Outcome
) -> None:
    in_doubt(house, CONFIRM)
    words = make.message(house, CONFIRM).payload_sha256
    assert words is not None
    house.mailer.script = [answer]
    house.clock.advance(timedelta(seconds=65))
    house.work()
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED
    assert make.message(house, CONFIRM).payload_sha256 == words
    house.clock.advance(timedelta(minutes=5))
    with pytest.raises(PowerCut):
        sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
    house.clock.advance(Patience().lease)
    sweep(house)
    assert make.message(house, CONFIRM).payload_sha256 == words


def test_a_mail_that_surely_did_not_go_may_be_written_anew(house: House) -> None:
    make.request(house)
    house.mailer.script = [Outcome.NOT_SENT_RETRY]
    send(house)
    assert make.message(house, CONFIRM).payload_sha256 is None


# --- fence and deadline -------------------------------------------------------------------------


@pytest.mark.parametrize("late", [Outcome.REFUSED, Outcome.AMBIGUOUS, Outcome.NOT_SENT_RETRY])
def test_a_paused_worker_that_finishes_late_changes_nothing(
    each_house: House, late: Outcome
) -> None:
    house = each_house
    make.request(house)
    is_calling, may_answer = threading.Event(), threading.Event()

    def hang() -> None:
        is_calling.set()
        assert may_answer.wait(30)

    hanging = FakeMailer(script=[late], during=hang)
    with ThreadPoolExecutor(1) as pool:
        paused = pool.submit(replace(house.rt.worker.sender, mailer=hanging).send_batch)
        assert is_calling.wait(30)
        for seconds in (91, 61):
            house.clock.advance(timedelta(seconds=seconds))
            sweep(house)

        def the_paused_one_ends() -> None:
            may_answer.set()
            paused.result()
            assert state_of(house, CONFIRM) == MessageState.SENDING

        house.mailer.during = the_paused_one_ends
        replace(house.rt.worker.sender, worker="other").send_batch()
    message = make.message(house, CONFIRM)
    assert message.state == MessageState.ACCEPTED
    assert message.worker == "other"


def test_a_worker_whose_claim_was_taken_over_sends_nothing(each_house: House) -> None:
    house = each_house
    make.request(house)

    def another_claims_it_and_dies(_: Draft) -> None:
        house.clock.advance(Patience().lease)
        sweep(house)
        with pytest.raises(PowerCut):
            sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
        assert state_of(house, CONFIRM) == MessageState.CLAIMED

    assert sender_of(house, another_claims_it_and_dies).send_batch() == 1
    assert not house.mailer.offered
    house.clock.advance(Patience().lease)
    sweep(house)
    house.hop(timedelta(minutes=1))
    assert len(house.mailer.offered) == 1


class Sleepy(ManualClock):
    """A machine that falls asleep for a while each time the deadline clock is read."""

    slept = 0.0

    def boot_seconds(self) -> float:
        self.slept += 6
        return super().boot_seconds() + self.slept


def test_a_process_that_slept_before_the_call_sends_nothing(house: House) -> None:
    make.request(house)
    replace(house.rt.worker.sender, clock=Sleepy(house.clock.now())).send_batch()
    assert not house.mailer.offered
    message = make.message(house, CONFIRM)
    assert message.state == MessageState.SCHEDULED
    assert message.attempt == 0, "nothing was tried"
    house.clock.advance(timedelta(seconds=60))
    house.work()
    assert len(house.mailer.accepted) == 1
