"""Publishing: checked as a whole, all or nothing, and felt by the people under way at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.content.shipped import ShippedText
from funnel.db.mail import Enrolment, Message, OwedStep
from funnel.db.texts import TextVersion
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import ContentInvalid, InvalidInput, TextChanged
from funnel.domain.people import Purpose
from funnel.domain.ports import MailClass, Outcome
from funnel.services import texts
from funnel.services.impact import Impact
from funnel.services.letters import Draft
from funnel.services.publishing import Publish, publish_shipped
from tests.support import make
from tests.support.editing import Kind, mail_source, publish, sequence_source
from tests.support.house import House, open_house
from tests.support.steps import advance, send, sender_of

DAY = timedelta(days=1)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        publish(
            opened,
            ("mail", "short/one", mail_source("The first one")),
            ("mail", "short/two", mail_source("The second one")),
            ("mail", "short/three", mail_source("The third one")),
            ("sequence", "short", SHORT),
        )
        yield opened


SHORT = sequence_source("short", "one: 1 day", "two: 2 days", "three: 2 days")


def got(house: House, email: str = "ada@example.org") -> list[str]:
    """The steps of the short sequence whose mail this address got, in order."""
    return [
        each.mail_key.partition("/")[2]
        for each in make.messages(house, email)
        if each.mail_key.startswith("short/") and each.state == MessageState.ACCEPTED
    ]


def newest(house: House, kind: str, key: str) -> TextVersion:
    with house.rt.reading.begin() as session:
        return texts.require(session, kind, key)


def refusal(house: House, *wanted: tuple[Kind, str, str]) -> str:
    with pytest.raises(ContentInvalid) as caught:
        publish(house, *wanted)
    return str(caught.value)


def test_a_publish_makes_the_next_version_and_says_who_did_it(house: House) -> None:
    done = publish(house, ("mail", "short/one", mail_source("Another first")))
    assert done.made == (("mail", "short/one", 2),)
    row = newest(house, "mail", "short/one")
    assert (row.version, row.origin, row.made_by) == (2, "desk", "Dr Reyes")


def test_what_says_the_same_is_not_published_again(house: House) -> None:
    assert publish(house, ("sequence", "short", SHORT)) == Publish((), {})
    assert newest(house, "sequence", "short").version == 1


def test_every_problem_of_every_text_is_told_at_once_and_nothing_is_published(
    house: House,
) -> None:
    told = refusal(
        house,
        ("mail", "short/one", mail_source("THIS SHOUTS!")),
        ("mail", "short/two", mail_source("Fine", body="Dear {{ shoe_size }}, see you.")),
        ("sequence", "short", sequence_source("short", "one: 1 day", "one: 2 days", "four: soon")),
    )
    assert "the subject shouts" in told
    assert "short/two:6" in told
    assert "'one' is here twice" in told
    assert "length of time" in told
    assert newest(house, "mail", "short/one").version == 1
    assert newest(house, "sequence", "short").version == 1


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("a: &a [x]\nb: *a\n", "anchors and aliases"),
        ("key: short\n" + "deep: " + "[" * 40 + "]" * 40, "nested too deeply"),
        ("x" * 5_000_000, "over 256 KB"),
        (sequence_source("other", "one: 1 day"), "the key is 'other'"),
        (sequence_source("short", "one: 1 day", "new: 1 day"), "'new' has no mail"),
        (sequence_source("short", "one: 1 day") + "follows: nothing\n", "does not exist"),
        (sequence_source("short", "one: 1 day") + "follows: after\n", "in a circle"),
    ],
)
def test_a_bad_plan_is_refused(house: House, source: str, told: str) -> None:
    after = sequence_source("after", "one: 1 day") + "follows: short\n"
    publish(house, ("mail", "after/one", mail_source("One after")), ("sequence", "after", after))
    assert told in refusal(house, ("sequence", "short", source))
    assert newest(house, "sequence", "short").version == 1


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (mail_source("Long", body="word " * 1_000_000), "over 32 KB"),
        (mail_source("Escape", body="{{ ''.__class__.__mro__ }}"), "short/one"),
        (mail_source("Escape", body="{% for x in y %}{% endfor %}"), "short/one"),
        (mail_source("Cured", body="This cures sciatica for good."), "claim"),
        ("no dashes", "two lines of three dashes"),
    ],
)
def test_a_bad_mail_is_refused(house: House, source: str, told: str) -> None:
    assert told in refusal(house, ("mail", "short/one", source))
    assert newest(house, "mail", "short/one").version == 1


def test_words_of_a_step_and_the_step_come_in_one_publish(house: House) -> None:
    publish(
        house,
        ("sequence", "short", sequence_source("short", "one: 1 day", "new: 1 day", "two: 1 day")),
        ("mail", "short/new", mail_source("A new one")),
    )
    make.confirmed(house)
    house.hop(5 * DAY)
    assert got(house) == ["one", "new", "two"]


def test_the_second_of_two_publishes_is_told_and_loses_nothing(house: House) -> None:
    publish(house, ("mail", "short/one", mail_source("Hers")))
    with pytest.raises(TextChanged):
        publish(house, ("mail", "short/one", mail_source("His")), after=1)
    assert "Hers" in newest(house, "mail", "short/one").source
    publish(house, ("mail", "short/one", mail_source("His")), after=2)
    assert newest(house, "mail", "short/one").version == 3


def test_a_mail_that_waits_takes_the_new_words_and_one_under_way_keeps_its_own(
    house: House,
) -> None:
    make.confirmed(house)
    make.confirmed(house, "ben@example.org")
    with house.rt.sessions.begin() as session:
        queued = [put(session, house, email) for email in ("ada@example.org", "ben@example.org")]
        started = session.get_one(Message, queued[1])
        started.payload_sha256 = "written once"
    publish(house, ("mail", "short/one", mail_source("Better words")))
    with house.rt.reading.begin() as session:
        versions = [session.get_one(Message, each).text_version.version for each in queued]
    assert versions == [2, 1]


def put(session: Session, house: House, email: str) -> UUID:
    """Queue the mail of step one for this address, not to leave for an hour."""
    enrolment = session.get_one(Enrolment, make.enrolment(house, "short", email).id)
    enrolment.next_due_at = None
    version = texts.require(session, "mail", "short/one")
    row = Message(
        id=uuid4(),
        subscriber_id=enrolment.subscriber_id,
        enrolment_id=enrolment.id,
        step_key="one",
        dedupe_key=f"step:{enrolment.id}:one",
        mail_class=MailClass.DRIP,
        purpose=Purpose.SERIES,
        mail_key="short/one",
        text_version_id=version.id,
        priority=0,
        created_at=house.clock.now(),
        due_at=house.clock.now(),
        not_before=house.clock.now() + timedelta(hours=1),
        why="It is due.",
    )
    session.add(row)
    session.flush()
    return row.id


def test_a_step_put_in_reaches_those_before_it_and_those_past_it_only_if_asked(
    house: House,
) -> None:
    make.confirmed(house, "past@example.org")
    house.hop(4 * DAY)
    make.confirmed(house, "early@example.org")
    plan = sequence_source("short", "one: 1 day", "new: 1 day", "two: 2 days", "three: 2 days")
    words: tuple[Kind, str, str] = ("mail", "short/new", mail_source("A new one"))
    publish(house, ("sequence", "short", plan), words)
    house.hop(9 * DAY)
    assert got(house, "past@example.org") == ["one", "two", "three"]
    assert got(house, "early@example.org") == ["one", "new", "two", "three"]
    assert make.enrolment(house, "short", "past@example.org").state == EnrolmentState.FINISHED


def test_those_past_a_step_get_it_if_asked_even_after_the_end(house: House) -> None:
    make.confirmed(house, "over@example.org")
    house.hop(6 * DAY)
    make.confirmed(house, "early@example.org")
    plan = sequence_source("short", "one: 1 day", "new: 1 day", "two: 2 days", "three: 2 days")
    done = publish(
        house,
        ("sequence", "short", plan),
        ("mail", "short/new", mail_source("A new one")),
        include_past=["short/new"],
    )
    assert done.owed == {"short/new": 1}
    house.hop(9 * DAY)
    assert got(house, "over@example.org") == ["one", "two", "three", "new"]
    assert got(house, "early@example.org") == ["one", "new", "two", "three"]
    with house.rt.reading.begin() as session:
        assert session.scalars(select(OwedStep)).all() == []


def test_asking_for_people_that_there_are_not_publishes_nothing(house: House) -> None:
    with pytest.raises(InvalidInput, match="Nobody is past"):
        publish(
            house,
            ("sequence", "short", sequence_source("short", "one: 2 days")),
            include_past=["short/one"],
        )
    assert newest(house, "sequence", "short").version == 1


def test_a_step_taken_out_strands_nobody_and_its_waiting_mail_does_not_go(house: House) -> None:
    make.confirmed(house)
    house.hop(3 * DAY + timedelta(hours=1))
    assert got(house) == ["one", "two"]
    make.confirmed(house, "ben@example.org")
    with house.rt.sessions.begin() as session:
        put(session, house, "ben@example.org")
    plan = sequence_source("short", "three: 3 days")
    publish(house, ("sequence", "short", plan))
    cancelled = make.message(house, "short/one", "ben@example.org")
    assert cancelled.state == MessageState.CANCELLED
    assert "taken out" in cancelled.why
    house.hop(4 * DAY)
    assert got(house) == ["one", "two", "three"]
    assert got(house, "ben@example.org") == ["three"]


def test_a_step_taken_out_lets_those_go_on_whom_its_failed_mail_held(house: House) -> None:
    make.confirmed(house)
    house.mailer.script = [Outcome.ACCEPTED, Outcome.REFUSED]  # the shipped series goes first
    house.hop(2 * DAY)
    assert make.enrolment(house, "short").state == EnrolmentState.HELD
    publish(house, ("sequence", "short", sequence_source("short", "one: 1 day", "three: 2 days")))
    assert make.enrolment(house, "short").state == EnrolmentState.HELD, "by a mail still in it"
    publish(house, ("sequence", "short", sequence_source("short", "three: 2 days")))
    house.hop(3 * DAY)
    assert got(house) == ["three"]


def test_new_words_reach_a_mail_that_a_worker_has_just_taken(house: House) -> None:
    make.confirmed(house)
    house.clock.advance(DAY + timedelta(hours=1))
    advance(house)
    told: list[Impact] = []

    def publish_meanwhile(draft: Draft) -> None:
        if not told and draft.mail_key == "short/one":
            told.append(preview(house, "short/one", mail_source("Better words")))
            publish(house, ("mail", "short/one", mail_source("Better words")))

    sender_of(house, publish_meanwhile).send_batch()
    house.work()
    assert told[0].sentences == (
        "“Better words” has new words: 1 person who has not had it gets them; nobody had the old.",
    )
    assert subjects(house) == ["Better words"]


def test_new_words_reach_a_mail_that_surely_did_not_go(house: House) -> None:
    make.confirmed(house)
    house.clock.advance(DAY + timedelta(hours=1))
    advance(house)
    house.mailer.script = [Outcome.ACCEPTED, Outcome.NOT_SENT_RETRY]  # the shipped one first
    better: tuple[Kind, str, str] = ("mail", "short/one", mail_source("Better words"))
    house.mailer.during = lambda: publish(house, better)
    send(house)
    house.mailer.during = None
    house.hop(timedelta(hours=3))
    assert subjects(house) == ["Better words"]


def subjects(house: House) -> list[str]:
    """The subjects of the mails of step one that were taken."""
    mail = make.message(house, "short/one").id
    return [each.subject for each in house.mailer.accepted if each.message_id == mail]


def preview(house: House, key: str, source: str) -> Impact:
    with house.rt.reading.begin() as session:
        text = ShippedText("mail", key, source, key)
        return house.rt.editor.preview(session, [text], now=house.clock.now())


def test_a_changed_delay_counts_again_from_the_mail_before(house: House) -> None:
    make.confirmed(house)
    house.hop(DAY + timedelta(hours=1))
    before = make.enrolment(house, "short")
    publish(house, ("sequence", "short", sequence_source("short", "one: 1 day", "two: 5 days")))
    house.work()
    after = make.enrolment(house, "short")
    assert (before.next_due_at, after.next_due_at) == (
        before.anchor_at + 2 * DAY,
        before.anchor_at + 5 * DAY,
    )


def test_a_plan_published_again_by_a_migration_is_felt_as_well(house: House) -> None:
    make.confirmed(house)
    house.hop(DAY + timedelta(hours=1))
    with house.rt.sessions.begin() as session:
        first = texts.require(session, "sequence", "nurture").source
        changed = first.replace("after: 2 days", "after: 4 days", 1)
        shipped = ShippedText("sequence", "nurture", changed, "a test")
        publish_shipped(session, (shipped,), house.rt.catalog, now=house.clock.now())
    due = make.enrolment(house, "nurture").next_due_at
    assert due == house.clock.now(), "everyone who waits is looked at again"


def test_of_two_who_publish_at_the_same_instant_one_is_told(house: House) -> None:
    meet = Barrier(2)

    def publish_as(who: str) -> bool:
        meet.wait()
        try:
            publish(house, ("mail", "short/one", mail_source(f"By {who}")), after=1)
        except TextChanged:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(publish_as, ["her", "him"]))
    assert sorted(done) == [False, True]
    assert newest(house, "mail", "short/one").version == 2
