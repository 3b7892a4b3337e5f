"""The impact that is told before a publish is exactly what then happens.

Each example lives twice with the same dice: once as it was, once with the edit. What the
sentences promised must be the difference between the two.
"""

import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from funnel.content.shipped import ShippedText
from funnel.db.mail import Enrolment, Message
from funnel.db.people import Consent, Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.delivery import MessageState
from funnel.domain.people import Purpose
from funnel.domain.sequence import Fact
from funnel.services import enrolment, facts, steering, texts
from funnel.services.impact import Impact
from tests.support.editing import Kind, mail_source, publish, sequence_source
from tests.support.house import House, open_house
from tests.support.rows import add_person

DAY = timedelta(days=1)
STEPS = ["one", "two", "three", "four", "five"]
PLAN = dict.fromkeys(STEPS, "1 day")
RULES = {"window": "00:00-23:59", "exits_on": "[purchased]"}
Source = tuple[Kind, str, str]
MINUTES = timedelta(minutes=30)  # mails leave a little apart
First = dict[str, tuple[str, datetime]]  # address: step, when
Got = set[tuple[str, str, int]]  # address, step, version of the words


def plan(steps: dict[str, str]) -> Source:
    lines = [f"{key}: {after}" for key, after in steps.items()]
    return "sequence", "short", sequence_source("short", *lines, **RULES)


def words(step: str, subject: str = "") -> Source:
    return "mail", f"short/{step}", mail_source(subject or f"Mail {step}")


def preview(house: House, *wanted: Source) -> Impact:
    new = [ShippedText(kind, key, source, key) for kind, key, source in wanted]
    with house.rt.reading.begin() as session:
        return house.rt.editor.preview(session, new, now=house.clock.now())


@contextmanager
def open_short(migrated: Path, folder: Path) -> Iterator[House]:
    """A house with a sequence of five mails, a day apart."""
    folder.mkdir()
    shutil.copy(migrated, folder / "funnel.db")
    with open_house(f"sqlite:///{folder}/funnel.db", folder) as house:
        publish(house, plan(PLAN), *(words(step) for step in STEPS))
        yield house


@pytest.fixture
def short(prepared_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    with open_short(prepared_sqlite, tmp_path / "house") as house:
        yield house


def add(house: House, name: str) -> int:
    """Somebody who begins the sequence now; returns the enrolment's id."""
    with house.rt.sessions.begin() as session:
        person = add_person(session, {}, name=name, email=f"{name}@example.org")
        now = house.clock.now()
        session.add(Consent(subscriber_id=person.id, purpose=Purpose.SERIES, given_at=now))
        session.flush()
        session.expire(person)
        enrolment.enrol(session, person.id, texts.sequences(session)["short"], now=now)
        query = select(Enrolment.id).where(Enrolment.subscriber_id == person.id)
        return session.scalars(query).one()


def populate(house: House, dice: random.Random) -> list[int]:
    """Eight people at random places: some paused, some at their goal, some over; the paused ones'
    enrolments."""
    paused = []
    for number in range(8):
        enrolled = add(house, f"person{number}")
        house.hop(timedelta(hours=dice.randint(1, 20)))
        fate = dice.random()
        with house.rt.sessions.begin() as session:
            if fate < 0.15:
                steering.pause(session, enrolled, by="Dr Reyes", now=house.clock.now())
                paused.append(enrolled)
            elif fate < 0.3:
                person = session.scalars(
                    select(Subscriber).where(Subscriber.first_name == f"person{number // 2}")
                ).one()
                facts.record_fact(session, person, Fact.PURCHASED, now=house.clock.now())
    house.hop(timedelta(hours=dice.randint(0, 30)))
    return paused


def live_on(house: House, paused: list[int]) -> None:
    """Let everybody go on to the end."""
    with house.rt.sessions.begin() as session:
        for each in paused:
            if session.get_one(Enrolment, each).state == "paused":
                steering.resume(session, each, by="Dr Reyes", now=house.clock.now())
    house.hop(40 * DAY)


def got(house: House) -> Got:
    """Who got which mail of the sequence, in which words."""
    query = (
        select(Subscriber.email, Message.step_key, TextVersion.version)
        .join(Message, Message.subscriber_id == Subscriber.id)
        .join(TextVersion, TextVersion.id == Message.text_version_id)
        .where(Message.state == MessageState.ACCEPTED, Message.mail_key.startswith("short/"))
    )
    with house.rt.reading.begin() as session:
        return {(email, str(step), version) for email, step, version in session.execute(query)}


def who(mails: Got, step: str) -> set[str]:
    return {email for email, key, _ in mails if key == step}


def numbers(impact: Impact, pattern: str) -> list[int]:
    """The numbers in the one sentence that matches; each group is one."""
    matches = [found for each in impact.sentences if (found := re.search(pattern, each))]
    assert len(matches) == 1, (pattern, impact.sentences)
    return [int(number) if number else 0 for number in matches[0].groups()]


def edit(dice: random.Random) -> tuple[dict[str, str], set[str], set[str]]:
    """A random edit: the new plan, the steps put in, and those with new words."""
    keys = list(STEPS)
    for key in dice.sample(STEPS, dice.randint(0, 2)):
        keys.remove(key)
    if dice.random() < 0.5:
        dice.shuffle(keys)
    new = {f"new-{number}" for number in range(dice.randint(0, 2))}
    for key in sorted(new):
        keys.insert(dice.randint(0, len(keys)), key)
    steps = {key: PLAN.get(key, "1 day") for key in keys}
    for key in dice.sample(keys, 2):
        steps[key] = dice.choice(["3 days", "6 hours", "2 days"])
    return steps, new, set(dice.sample(STEPS, dice.randint(0, 2)))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_promised_is_what_happens(
    short: House, prepared_sqlite: Path, tmp_path: Path, seed: int
) -> None:
    with open_short(prepared_sqlite, tmp_path / "as it was") as other:
        paused = populate(other, random.Random(seed))
        before = got(other)
        live_on(other, paused)
        as_it_was, first_as_it_was = got(other), first_mails(other, before)
    dice = random.Random(seed)
    paused = populate(short, dice)
    steps, new, changed = edit(dice)
    before = got(short)
    under_way = due_people(short)
    wanted = [plan(steps), *(words(key) for key in sorted(new)),
              *(words(key, f"Better {key}") for key in sorted(changed))]  # fmt: skip
    told = preview(short, *wanted)
    asked = [choice for choice in told.choices if dice.random() < 0.5]
    publish(short, *wanted, include_past=[choice.key for choice in asked])
    live_on(short, paused)
    after = got(short)
    owed = {choice.key.partition("/")[2]: choice.many for choice in asked}
    _check_steps(told, steps, new, owed, as_it_was, after, before)
    _check_words(told, changed, set(steps), owed, before, after)
    if not owed:
        _check_times(told, first_as_it_was, first_mails(short, before), under_way)
    people = [(email, step) for email, step, _ in after]
    assert len(people) == len(set(people)), "nobody gets a step twice"


def _check_steps(
    told: Impact,
    steps: dict[str, str],
    new: set[str],
    owed: dict[str, int],
    as_it_was: Got,
    after: Got,
    before: Got,
) -> None:
    for step in new:
        gets, past = numbers(told, rf"“Mail {step}” is new: (\d+) \w+ .* get it, (\d+) past it")
        assert len(who(after, step)) == gets + owed.get(step, 0)
        assert owed.get(step, past) == past
    for step in set(STEPS) - set(steps):
        (lost,) = numbers(told, rf"“(?:Mail|Better) {step}” is taken out(?:: (\d+)|; nobody)")
        assert len(who(as_it_was, step) - who(before, step)) == lost
        assert who(after, step) == who(before, step)
    for step in set(STEPS) & set(steps):
        loses = len(who(as_it_was, step) - who(after, step))
        gains = len(who(after, step) - who(as_it_was, step))
        sentences = [each for each in told.sentences if f"{step}” stands in another" in each]
        text = " ".join(sentences)
        missed = re.search(r"(\d+) \w+ who had it to come will not", text)
        gained = re.search(r"(\d+) \w+ who were past it without it", text)
        assert (int(missed[1]) if missed else 0) - owed.get(step, 0) == loses, (step, text)
        assert (int(gained[1]) if gained else 0) == gains, (step, text)


def _check_words(
    told: Impact, changed: set[str], there: set[str], owed: dict[str, int], before: Got, after: Got
) -> None:
    for step in changed:
        gets, had = numbers(
            told,
            rf"“Better {step}” has new words: (?:(\d+)|nobody) .*; (?:(\d+)|nobody) had the old",
        )
        assert had == len(who(before, step))
        new_words = {email for email, key, version in after if key == step and version == 2}
        assert len(new_words) == gets + owed.get(step, 0)
        assert step in there or not new_words


def first_mails(house: House, before: Got) -> First:
    """The first mail of the sequence that each got beside those before, and when."""
    had = {(email, step) for email, step, _ in before}
    query = (
        select(Subscriber.email, Message.step_key, Message.closed_at)
        .join(Message, Message.subscriber_id == Subscriber.id)
        .where(Message.mail_key.startswith("short/"))
        .where(Message.state == MessageState.ACCEPTED)
        .order_by(Message.closed_at.desc())
    )
    with house.rt.reading.begin() as session:
        return {
            email: (str(step), at)
            for email, step, at in session.execute(query)
            if at and (email, step) not in had
        }


def due_people(house: House) -> set[str]:
    """Those who wait for the time of their next mail."""
    query = select(Subscriber.email).join(Enrolment, Enrolment.subscriber_id == Subscriber.id)
    is_due = (Enrolment.state == "active") & Enrolment.next_due_at.is_not(None)
    with house.rt.reading.begin() as session:
        return set(session.scalars(query.where(is_due)))


def _check_times(told: Impact, as_it_was: First, after: First, under_way: set[str]) -> None:
    """So many got a mail with a new time first, and not when their next mail would have come."""
    for sentence in told.sentences:
        if timed := re.search(r"“\w+ (\w+)” has another time", sentence):
            was = as_it_was.keys() & under_way
            them = [each for each in was if after.get(each, ("", None))[0] == timed[1]]
            moved = [each for each in them if abs(after[each][1] - as_it_was[each][1]) > MINUTES]
            assert _moving(sentence) == (len(moved), None if moved else len(them)), sentence


def _moving(sentence: str) -> tuple[int, int | None]:
    """How many mails a sentence says move, and, where none does, how many people it counts."""
    if moving := re.search(r"(One|\d+) (?:person’s|people’s) next mail", sentence):
        return 1 if moving[1] == "One" else int(moving[1]), None
    standing = re.search(r"(One|\d+) \w+ stands? right before", sentence)
    return 0, (1 if standing[1] == "One" else int(standing[1])) if standing else 0


def test_a_mail_that_moves_is_told_though_one_that_was_had_now_stands_before_it(
    short: House,
) -> None:
    add(short, "Ada")
    short.hop(3 * DAY + timedelta(hours=1))
    before = due_times(short)
    reordered = plan({"one": "1 day", "three": "1 day", "two": "1 day", "four": "3 days"})
    told = preview(short, reordered)
    moved = "One person’s next mail moves: from 27 November to 29 November."
    assert f"“Mail four” has another time. {moved}" in told.sentences
    publish(short, reordered)
    short.work()
    assert due_times(short) == [due + 2 * DAY for due in before]


def test_those_whose_mail_does_not_move_are_counted_all_the_same(short: House) -> None:
    for name in ("Ada", "Ben"):
        add(short, name)
    told = preview(short, plan(PLAN | {"one": "24 hours"}))
    calm = "2 people stand right before it; their mail does not move."
    assert told.sentences == (f"“Mail one” has another time. {calm}",)


def test_a_changed_delay_says_whose_next_mail_moves_and_from_when_to_when(short: House) -> None:
    add(short, "Ada")
    short.hop(timedelta(hours=2))
    add(short, "Ben")
    before = due_times(short)
    told = preview(short, plan(PLAN | {"one": "3 days"}))
    moved = "2 people’s next mail moves: the first from 24 November to 26 November."
    assert told.sentences == (f"“Mail one” has another time. {moved}",)
    publish(short, plan(PLAN | {"one": "3 days"}))
    short.work()
    assert due_times(short) == [due + 2 * DAY for due in before]


def due_times(house: House) -> list[datetime]:
    house.work()
    with house.rt.reading.begin() as session:
        found = session.scalars(select(Enrolment.next_due_at).order_by(Enrolment.id))
        return [due for due in found if due is not None]


def test_a_new_goal_says_for_how_many_it_ends_the_sequence_at_once(short: House) -> None:
    for name in ("Ada", "Ben"):
        add(short, name)
    with short.rt.sessions.begin() as session:
        ada = session.scalars(select(Subscriber).where(Subscriber.first_name == "Ada")).one()
        facts.record_fact(session, ada, Fact.JOINED, now=short.clock.now())
    source = plan(PLAN)[2].replace("[purchased]", "[purchased, joined]")
    told = preview(short, ("sequence", "short", source))
    assert told.sentences == (
        "It now ends for whoever joined the challenge: for 1 person at once.",
    )
    publish(short, ("sequence", "short", source))
    short.work()
    with short.rt.reading.begin() as session:
        states = session.scalars(select(Enrolment.state).order_by(Enrolment.id)).all()
    assert states == ["exited", "active"]


def test_a_new_goal_counts_what_happens_again_in_a_second_round(short: House) -> None:
    source = plan(PLAN)[2].replace("steps:", "again_after: 1 day\nsteps:")
    publish(short, ("sequence", "short", source))
    ada = add(short, "Ada")
    happens(short, ada, Fact.JOINED)
    short.hop(10 * DAY)
    happens(short, ada, Fact.CONFIRMED)
    short.hop(timedelta(hours=1))
    happens(short, ada, Fact.JOINED)
    told = preview(short, ("sequence", "short", source.replace("[purchased]", "[joined]")))
    assert "It now ends for whoever joined the challenge: for 1 person at once." in told.sentences


def happens(house: House, place: int, fact: Fact) -> None:
    with house.rt.sessions.begin() as session:
        person = session.get_one(Enrolment, place).subscriber
        facts.record_fact(session, person, fact, now=house.clock.now())


def test_a_step_that_a_fork_leads_past_is_told_to_be_for_some(short: House) -> None:
    keys = dict.fromkeys(["one", "fork", "new", "five"], "1 day")
    way = "    ways: [{if: {has: [downloaded]}, go_to: five}]\n"
    with_fork = plan(keys)[2].replace("key: fork\n", "key: fork\n" + way)
    add(short, "Ada")
    told = preview(short, ("sequence", "short", with_fork), words("new"))
    assert (
        "“Mail new” is new: 1 person not there yet come to it, and its conditions decide, "
        "0 past it will not."
    ) in told.sentences


def test_a_step_put_in_names_the_first_few(short: House) -> None:
    for number in range(5):
        add(short, f"person{number}")
    short.hop(DAY + timedelta(hours=1))
    add(short, "late")
    told = preview(short, plan({"new": "1 hour", **PLAN}), words("new"))
    assert told.sentences[0] == (
        "“Mail new” is new: 1 person not there yet get it, 5 past it will not: "
        "person0, person1, person2 and 2 more."
    )
