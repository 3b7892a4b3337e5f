"""Sequences as people live them, through the engine and a database: forks, caps, rounds, ends."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, StepSkip
from funnel.domain.delivery import MessageState
from funnel.domain.sequence import Fact
from funnel.services import challenge, texts
from funnel.services.facts import record_fact
from funnel.services.reports.past import PastKind, past
from tests.support import make
from tests.support.editing import mail_source, publish, sequence_source
from tests.support.house import House
from tests.support.steps import advance

DAY = timedelta(days=1)
HEAD = "key: nurture\ntitle: Short\npurpose: series\nstarts_on: [confirmed]\nmin_gap: 0 minutes\n"
FORKED = (
    HEAD
    + """steps:
  - {key: one-technique, after: 1 day}
  - {key: fork, after: 0 minutes, ways: [{if: {has: [downloaded]}, go_to: wake-up}]}
  - {key: why-hips, after: 1 day}
  - {key: wake-up, after: 1 day}
"""
)
FOLLOWER = sequence_source("programme", "keep-going: 1 day", follows="nurture", again_after="1 day")
FOLLOWER = FOLLOWER.replace("starts_on: [confirmed]\n", "")


def sent(house: House, email: str = "ada@example.org") -> list[str]:
    found = [
        (message.accepted_at, message.mail_key)
        for message in make.messages(house, email)
        if message.state == MessageState.ACCEPTED and message.enrolment_id is not None
    ]
    return [key for _, key in sorted(found)]


def happens(house: House, fact: Fact) -> None:
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        record_fact(session, person, fact, now=house.clock.now())


def rounds(house: House, key: str) -> int:
    with house.rt.reading.begin() as session:
        return len(session.scalars(select(Enrolment).where(Enrolment.sequence_key == key)).all())


def test_a_fork_leads_each_person_their_way_and_the_path_tells_what_was_not_for_them(
    each_house: House,
) -> None:
    house = each_house
    publish(house, ("sequence", "nurture", FORKED))
    make.confirmed(house)
    happens(house, Fact.DOWNLOADED)
    make.confirmed(house, "ben@example.org")
    house.hop(5 * DAY)
    assert sent(house) == ["nurture/one-technique", "nurture/wake-up"]
    assert sent(house, "ben@example.org") == [
        "nurture/one-technique",
        "nurture/why-hips",
        "nurture/wake-up",
    ]
    with house.rt.reading.begin() as session:
        skips = session.scalars(select(StepSkip)).all()
        path = past(session, make.person(house))
    why = "Not for them: the way led on to 'wake-up'."
    assert [(skip.step_key, skip.why) for skip in skips] == [("why-hips", why)]
    (end,) = [item for item in path if item.kind == PastKind.ENDED]
    assert end.why == "Every mail of this sequence has been dealt with."


def test_above_the_weekly_cap_a_mail_waits_until_the_oldest_is_a_week_old(
    each_house: House,
) -> None:
    house = each_house
    with house.rt.reading.begin() as session:
        keys = [step.key for step in texts.sequences(session)["nurture"].steps]
    at_once = sequence_source("nurture", *(f"{key}: 0 minutes" for key in keys))
    publish(house, ("sequence", "nurture", at_once))
    make.confirmed(house)
    house.work()
    assert len(sent(house)) == 7
    assert make.enrolment(house, "nurture").why.startswith("Held: they had 7 mails in seven days")
    house.hop(6 * DAY)
    assert len(sent(house)) == 7
    house.hop(2 * DAY)
    assert len(sent(house)) == 8


def test_what_could_not_be_decided_holds_back_nothing_that_matters_less(
    each_house: House,
) -> None:
    house = each_house
    fussy = sequence_source("extra", "a: 1 day", priority="5")
    pattern = house.rt.catalog.self_check.patterns[0].key
    fussy += f"    only_if: {{pattern: [{pattern}]}}\n"
    publish(house, ("sequence", "extra", fussy), ("mail", "extra/a", mail_source("Extra mail a")))
    publish(house, ("sequence", "nurture", sequence_source("nurture", "one-technique: 1 day")))

    def fails(_session: Session, _who: Collection[int]) -> Mapping[int, str]:
        raise KeyError("not to be read")

    engine = replace(house.rt.sequences, patterns=fails)
    make.confirmed(house)
    house.clock.advance(2 * DAY)
    for _ in range(2):
        with house.rt.sessions.begin() as session:
            engine.advance_due(session, now=house.clock.now())
        house.clock.advance(timedelta(minutes=20))
    house.rt.worker.sender.send_batch()
    assert sent(house) == ["nurture/one-technique"]


def test_on_a_second_round_an_old_deed_ends_no_wait_and_a_new_one_does(house: House) -> None:
    source = sequence_source("nurture", "one-technique: 0 minutes", again_after="1 day")
    source += "    wait_for: {any: [waitlisted], at_most: 9 days}\n"
    publish(house, ("sequence", "nurture", source))
    make.confirmed(house)
    happens(house, Fact.WAITLISTED)
    house.hop(3 * DAY)
    happens(house, Fact.CONFIRMED)
    house.hop(2 * DAY)
    assert (rounds(house, "nurture"), len(sent(house))) == (2, 1)
    happens(house, Fact.WAITLISTED)
    house.work()
    assert len(sent(house)) == 2


def test_a_mail_put_in_after_the_end_does_not_start_what_follows_once_more(
    each_house: House,
) -> None:
    house = each_house
    short = sequence_source("nurture", "one-technique: 0 minutes")
    publish(house, ("sequence", "programme", FOLLOWER), ("sequence", "nurture", short))
    make.confirmed(house)
    house.hop(5 * DAY)
    longer = sequence_source("nurture", "why-hips: 0 minutes", "one-technique: 0 minutes")
    publish(house, ("sequence", "nurture", longer), include_past=["nurture/why-hips"])
    house.hop(5 * DAY)
    assert sent(house) == ["nurture/one-technique", "programme/keep-going", "nurture/why-hips"]
    assert rounds(house, "programme") == 1


def test_many_who_come_to_the_end_together_cost_no_statement_each(each_house: House) -> None:
    house = each_house
    short = sequence_source("nurture", "one-technique: 1 day") + "    skip_if: [confirmed]\n"
    publish(house, ("sequence", "programme", FOLLOWER), ("sequence", "nurture", short))

    def statements(names: list[str]) -> int:
        for name in names:
            make.confirmed(house, f"{name}@example.org")
        house.clock.advance(2 * DAY)
        asked: list[str] = []

        def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        with house.rt.sessions.begin() as session:
            engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", count)
        assert advance(house) == len(names)
        event.remove(engine, "before_cursor_execute", count)
        return len(asked)

    few = statements(["ada"])
    house.hop(3 * DAY)
    assert statements(["ben", "cleo", "dan", "eve", "finn"]) == few


def test_a_day_of_the_challenge_has_its_sequences_looked_at_at_once(house: House) -> None:
    more = {"starts_on": "[joined]", "purpose": "challenge"}
    source = sequence_source("challenge", "day-1: 30 days", **more)
    source += "    only_if: {days_done: 1}\n"
    publish(house, ("sequence", "challenge", source))
    make.joined(house)
    house.work()
    before = make.enrolment(house, "challenge").next_due_at
    assert before is not None
    assert before > house.clock.now()
    with house.rt.sessions.begin() as session:
        challenge.mark_day(
            session,
            make.person(house).public_id,
            1,
            is_done=True,
            challenge=house.rt.catalog.challenge,
            now=house.clock.now(),
        )
    assert make.enrolment(house, "challenge").next_due_at == house.clock.now()
