"""The desk's figures, against counts worked out by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.guides import Guide
from funnel.db.mail import Enrolment, Message, StepSkip
from funnel.db.offers import ChallengeDayDone, ChallengeEntry, Purchase, WaitlistEntry
from funnel.db.people import FunnelEvent, Subscriber, VisitCount
from funnel.db.texts import TextVersion
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.guides import GuideState
from funnel.domain.people import PersonState
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Fact
from funnel.services import control, staff
from funnel.services.reports import cohort, health, mails, moves, weeks
from funnel.services.reports.people import PAGE_SIZE, Whereabouts, people

# A Friday afternoon; the week began on Monday 16 November at 00:00 in London.
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
Sessions = sessionmaker[Session]
OFFER = "lower-back-programme"

SEQUENCE = """
key: {key}
title: {title}
purpose: {purpose}
starts_on: [{starts_on}]
window: 08:00-20:00
steps:
  - key: one
    after: 1 day
  - key: two
    after: 1 day
  - key: three
    after: 1 day
"""


def add_person(
    session: Session,
    facts: dict[Fact, datetime],
    *,
    name: str | None = "Ada",
    email: str | None = None,
    source: str = "google",
    state: PersonState = PersonState.CONFIRMED,
    is_test: bool = False,
    created_at: datetime = NOW,
) -> Subscriber:
    """A person with these facts."""
    address = email or f"{uuid4().hex}@example.org"
    person = Subscriber(
        public_id=uuid4(),
        email=address,
        email_key=address.lower(),
        first_name=name,
        state=state,
        source=source,
        is_test=is_test,
        created_at=created_at,
    )
    session.add(person)
    session.flush()
    session.add_all(
        FunnelEvent(subscriber_id=person.id, fact=fact, occurred_at=when)
        for fact, when in facts.items()
    )
    session.flush()
    return person


def add_texts(session: Session) -> dict[str, int]:
    """One sequence of three mails and two service mails; returns version ids by mail key."""
    sequence = SEQUENCE.format(
        key="nurture", title="The series", purpose="series", starts_on="confirmed"
    )
    sources = {("sequence", "nurture"): sequence}
    for key, subject in {
        "service/confirm": "Please confirm",
        "service/guide_ready": "Your guide is ready{{ first_name or 'there' }}",
        "nurture/one": "First",
        "nurture/two": "Second, {{ first_name or 'there' }}",
        "nurture/three": "Third",
    }.items():
        words = f'---\nsubject: "{subject}"\npreheader: A line below it\n---\n\nHello.\n'
        sources["mail", key] = words.replace("'there'", '\\"there\\"')
    rows = [
        TextVersion(
            kind=kind,
            key=key,
            version=1,
            source=source,
            sha256="0",
            origin="shipped",
            created_at=NOW,
        )
        for (kind, key), source in sources.items()
    ]
    session.add_all(rows)
    session.flush()
    return {row.key: row.id for row in rows if row.kind == "mail"}


def add_message(
    session: Session,
    person: Subscriber,
    mail_key: str,
    version_id: int,
    state: MessageState,
    *,
    created_at: datetime = NOW,
    why: str = "Because.",
    delivery: EventKind | None = None,
    enrolment: Enrolment | None = None,
) -> Message:
    """One mail in one state."""
    message = Message(
        id=uuid4(),
        subscriber_id=person.id,
        enrolment_id=enrolment.id if enrolment else None,
        step_key=mail_key.partition("/")[2] if enrolment else None,
        dedupe_key=uuid4().hex,
        mail_class=MailClass.DRIP if enrolment else MailClass.DELIVER,
        mail_key=mail_key,
        text_version_id=version_id,
        priority=0,
        created_at=created_at,
        due_at=created_at,
        not_before=created_at,
        state=state,
        accepted_at=created_at if state is MessageState.ACCEPTED else None,
        closed_at=created_at,
        delivery=delivery,
        why=why,
    )
    session.add(message)
    session.flush()
    return message


def add_enrolment(
    session: Session,
    person: Subscriber,
    *,
    last_step: str | None = None,
    next_due_at: datetime | None = None,
    why: str = "It is not due before then.",
    state: str = "active",
) -> Enrolment:
    """A place in the series."""
    enrolment = Enrolment(
        subscriber_id=person.id,
        sequence_key="nurture",
        state=state,
        started_at=NOW - 5 * DAY,
        anchor_at=NOW - DAY,
        last_step=last_step,
        next_due_at=next_due_at,
        why=why,
    )
    session.add(enrolment)
    session.flush()
    return enrolment


def _facts(asked: datetime, *more: tuple[Fact, timedelta]) -> dict[Fact, datetime]:
    return {Fact.REQUESTED: asked} | {fact: asked + after for fact, after in more}


CONFIRMED = (Fact.CONFIRMED, HOUR)
OPENED = (Fact.DOWNLOADED, 2 * HOUR)


@pytest.fixture
def funnel_of_ten(sessions: Sessions) -> Sessions:
    """Ten people in the last eight weeks, one before them, one test.

    Five weeks ago: 4 asked, 3 confirmed, 2 opened, 2 joined, 1 finished, 1 waits, 1 bought.
    This week: 6 asked, 4 confirmed, 4 opened, 1 joined at once.
    """
    old, new = NOW - 35 * DAY, NOW - DAY
    walked = [CONFIRMED, OPENED, (Fact.JOINED, 12 * DAY), (Fact.COMPLETED, 17 * DAY)]
    with sessions.begin() as session:
        add_person(
            session,
            _facts(old, *walked, (Fact.WAITLISTED, 19 * DAY), (Fact.PURCHASED, 20 * DAY)),
            source="leaflet",
        )
        add_person(session, _facts(old, CONFIRMED, OPENED, (Fact.JOINED, 12 * DAY)))
        add_person(session, _facts(old, CONFIRMED))
        add_person(session, _facts(old), state=PersonState.PENDING)
        add_person(session, _facts(new, CONFIRMED, OPENED, (Fact.JOINED, 3 * HOUR)))
        for _ in range(3):
            add_person(session, _facts(new, CONFIRMED, OPENED))
        for _ in range(2):
            add_person(session, _facts(new), source="leaflet", state=PersonState.PENDING)
        add_person(session, _facts(NOW - 80 * DAY, *walked))
        add_person(session, _facts(new, *walked), is_test=True)
        session.add_all(
            VisitCount(day=day, page=page, source="google", visits=visits)
            for day, page, visits in [
                ("2026-09-27", "landing", 1000),  # the day before the eight weeks began
                ("2026-09-28", "landing", 30),
                ("2026-11-20", "landing", 10),
                ("2026-11-20", "challenge", 500),
            ]
        )
    return sessions


def _steps(report: cohort.FunnelReport) -> dict[Fact, tuple[int, int, int]]:
    return {step.rule.fact: (step.total, step.rate.did, step.rate.could) for step in report.steps}


def test_funnel_counts_the_cohort_and_only_those_who_had_time(funnel_of_ten: Sessions) -> None:
    with funnel_of_ten.begin() as session:
        report = cohort.funnel(session, now=NOW)
    assert report.since == datetime(2026, 9, 27, 23, 0, tzinfo=UTC)
    assert report.asked == 10
    assert _steps(report) == {
        Fact.CONFIRMED: (7, 7, 10),
        Fact.DOWNLOADED: (6, 6, 7),
        # Of three who confirmed two weeks ago or more, two joined; a third joined this week.
        Fact.JOINED: (3, 2, 3),
        # Both joined 23 days ago; the one who joined yesterday has not had a week.
        Fact.COMPLETED: (1, 1, 2),
        Fact.WAITLISTED: (1, 1, 2),
        Fact.PURCHASED: (1, 1, 1),
    }


def test_visits_are_those_of_the_landing_page_in_the_same_weeks(funnel_of_ten: Sessions) -> None:
    with funnel_of_ten.begin() as session:
        report = cohort.funnel(session, now=NOW)
    assert report.visits == 40
    assert report.asked_rate is not None
    assert (report.asked_rate.did, report.asked_rate.could) == (10, 40)


def test_no_rate_of_visits_where_fewer_were_counted_than_asked(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_person(session, _facts(NOW - DAY))
        assert cohort.funnel(session, now=NOW).asked_rate is None


def test_empty_funnel_is_all_noughts(sessions: Sessions) -> None:
    with sessions.begin() as session:
        report = cohort.funnel(session, now=NOW)
        assert cohort.sources(session, now=NOW) == ()
    assert report.asked == 0
    assert set(_steps(report).values()) == {(0, 0, 0)}


def test_sources_are_ordered_by_who_confirmed(funnel_of_ten: Sessions) -> None:
    with funnel_of_ten.begin() as session:
        found = cohort.sources(session, now=NOW)
    assert [(s.name, s.asked, s.confirmed.did, s.waitlisted) for s in found] == [
        ("google", 7, 6, 0),
        ("leaflet", 3, 1, 1),
    ]


def test_small_sources_are_gathered_at_the_end(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for number in range(10):
            add_person(session, _facts(NOW - DAY, CONFIRMED), source=f"site{number}")
        found = cohort.sources(session, now=NOW)
    assert len(found) == cohort.MAX_SOURCES + 1
    assert (found[-1].name, found[-1].asked, found[-1].confirmed.did) == (None, 2, 2)


def test_week_is_compared_with_last_week_up_to_the_same_time(sessions: Sessions) -> None:
    times = [
        NOW - HOUR,  # this week
        datetime(2026, 11, 16, 0, 0, tzinfo=UTC),  # its very first moment
        datetime(2026, 11, 15, 23, 59, tzinfo=UTC),  # last Sunday night: last week, but later
        NOW - 7 * DAY,  # last week at exactly this time
        NOW - 7 * DAY + HOUR,  # last Friday, an hour later: not yet
        datetime(2026, 11, 9, 0, 0, tzinfo=UTC),  # last Monday
        datetime(2026, 11, 8, 23, 0, tzinfo=UTC),  # the week before
    ]
    with sessions.begin() as session:
        for when in times:
            add_person(session, {Fact.REQUESTED: when})
        add_person(session, {Fact.REQUESTED: NOW - HOUR}, is_test=True)
        found = weeks.week_counts(session, now=NOW)[Fact.REQUESTED]
    assert (found.this_week, found.last_week, found.ever, found.change) == (2, 2, 7, 0)


def test_new_people_are_counted_by_local_weeks(sessions: Sessions) -> None:
    with sessions.begin() as session:
        # 23:30 UTC on Sunday 18 October is Monday 00:30 in London, where summer time still holds.
        add_person(session, {Fact.REQUESTED: datetime(2026, 10, 18, 23, 30, tzinfo=UTC)})
        add_person(session, {Fact.REQUESTED: datetime(2026, 10, 18, 22, 30, tzinfo=UTC)})
        add_person(session, {Fact.REQUESTED: NOW})
        found = weeks.new_people(session, now=NOW, weeks=6)
    assert [(week.monday.isoformat(), week.count) for week in found] == [
        ("2026-10-12", 1),
        ("2026-10-19", 1),
        ("2026-10-26", 0),
        ("2026-11-02", 0),
        ("2026-11-09", 0),
        ("2026-11-16", 1),
    ]


def _join(
    session: Session, name: str, joined_at: datetime, ticked: Iterable[tuple[int, datetime]]
) -> None:
    person = add_person(session, {}, name=name)
    entry = ChallengeEntry(subscriber_id=person.id, joined_at=joined_at)
    entry.days = [ChallengeDayDone(day=day, done_at=when) for day, when in ticked]
    session.add(entry)


def test_people_in_the_challenge_are_on_the_first_day_they_have_not_ticked(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        add_texts(session)
        _join(session, "New", NOW - HOUR, [])
        _join(session, "Moving", NOW - 3 * DAY, [(1, NOW - 2 * DAY), (2, NOW - DAY)])
        _join(session, "Gap", NOW - 6 * DAY, [(1, NOW - 6 * DAY), (3, NOW - 3 * DAY)])
        _join(session, "Long ago", NOW - 29 * DAY, [])
        report = moves.challenge(session, days=5, now=NOW)
    assert [(m.shown_name, m.day, m.is_stuck) for m in report.movers] == [
        ("Moving", 3, False),
        ("Gap", 2, True),
        ("New", 1, False),
    ]
    assert [(day.moving, day.stuck) for day in report.days] == [
        (1, 0), (0, 1), (1, 0), (0, 0), (0, 0)
    ]  # fmt: skip
    assert [mover.shown_name for mover in report.stuck] == ["Gap"]


def test_waiting_list_leaves_out_who_left_bought_or_is_a_test(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _add_staff(session)
        names = ["First", "Second", "Left", "Bought", "Slip", "Test"]
        rows = {name: add_person(session, {}, name=name, is_test=name == "Test") for name in names}
        for at, name in enumerate(names):
            session.add(
                WaitlistEntry(
                    subscriber_id=rows[name].id,
                    offer_key=OFFER,
                    joined_at=NOW + at * HOUR,
                    left_at=NOW + 9 * HOUR if name == "Left" else None,
                )
            )
        for name, voided in [("Bought", None), ("Slip", NOW)]:
            session.add(
                Purchase(
                    subscriber_id=rows[name].id,
                    offer_key=OFFER,
                    marked_by=1,
                    purchased_at=NOW,
                    voided_at=voided,
                )
            )
        session.flush()
        report = moves.offer(session, OFFER)
    assert [row.shown_name for row in report.waiting] == ["First", "Second", "Slip"]
    assert [row.shown_name for row in report.bought] == ["Bought"]


def _add_staff(session: Session) -> None:
    token = staff.make_setup_link(session, now=NOW) or ""
    staff.set_up(
        session, token, name="Dr Reyes", email="r@example.org", password="kettle lamp otter",
        now=NOW,
    )  # fmt: skip


def test_mails_stand_in_the_order_people_get_them(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ids = add_texts(session)
        person = add_person(session, {})
        tester = add_person(session, {}, is_test=True)
        enrolment = add_enrolment(session, person)
        two = ids["nurture/two"]
        add_message(session, person, "nurture/three", ids["nurture/three"], MessageState.SCHEDULED)
        add_message(session, person, "nurture/two", two, MessageState.ACCEPTED)
        add_message(session, person, "nurture/two", two, MessageState.FAILED, why="Refused.")
        add_message(session, person, "nurture/two", two, MessageState.UNCONFIRMED, why="Doubt.")
        add_message(session, person, "nurture/two", two, MessageState.CANCELLED, why="Joined.")
        add_message(session, tester, "nurture/two", two, MessageState.ACCEPTED)
        add_message(
            session, person, "nurture/two", two, MessageState.ACCEPTED, created_at=NOW - 57 * DAY
        )
        add_message(
            session, person, "service/guide_ready", ids["service/guide_ready"],
            MessageState.ACCEPTED,
        )  # fmt: skip
        add_message(
            session, person, "service/confirm", ids["service/confirm"], MessageState.ACCEPTED
        )
        session.add(
            StepSkip(enrolment_id=enrolment.id, step_key="one", occurred_at=NOW, why="They joined.")
        )
        session.flush()
        report = mails.mails(session, now=NOW)
    assert [(m.subject, m.sent, m.waiting, m.held_back, m.failed) for m in report.mails] == [
        ("Please confirm", 1, 0, 0, 0),
        ("Your guide is ready", 1, 0, 0, 0),
        ("First", 0, 0, 1, 0),
        ("Second", 1, 0, 1, 2),
        ("Third", 0, 1, 0, 0),
    ]
    assert [(reason.why, reason.count, reason.is_failure) for reason in report.reasons] == [
        ("Doubt.", 1, True),
        ("Refused.", 1, True),
        ("They joined.", 1, False),
        ("Joined.", 1, False),
    ]


def test_health_tells_what_waits_and_what_went_wrong(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ids = add_texts(session)
        person = add_person(session, {})
        key, version = "service/confirm", ids["service/confirm"]
        add_message(
            session, person, key, version, MessageState.SCHEDULED, created_at=NOW - 20 * HOUR / 60
        )
        add_message(session, person, key, version, MessageState.SCHEDULED, created_at=NOW + HOUR)
        add_message(session, person, key, version, MessageState.UNKNOWN)
        add_message(session, person, key, version, MessageState.UNCONFIRMED)
        add_message(session, person, key, version, MessageState.FAILED)
        add_message(
            session, person, key, version, MessageState.ACCEPTED, delivery=EventKind.BOUNCED
        )
        control.record_tick(session, now=NOW - timedelta(minutes=4))
        found = health.health(session, now=NOW, machine_now=NOW)
    mail = found.mail
    assert (mail.due, mail.oldest_due_at) == (1, NOW - timedelta(minutes=20))
    assert (mail.unknown, mail.unconfirmed, mail.failed, mail.bounced) == (1, 1, 1, 1)
    assert found.is_mail_late
    assert not found.is_silent


def test_paused_mail_is_not_late_and_an_old_tick_is_silence(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ids = add_texts(session)
        person = add_person(session, {})
        add_message(
            session, person, "service/confirm", ids["service/confirm"], MessageState.SCHEDULED,
            created_at=NOW - DAY,
        )  # fmt: skip
        control.pause_sending(session, by="Dr Reyes", now=NOW)
        control.record_tick(session, now=NOW - timedelta(minutes=5))
        found = health.health(session, now=NOW, machine_now=NOW)
    assert found.sending.by == "Dr Reyes"
    assert not found.is_mail_late
    assert found.is_silent


def test_health_of_guides_names_the_newest_and_those_that_wait(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for state, ready in [
            (GuideState.READY, NOW - 2 * HOUR),
            (GuideState.READY, NOW - HOUR),
            (GuideState.REQUESTED, None),
            (GuideState.FAILED, None),
        ]:
            person = add_person(session, {})
            session.add(
                Guide(
                    public_id=uuid4(),
                    subscriber_id=person.id,
                    document={},
                    state=state,
                    requested_at=NOW - 3 * HOUR,
                    not_before=NOW,
                    ready_at=ready,
                    seconds_to_make=2.5 if ready == NOW - HOUR else 9.0,
                    why="",
                )
            )
        session.flush()
        found = health.health(session, now=NOW, machine_now=NOW)
    guides = found.guides
    assert (guides.last_ready_at, guides.seconds) == (NOW - HOUR, 2.5)
    assert (guides.waiting, guides.failed) == (1, 1)
    assert found.is_guide_late


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("ada", ["Ada"]),
        ("ADA LOVE", ["Ada"]),
        ("example", ["Ben", "Ada"]),
        ("100%", ["Ben"]),
        ("%", ["Ben"]),
        ("_", ["Ada"]),
        ("\\", []),
        ("' OR 1=1 --", []),
    ],
)
def test_search_takes_wildcards_as_letters(
    sessions: Sessions, search: str, names: list[str]
) -> None:
    with sessions.begin() as session:
        add_texts(session)
        add_person(session, {}, name="Ada", email="ada_love@example.org", created_at=NOW - HOUR)
        add_person(session, {}, name="Ben", email="ben.100%off@example.org", created_at=NOW)
        found = people(session, search=search)
    assert [row.first_name for row in found.rows] == names


def test_people_are_found_where_they_are(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_texts(session)
        _add_staff(session)
        add_person(session, {}, name="Guide")
        add_person(session, {}, name="Pending", state=PersonState.PENDING)
        add_person(session, {}, name="Gone", state=PersonState.UNSUBSCRIBED)
        add_person(session, {}, name="Bounced", state=PersonState.BOUNCED)
        walker = add_person(session, {}, name="Walker")
        waiter = add_person(session, {}, name="Waiter")
        buyer = add_person(session, {}, name="Buyer", state=PersonState.UNSUBSCRIBED)
        session.add(ChallengeEntry(subscriber_id=walker.id, joined_at=NOW))
        session.add(ChallengeEntry(subscriber_id=waiter.id, joined_at=NOW, completed_at=NOW))
        session.add(WaitlistEntry(subscriber_id=waiter.id, offer_key=OFFER, joined_at=NOW))
        session.add(
            Purchase(subscriber_id=buyer.id, offer_key=OFFER, marked_by=1, purchased_at=NOW)
        )
        session.flush()
        places = {
            where: [row.first_name for row in people(session, where=where).rows]
            for where in Whereabouts
        }
        counts = people(session).counts
    assert places == {
        Whereabouts.GUIDE: ["Guide"],
        Whereabouts.PENDING: ["Pending"],
        Whereabouts.LEFT: ["Gone"],
        Whereabouts.UNREACHABLE: ["Bounced"],
        Whereabouts.CHALLENGE: ["Walker"],
        Whereabouts.FINISHED: [],
        Whereabouts.WAITING: ["Waiter"],
        Whereabouts.BOUGHT: ["Buyer"],
    }
    assert counts == {where: len(names) for where, names in places.items()}


def test_list_goes_by_pages_of_fifty_with_the_same_few_queries(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_texts(session)
        for number in range(PAGE_SIZE + 3):
            person = add_person(session, {}, name=f"N{number}", created_at=NOW + number * HOUR)
            add_enrolment(session, person, next_due_at=NOW + DAY)
    with sessions.begin() as session:
        asked: list[str] = []
        event.listen(session.get_bind(), "before_cursor_execute", lambda *a: asked.append(a[2]))
        first = people(session)
        many = len(asked)
        last = people(session, page=99)
    assert many <= 10
    assert (first.first, first.last, first.found, first.pages) == (1, 50, 53, 2)
    assert (last.page, last.first, last.last) == (2, 51, 53)
    assert [row.first_name for row in last.rows] == ["N2", "N1", "N0"]
    assert first.rows[0].next_mail is not None
    assert first.rows[0].next_mail.subject == "First"
