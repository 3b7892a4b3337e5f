"""How mails fared, and whether everything works."""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.orm import Session, sessionmaker

from funnel.db.guides import Guide, GuidePrint
from funnel.db.mail import StepSkip
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.guides import Edition, GuideState
from funnel.services import control
from funnel.services.reports import health, mails
from tests.support.rows import DAY, HOUR, NOW, add_enrolment, add_message, add_person, add_texts

Sessions = sessionmaker[Session]


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


def a_print(
    guide: Guide | None, state: GuideState, made_at: datetime | None, attempt: int
) -> GuidePrint:
    return GuidePrint(
        guide=guide,
        house_pattern=None if guide else "",
        edition=Edition.GUIDE,
        state=state,
        requested_at=NOW - 3 * HOUR,
        not_before=NOW,
        attempt=attempt,
        made_at=made_at,
        seconds_to_make=2.5 if made_at == NOW - HOUR else 9.0,
        why="The press jammed.",
    )


def test_health_of_guides_names_the_newest_and_those_that_wait(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for state, made, attempt in [
            (GuideState.READY, NOW - 2 * HOUR, 0),
            (GuideState.READY, NOW - HOUR, 0),
            (GuideState.REQUESTED, None, 1),
            (GuideState.FAILED, None, 5),
        ]:
            guide = Guide(
                public_id=uuid4(),
                subscriber_id=add_person(session, {}).id,
                document={},
                requested_at=NOW - 3 * HOUR,
            )
            session.add(a_print(guide, state, made, attempt))
        session.add(a_print(None, GuideState.REQUESTED, None, 2))
        session.flush()
        found = health.health(session, now=NOW, machine_now=NOW)
    guides = found.guides
    assert (guides.last_ready_at, guides.seconds) == (NOW - HOUR, 2.5)
    assert (guides.waiting, guides.failed, guides.house_failed) == (1, 1, 1)
    assert guides.why == "The press jammed."
    assert guides.without_plain == 1, "the plain copy was never made"
    assert found.is_guide_late


def test_only_plain_copies_are_there_to_stand_in_for_a_guide(sessions: Sessions) -> None:
    with sessions.begin() as session:
        guide = Guide(
            public_id=uuid4(),
            subscriber_id=add_person(session, {}).id,
            document={},
            requested_at=NOW - 3 * HOUR,
        )
        session.add(a_print(guide, GuideState.FAILED, None, 5))
        plain = a_print(None, GuideState.REQUESTED, NOW - DAY, 0)
        plain.storage_key = "an older one"
        preview = a_print(None, GuideState.FAILED, None, 5)
        preview.house_pattern, preview.why = "a pattern", "That pattern has no figure."
        session.add_all([plain, preview])
        session.flush()
        guides = health.health(session, now=NOW, machine_now=NOW).guides
    assert (guides.failed, guides.without_plain, guides.house_failed) == (1, 0, 0)
    assert guides.why == "The press jammed."
