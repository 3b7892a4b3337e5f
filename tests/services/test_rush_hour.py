"""Everything at once: senders, sweepers, events, and people who leave, on real databases."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.ports import MailClass, Outcome
from funnel.services import mail_events
from tests.support import make
from tests.support.house import FakeMailer, House, TakenButLost
from tests.support.locks import while_people_are_locked
from tests.support.steps import DRIP, advance, send

PEOPLE = [f"person{number}@example.org" for number in range(24)]


def test_a_rush_ends_with_every_mail_settled_and_no_series_mail_twice(each_house: House) -> None:
    house = each_house
    for email in PEOPLE:
        make.request(house, email)
    house.work()
    for email in PEOPLE:
        make.confirm(house, email)
    house.work()
    house.clock.move_to(datetime(2026, 11, 24, 8, 10, tzinfo=UTC))
    advance(house)
    left = _rush(house)
    house.mailer.script = []
    house.hop(timedelta(hours=2))
    drips = [email for email in house.mailer.accepted if email.mail_class is MailClass.DRIP]
    assert max(Counter(email.message_id for email in drips).values()) == 1
    with house.rt.reading.begin() as session:
        found = list(session.scalars(select(Message).where(Message.mail_key == DRIP)))
    assert len(found) == len(PEOPLE)
    assert not [message.state for message in found if message.state in OPEN_STATES]
    reached = {email.to_address for email in drips}
    stayed = set(PEOPLE) - left
    assert stayed <= reached | _in_doubt(house)


def _in_doubt(house: House) -> set[str]:
    """Who may or may not have had a mail."""
    with house.rt.reading.begin() as session:
        query = select(Subscriber.email).join(Message, Message.subscriber_id == Subscriber.id)
        return set(session.scalars(query.where(Message.state == MessageState.UNCONFIRMED)))


def _rush(house: House) -> set[str]:
    """Many threads, each with one kind of work; raises what any of them raised."""
    chance = random.Random(11)
    left = set(chance.sample(PEOPLE, 10))
    answers: list[Outcome | TakenButLost] = [
        Outcome.ACCEPTED,
        Outcome.AMBIGUOUS,
        TakenButLost(Outcome.AMBIGUOUS),
    ]
    house.mailer.script.extend(chance.choice(answers) for _ in range(40))
    small = replace(house.rt.worker.sender, mailer=_Small(house.mailer))
    is_over = threading.Event()
    jobs: list[Callable[[], object]] = [small.send_batch] * 3
    jobs += [house.rt.worker.sweeper.sweep, lambda: _tell(house), lambda: advance(house)]

    def keep_at(job: Callable[[], object]) -> None:
        while not is_over.is_set():
            job()

    def leave() -> None:
        for email in sorted(left):
            make.unsubscribed(house, email)

    with ThreadPoolExecutor(len(jobs) + 1) as pool:
        working = [pool.submit(keep_at, job) for job in jobs]
        pool.submit(leave).result()
        is_over.set()
        for each in working:
            each.result()
    return left


class _Small(FakeMailer):
    """Hands on to the house's mailer, three at a time."""

    def __init__(self, real: FakeMailer) -> None:
        super().__init__(batch_size=3, accepted=real.accepted, script=real.script)


def _tell(house: House) -> None:
    """The provider repeats itself about everything it has taken."""
    events: list[object] = [
        {
            "event": "delivered",
            "send_id": str(email.message_id),
            "sg_event_id": str(email.message_id),
        }
        for email in list(house.mailer.accepted)
    ]
    with house.rt.sessions.begin() as session:
        mail_events.take_events(session, events, now=house.clock.now())
    with house.rt.sessions.begin() as session:
        mail_events.handle_events(session, links=house.rt.links, clock=house.clock)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("act", [send, _tell])
def test_whoever_moves_a_mail_waits_for_its_person_first(
    each_house: House, act: Callable[[House], object]
) -> None:
    """One order of locks for everybody: that is why nothing can deadlock."""
    house = each_house
    make.request(house)
    house.work()
    make.request(house, "ben@example.org")
    job, free = while_people_are_locked(house, act, Message.id)
    assert free == 2, "nobody holds a mail while waiting for its person"
    job.result()
