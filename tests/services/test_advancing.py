"""The engine: what is decided for many, what a fact sets going, and what is foretold."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message, OwedStep
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.sequence import Absence, Fact
from funnel.services.facts import record_fact
from funnel.services.house_rules import set_absences
from funnel.services.places import SET_ASIDE
from funnel.services.reports.upcoming import NextMail, next_mails
from tests.support import make
from tests.support.house import House
from tests.support.steps import drip_due, publish

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
HEAD = """
key: nurture
title: Short
purpose: series
starts_on: [confirmed]
"""
STEP = """
  - key: {key}
    after: 1 day
    at: "08:10"
"""
TWO = HEAD + "steps:" + STEP.format(key="one-technique") + "{more}" + STEP.format(key="why-hips")


def sent(house: House, email: str = "ada@example.org") -> list[str]:
    found = [
        (message.accepted_at, message.mail_key)
        for message in make.messages(house, email)
        if message.state == MessageState.ACCEPTED and message.enrolment_id is not None
    ]
    return [key.partition("/")[2] for _, key in sorted(found)]


def happens(house: House, fact: Fact) -> None:
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        record_fact(session, person, fact, now=house.clock.now())


def foretold(house: House) -> NextMail | None:
    who, now = make.person(house).id, house.clock.now()
    with house.rt.reading.begin() as session:
        return next_mails(session, [who], engine=house.rt.sequences, now=now).get(who)


def test_what_cannot_be_decided_is_set_aside_alone(each_house: House) -> None:
    house = each_house
    for email in ("ada@example.org", "ben@example.org", "cleo@example.org"):
        make.confirmed(house, email)
    more = "    only_if: {lacks: [purchased], pattern: [desk-hips]}\n"
    publish(house, "sequence", "nurture", TWO.format(more=more))
    bad = make.person(house, "ben@example.org").id

    def fails(_session: Session, who: Collection[int]) -> Mapping[int, str]:
        if bad in who:
            raise KeyError("ben@example.org")
        return dict.fromkeys(who, "desk-hips")

    house.clock.advance(DAY)
    engine = replace(house.rt.sequences, patterns=fails)
    with house.rt.sessions.begin() as session:
        assert engine.advance_due(session, now=house.clock.now()) == 3
    house.work()
    assert sent(house) == sent(house, "cleo@example.org") == ["one-technique"]
    aside = make.enrolment(house, "nurture", "ben@example.org")
    assert (aside.state, aside.why) == (EnrolmentState.ACTIVE, SET_ASIDE)
    assert aside.next_due_at == house.clock.now() + HOUR


def test_a_mail_that_waits_for_a_fact_goes_as_soon_as_it_is_true(house: House) -> None:
    more = "    wait_for: {any: [downloaded], at_most: 9 days}\n"
    source = TWO.format(more=more).replace('    at: "08:10"\n', "", 1)
    publish(house, "sequence", "nurture", source)
    make.confirmed(house)
    house.hop(3 * DAY)
    assert sent(house) == []
    waits = foretold(house)
    assert waits is not None
    assert waits.why.startswith("It waits for this: they opened the guide.")
    happens(house, Fact.DOWNLOADED)
    house.work()
    assert sent(house) == ["one-technique"]


def test_a_sequence_begins_anew_when_asked_again_long_enough_after(house: House) -> None:
    again = "again_after: 30 days\nexits_on: [purchased]\n"
    publish(house, "sequence", "nurture", TWO.format(more="").replace("steps:", again + "steps:"))
    make.confirmed(house)
    happens(house, Fact.PURCHASED)
    house.clock.advance(29 * DAY)
    happens(house, Fact.CONFIRMED)
    with house.rt.reading.begin() as session:
        assert len(session.scalars(select(Enrolment.id)).all()) == 1
    house.clock.advance(DAY)
    happens(house, Fact.CONFIRMED)
    house.hop(2 * DAY)
    with house.rt.reading.begin() as session:
        rounds = session.execute(
            select(Enrolment.round, Enrolment.state).order_by(Enrolment.round)
        ).all()
    assert [tuple(row) for row in rounds] == [
        (1, EnrolmentState.EXITED),
        (2, EnrolmentState.ACTIVE),
    ]
    assert sent(house) == ["one-technique"]
    happens(house, Fact.PURCHASED)
    house.hop(2 * DAY)
    assert sent(house) == ["one-technique"]


def test_a_step_that_is_owed_goes_first_and_moves_no_place(each_house: House) -> None:
    house = each_house
    drip_due(house)
    house.hop(HOUR)
    place = make.enrolment(house, "nurture")
    with house.rt.sessions.begin() as session:
        session.add(
            OwedStep(enrolment_id=place.id, step_key="desk-reset", asked_at=house.clock.now())
        )
        session.execute(update(Enrolment).values(next_due_at=house.clock.now()))
    house.hop(DAY)
    assert sent(house) == ["one-technique", "desk-reset"]
    after = make.enrolment(house, "nurture")
    assert (after.last_step, after.anchor_at) == (place.last_step, place.anchor_at)
    with house.rt.reading.begin() as session:
        assert session.scalars(select(OwedStep)).all() == []
    house.hop(4 * DAY)
    assert sent(house) == ["one-technique", "desk-reset", "why-hips", "wake-up"]


def test_a_sequence_that_matters_more_goes_first(house: House) -> None:
    urgent = TWO.format(more="").replace("key: nurture\ntitle: Short", "key: first\ntitle: First")
    for key in ("one-technique", "why-hips"):
        words = f"---\nsubject: {key}\npreheader: A line below it\n---\n\nHello.\n"
        publish(house, "mail", f"first/{key}", words)
    publish(house, "sequence", "first", urgent.replace("steps:", "priority: 5\nsteps:"))
    make.confirmed(house)
    house.hop(DAY + HOUR)
    with house.rt.reading.begin() as session:
        keys = session.scalars(select(Message.mail_key).where(Message.enrolment_id.is_not(None)))
        assert list(keys) == ["first/one-technique"]
    assert make.enrolment(house, "nurture").why.startswith("Held:")


def test_every_mail_goes_at_the_very_instant_that_was_foretold(house: House) -> None:
    make.confirmed(house, zone="America/New_York")
    start = house.clock.now().date()
    away = Absence(start + 8 * DAY, start + 11 * DAY)
    with house.rt.sessions.begin() as session:
        set_absences(session, (away,), now=house.clock.now())
    told = []
    while (mail := foretold(house)) is not None:
        assert mail.at is not None
        told.append((f"nurture/{mail.step_key}", mail.at))
        house.hop(mail.at - house.clock.now())
    went = [
        (message.mail_key, message.accepted_at)
        for message in make.messages(house)
        if message.enrolment_id is not None
    ]
    assert told == went
    assert len(told) == 8
    assert not [at for _, at in told if away.first <= at.date() <= away.last]
