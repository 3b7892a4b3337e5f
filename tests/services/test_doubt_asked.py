"""A provider that keeps a log is asked about a doubt, and believed only when it says no twice."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from funnel.db.mail import Message
from funnel.domain.delivery import MessageState, Patience
from funnel.domain.errors import CannotTellNow
from funnel.domain.ports import MailClass, Outcome
from funnel.services.doubt import ASK_LIMIT, Sweeper
from tests.support import make
from tests.support.house import FakeMailer, House
from tests.support.steps import CONFIRM, send, state_of

SETTLE, AGAIN = Patience().settle, Patience().ask_again
KEEP_ASKING = Patience().keep_asking


@dataclass
class Logged(FakeMailer):
    """Its log is read over the network and lags behind; `asked` is every question."""

    asked: list[tuple[UUID, str, datetime]] = field(default_factory=list)
    knows_at_once: bool = False
    when_asked: Callable[[], object] = str
    is_away: bool = False

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool | None:
        self.asked.append((message_id, to_address, since))
        self.when_asked()
        if self.is_away:
            raise CannotTellNow
        return self.knows


def asking(house: House, knows: bool | None) -> tuple[Sweeper, Logged]:
    """A sweeper whose provider answers so."""
    mailer = Logged(knows=knows)
    return replace(house.rt.worker.sweeper, mailer=mailer, has_events=True), mailer


def doubted(house: House, people: int = 1) -> datetime:
    """Confirm mails that nobody can vouch for; when they were handed over."""
    for number in range(people):
        make.request(house, f"person{number}@example.org" if number else "ada@example.org")
    with house.rt.sessions.begin() as session:
        session.execute(
            update(Message).values(
                state=MessageState.UNKNOWN, doubt_since=house.clock.now(), attempt=1
            )
        )
    return house.clock.now()


def test_nobody_asks_before_the_log_had_time(house: House) -> None:
    doubted(house)
    sweeper, mailer = asking(house, True)
    house.clock.advance(SETTLE - timedelta(seconds=1))
    assert sweeper.sweep() == 0
    assert not mailer.asked
    house.clock.advance(timedelta(seconds=1))
    assert sweeper.sweep() == 1
    assert state_of(house, CONFIRM) == MessageState.ACCEPTED


def test_a_mail_that_is_absent_twice_goes_again_and_is_the_very_same(each_house: House) -> None:
    house = each_house
    make.request(house)
    house.mailer.script = [Outcome.AMBIGUOUS]
    handed_over = house.clock.now()
    send(house)
    sweeper, mailer = asking(house, False)
    house.clock.advance(SETTLE)
    assert sweeper.sweep() == 0, "once is no proof"
    house.clock.advance(AGAIN - timedelta(seconds=1))
    assert sweeper.sweep() == 0
    assert len(mailer.asked) == 1, "not asked again so soon"
    house.clock.advance(timedelta(seconds=1))
    assert sweeper.sweep() == 1
    send(house)
    first, second = house.mailer.offered
    assert first == second
    assert mailer.asked == [(first.message_id, "ada@example.org", handed_over)] * 2


def test_a_no_of_an_earlier_doubt_does_not_count_for_a_later_one(house: House) -> None:
    doubted(house)
    sweeper, _ = asking(house, False)
    for wait in (SETTLE, AGAIN):
        house.clock.advance(wait)
        sweeper.sweep()
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED
    house.mailer.script = [Outcome.AMBIGUOUS]
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(payload_sha256=None))
    send(house)
    house.clock.advance(SETTLE)
    assert sweeper.sweep() == 0
    assert state_of(house, CONFIRM) == MessageState.UNKNOWN


@pytest.mark.parametrize(
    ("is_resent", "state"), [(False, MessageState.SCHEDULED), (True, MessageState.UNCONFIRMED)]
)
def test_a_provider_that_cannot_tell_leaves_it_to_the_class(
    house: House, is_resent: bool, state: MessageState
) -> None:
    doubted(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(is_resent=is_resent))
    sweeper, _ = asking(house, None)
    house.clock.advance(SETTLE)
    assert sweeper.sweep() == 1
    assert state_of(house, CONFIRM) == state


def test_a_round_asks_some_questions_and_the_next_ones_the_rest(house: House) -> None:
    doubted(house, ASK_LIMIT + 5)
    sweeper, mailer = asking(house, True)
    house.clock.advance(SETTLE)
    assert [sweeper.sweep() for _ in range(3)] == [ASK_LIMIT, 5, 0]
    assert len(mailer.asked) == ASK_LIMIT + 5


def test_no_transaction_is_open_while_the_provider_is_asked(each_house: House) -> None:
    """Anyone else can write meanwhile."""
    house = each_house
    doubted(house)
    sweeper, mailer = asking(house, True)
    mailer.when_asked = lambda: make.unsubscribed(house)
    house.clock.advance(SETTLE)
    assert sweeper.sweep() == 1


def series_doubted(house: House, people: int = 1) -> None:
    """Series mails that nobody can vouch for."""
    doubted(house, people)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(mail_class=MailClass.DRIP))


def test_a_series_mail_waits_for_logs_that_are_away(each_house: House) -> None:
    house = each_house
    series_doubted(house)
    sweeper, mailer = asking(house, False)
    mailer.is_away = True
    house.clock.advance(SETTLE)
    assert sweeper.sweep() == 0
    house.clock.advance(KEEP_ASKING - SETTLE - timedelta(seconds=1))
    assert sweeper.sweep() == 0
    mailer.is_away = False
    assert sweeper.sweep() == 0
    house.clock.advance(AGAIN)
    assert sweeper.sweep() == 1
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED


def test_logs_that_stay_away_leave_a_series_mail_to_its_class_in_the_end(house: House) -> None:
    series_doubted(house)
    sweeper, mailer = asking(house, True)
    mailer.is_away = True
    house.clock.advance(KEEP_ASKING)
    assert sweeper.sweep() == 1
    assert state_of(house, CONFIRM) == MessageState.UNCONFIRMED


def test_what_people_asked_for_does_not_wait_for_logs_that_are_away(house: House) -> None:
    doubted(house)
    sweeper, mailer = asking(house, True)
    mailer.is_away = True
    house.clock.advance(SETTLE)
    assert sweeper.sweep() == 1
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED


def test_logs_that_are_away_are_asked_once_a_round(house: House) -> None:
    series_doubted(house, people=3)
    sweeper, mailer = asking(house, True)
    mailer.is_away = True
    house.clock.advance(SETTLE)
    assert sweeper.sweep() == 0
    assert len(mailer.asked) == 1
    mailer.is_away = False
    assert sweeper.sweep() == 3
