"""The brake goes on by itself and comes off by hand."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Attempt, Message
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.ports import MailClass, Outcome
from funnel.services import brake, control
from tests.support.rows import NOW, add_message, add_person, add_texts

Sessions = sessionmaker[Session]
HOUR = timedelta(hours=1)


def add_mails(
    session: Session, mails: int, kind: EventKind | None = None, *, is_test: bool = False
) -> list[Message]:
    """Mails that were taken, an hour ago."""
    person, version = add_person(session, {}, is_test=is_test), _version(session)
    return [
        add_message(
            session,
            person,
            "nurture/one",
            version,
            MessageState.ACCEPTED,
            created_at=NOW - HOUR,
            delivery=kind,
        )
        for _ in range(mails)
    ]


def _version(session: Session) -> int:
    known = session.info.setdefault("versions", {})
    if not known:
        known.update(add_texts(session))
    version: int = known["nurture/one"]
    return version


def refuse(session: Session, message: Message) -> None:
    """The address was refused at the door."""
    message.state = MessageState.FAILED
    session.add(
        Attempt(
            message_id=message.id,
            fence=message.fence,
            started_at=NOW,
            outcome=Outcome.ADDRESS_REFUSED,
        )
    )


def test_three_complaints_hold_the_series_until_somebody_lets_it_go(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_mails(session, 20, EventKind.DELIVERED)
        add_mails(session, 2, EventKind.COMPLAINED)
        brake.watch(session, now=NOW)
        assert not control.sending_state(session).holds_series
        add_mails(session, 1, EventKind.COMPLAINED)
        brake.watch(session, now=NOW)
        state = control.sending_state(session)
        assert state.braked == "3 of the last 23 mails were reported as spam."
        assert state.holds_series
        assert not state.is_paused, "what people asked for still goes"
        control.resume_sending(session)
        assert control.sending_state(session).holds_series, "it is let go by itself alone"
        brake.let_go(session, now=NOW)
        brake.watch(session, now=NOW)
        assert not control.sending_state(session).holds_series, "the same mails do not count again"


def test_mails_after_it_was_let_go_can_put_it_on_again(sessions: Sessions) -> None:
    with sessions.begin() as session:
        brake.let_go(session, now=NOW - 2 * HOUR)
        add_mails(session, 3, EventKind.COMPLAINED)
        brake.watch(session, now=NOW)
        assert control.sending_state(session).holds_series


@pytest.mark.parametrize("how", ["bounced later", "refused at the door"])
def test_addresses_that_do_not_exist_hold_the_series(sessions: Sessions, how: str) -> None:
    with sessions.begin() as session:
        add_mails(session, 15, EventKind.DELIVERED)
        for message in add_mails(session, 5):
            if how == "refused at the door":
                refuse(session, message)
            else:
                message.delivery = EventKind.BOUNCED
        session.flush()
        brake.watch(session, now=NOW)
        assert control.sending_state(session).braked == "5 of the last 20 mails bounced."


def test_strangers_with_invented_addresses_do_not_hold_the_series(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_mails(session, 15, EventKind.DELIVERED)
        for message in add_mails(session, 5, EventKind.BOUNCED):
            message.mail_class = MailClass.CONFIRM
        session.flush()
        brake.watch(session, now=NOW)
        assert not control.sending_state(session).holds_series


def test_only_the_last_mails_of_real_people_count(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for message in add_mails(session, 6, EventKind.BOUNCED):
            message.closed_at = NOW - 3 * HOUR
        add_mails(session, 200, EventKind.DELIVERED)
        add_mails(session, 9, EventKind.COMPLAINED, is_test=True)
        found = brake.tally(session)
        assert (found.mails, found.reports, found.tried, found.bounces) == (206, 0, 200, 0)
