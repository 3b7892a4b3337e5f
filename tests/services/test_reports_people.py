"""Who is where: the list of people, the challenge, the waiting list."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.offers import ChallengeDayDone, ChallengeEntry, Purchase, WaitlistEntry
from funnel.db.people import Consent
from funnel.domain.delivery import MessageState
from funnel.domain.people import PersonState, Purpose
from funnel.services.advancing import SequenceEngine
from funnel.services.reports import moves
from funnel.services.reports.people import PAGE_SIZE, Concern, Whereabouts
from funnel.services.reports.people import people as people_report
from tests.support.rows import (
    DAY,
    HOUR,
    NOW,
    add_enrolment,
    add_message,
    add_person,
    add_staff,
    add_texts,
)

Sessions = sessionmaker[Session]
OFFER = "lower-back-programme"

ENGINE = SequenceEngine(b"pepper")
people = partial(people_report, engine=ENGINE, now=NOW)


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
        report = moves.challenge(session, days=5, engine=ENGINE, now=NOW)
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
        add_staff(session)
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
        add_staff(session)
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


def test_people_to_look_after_are_those_held_or_with_a_failed_mail(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ids = add_texts(session)
        version = ids["service/confirm"]
        add_person(session, {}, name="Well")
        add_enrolment(session, add_person(session, {}, name="Held"), state="held")
        for name, state in [("Failed", MessageState.FAILED), ("Doubt", MessageState.UNCONFIRMED)]:
            person = add_person(session, {}, name=name)
            add_message(session, person, "service/confirm", version, state)
        found = {
            concern: {row.first_name for row in people(session, concern=concern).rows}
            for concern in Concern
        }
        counts = people(session).concerns
    assert found == {Concern.HELD: {"Held"}, Concern.FAILED: {"Failed", "Doubt"}}
    assert counts == {Concern.HELD: 1, Concern.FAILED: 2}


def test_list_goes_by_pages_of_fifty_with_the_same_few_queries(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_texts(session)
        for number in range(PAGE_SIZE + 3):
            person = add_person(session, {}, name=f"N{number}", created_at=NOW + number * HOUR)
            session.add(Consent(subscriber_id=person.id, purpose=Purpose.SERIES, given_at=NOW))
            add_enrolment(session, person, next_due_at=NOW + DAY)
    with sessions.begin() as session:
        asked: list[str] = []
        event.listen(session.get_bind(), "before_cursor_execute", lambda *a: asked.append(a[2]))
        first = people(session)
        many = len(asked)
        last = people(session, page=99)
    assert many <= 20
    assert (first.first, first.last, first.found, first.pages) == (1, 50, 53, 2)
    assert (last.page, last.first, last.last) == (2, 51, 53)
    assert [row.first_name for row in last.rows] == ["N2", "N1", "N0"]
    assert first.rows[0].next_mail is not None
    assert first.rows[0].next_mail.subject == "First"
