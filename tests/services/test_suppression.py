"""Leaving people alone: at once, in one transaction, and for good."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from funnel.db.people import ConsentEvent, Subscriber, Suppression
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import PersonState, SuppressionReason
from funnel.domain.ports import MailClass, OutgoingEmail, SendResult
from funnel.domain.sequence import Fact
from funnel.services import people, suppression
from funnel.services.work import drain
from tests.support import make
from tests.support.house import FakeMailer, House
from tests.support.steps import DRIP, advance, drip_due, send

DAY = timedelta(days=1)


def rows(house: House) -> list[Suppression]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(Suppression)))


def test_unsubscribing_ends_everything_in_one_transaction(each_house: House) -> None:
    house = each_house
    drip_due(house)
    make.unsubscribed(house)
    person = make.person(house)
    assert person.state == PersonState.UNSUBSCRIBED
    assert person.unsubscribed_at == house.clock.now()
    assert person.consents == []
    assert make.enrolment(house, "nurture").state == EnrolmentState.STOPPED
    assert make.message(house, DRIP).state == MessageState.CANCELLED
    house.hop(20 * DAY)
    assert not house.mailer.offered


def test_unsubscribing_fifty_times_is_unsubscribing_once(house: House) -> None:
    make.confirmed(house)
    for _ in range(50):
        make.unsubscribed(house)
    assert len(rows(house)) == 1
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(ConsentEvent.action == "withdrawn")
        assert session.scalar(query) == 1


def test_unsubscribing_someone_who_is_gone_is_no_error(house: House) -> None:
    with house.rt.sessions.begin() as session:
        suppression.unsubscribe(
            session, uuid4(), evidence=make.EVIDENCE, links=house.rt.links, now=house.clock.now()
        )
    assert rows(house) == []


def test_a_mail_already_leaving_is_the_last_one(house: House) -> None:
    drip_due(house)
    house.mailer.during = lambda: make.unsubscribed(house)
    send(house)
    house.mailer.during = None
    house.hop(20 * DAY)
    assert len(house.mailer.offered) == 1


def test_a_suppression_names_no_one(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    (row,) = rows(house)
    assert "ada" not in row.address_hash
    assert len(row.address_hash) == 64


GRAVE = [SuppressionReason.UNSUBSCRIBED, SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED]


@pytest.mark.parametrize("first", GRAVE)
@pytest.mark.parametrize("second", GRAVE)
def test_the_gravest_reason_stands_in_whatever_order(
    house: House, first: SuppressionReason, second: SuppressionReason
) -> None:
    make.confirmed(house)
    for reason in (first, second):
        with house.rt.sessions.begin() as session:
            person = session.scalars(select(Subscriber)).one()
            suppression.suppress_person(
                session,
                person,
                reason,
                evidence=make.EVIDENCE,
                links=house.rt.links,
                now=house.clock.now(),
            )
    graver = max(first, second, key=GRAVE.index)
    assert make.person(house).state == PersonState(graver.value)
    assert {row.reason for row in rows(house)} == {first, second}


def test_the_unsubscribe_link_does_not_soften_a_complaint(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        suppression.suppress_person(
            session,
            session.scalars(select(Subscriber)).one(),
            SuppressionReason.COMPLAINED,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    make.unsubscribed(house)
    assert make.person(house).state == PersonState.COMPLAINED
    assert [row.reason for row in rows(house)] == ["complained"]


def test_lifting_forgets_an_unsubscribe_and_nothing_graver(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        person = session.scalars(select(Subscriber)).one()
        for reason in GRAVE:
            suppression.suppress_address(
                session, person.email_key, reason, links=house.rt.links, now=house.clock.now()
            )
        suppression.lift_unsubscribe(session, person, links=house.rt.links)
    assert {row.reason for row in rows(house)} == {"bounced", "complained"}


def test_a_bounce_is_not_counted_as_leaving(house: House) -> None:
    make.confirmed(house)
    person = make.person(house)
    with house.rt.sessions.begin() as session:
        person = session.merge(person)
        suppression.bounce(session, person, links=house.rt.links, now=house.clock.now())
        facts = people.facts_of(session, [person.id])[person.id]
    assert facts == {Fact.REQUESTED, Fact.CONFIRMED}


@dataclass
class LookedAt(FakeMailer):
    """Keeps for each series mail when its batch was about to be looked at for the last time."""

    at: threading.local = field(default_factory=threading.local)
    written_to: list[tuple[str, float]] = field(default_factory=list)

    def reach(self, place: str) -> None:
        if place == "after_render":
            self.at.last_look = time.monotonic()

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        series = [email for email in emails if email.mail_class is MailClass.DRIP]
        self.written_to += [(email.to_address, self.at.last_look) for email in series]
        return super().send(emails)


def test_c18_nobody_is_written_to_who_had_left_before_the_last_look(each_house: House) -> None:
    """Many leave while many are written to: whoever had left before a batch was looked at for the
    last time, in its intent, is not in that batch's call."""
    house, crowd = each_house, [f"p{number}@example.org" for number in range(40)]
    for email in crowd:
        make.request(house, email)
        make.confirm(house, email)
    house.clock.move_to(datetime(2026, 11, 24, 8, 10, tzinfo=UTC))
    advance(house)
    mailer, left_at = LookedAt(batch_size=3), dict[str, float]()
    sender = replace(house.rt.worker.sender, mailer=mailer, reach=mailer.reach)

    def leave(email: str) -> None:
        make.unsubscribed(house, email)
        left_at[email] = time.monotonic()

    def send_all() -> None:
        drain(lambda: sender.send_batch() > 0)

    leave(crowd[0])
    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(send_all) for _ in range(2)]
        works += [pool.submit(leave, email) for email in crowd[2::2]]
    for each in works:
        each.result()
    send_all()
    written_to = {email for email, _ in mailer.written_to}
    assert set(crowd[1::2]) <= written_to <= set(crowd[1:])
    assert [email for email, at in mailer.written_to if left_at.get(email, inf) < at] == []
