"""Erasing a person: all of it, at once, whatever is going on meanwhile (C35, C22, C6)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from funnel.db.mail import Attempt, MailEvent, Message, RateWindow
from funnel.db.offers import Purchase
from funnel.db.people import ConsentEvent, Subscriber, Suppression
from funnel.domain.errors import LinkInvalid, NotFound
from funnel.domain.people import fingerprint
from funnel.domain.ports import Outcome
from funnel.services import mail_events, offers, suppression
from funnel.services.rights.erasure import BURIAL
from tests.support import make
from tests.support.house import House
from tests.support.rights import erase
from tests.support.rows import add_staff
from tests.support.steps import drip_due

ADA = "ada@example.org"
DAY = timedelta(days=1)


def count(house: House, table: type) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def suppressions(house: House, email: str = ADA) -> set[str]:
    digest = fingerprint(email, house.rt.links.pepper)
    with house.rt.reading.begin() as session:
        query = select(Suppression.reason).where(Suppression.address_hash == digest)
        return set(session.scalars(query))


def tell(house: House, **fields: object) -> None:
    """An event of the provider comes in, and is dealt with."""
    event = {"sg_event_id": uuid4().hex, "event": "delivered", "timestamp": 1, **fields}
    with house.rt.sessions.begin() as session:
        mail_events.take_events(session, [event], now=house.clock.now())
    house.work()


def test_one_person_goes_and_nobody_else(each_house: House) -> None:
    house = each_house
    make.confirmed(house, health=True)
    make.confirmed(house, "bea@example.org", name="Bea")
    before = len(make.messages(house, "bea@example.org"))
    erase(house)
    with pytest.raises(Exception, match="No row was found"):
        make.person(house)
    assert make.messages(house) == []
    assert len(make.messages(house, "bea@example.org")) == before
    assert suppressions(house) == {"erased"}
    with pytest.raises(NotFound), house.rt.sessions.begin() as session:
        house.rt.rights.eraser.erase(session, 4711, now=house.clock.now())


def evidence(house: House) -> list[ConsentEvent]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)))


def test_evidence_stays_as_a_tombstone_that_tells_of_nobody(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    with house.rt.reading.begin() as session:
        query = select(ConsentEvent).order_by(ConsentEvent.id)
        before = [
            (e.id, e.occurred_at, e.purpose, e.wording_sha256) for e in session.scalars(query)
        ]
    erase(house)
    with house.rt.reading.begin() as session:
        stones = list(session.scalars(query))
    assert [(e.id, e.occurred_at, e.purpose, e.wording_sha256) for e in stones] == before
    for stone in stones:
        assert {key: getattr(stone, key) for key in BURIAL} == BURIAL


# What the erasure itself says, and what somebody might want to slip in with it.
BURY = (
    "UPDATE consent_event SET subscriber_id = NULL, user_agent = '', source = '',"
    " seconds_on_page = NULL, ip_truncated = "
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_event SET subscriber_id = NULL",
        "UPDATE consent_event SET ip_truncated = ''",
        f"{BURY} '', is_granted = NOT is_granted",
        f"{BURY} '', purpose = 'other'",
        f"{BURY} '', wording_sha256 = 'x'",
        f"{BURY} '', action = 'x'",
        f"{BURY} '192.0.2.0'",
        "DELETE FROM consent_event",
    ],
)
def test_the_database_lets_no_line_be_changed_but_into_a_tombstone(
    each_house: House, statement: str
) -> None:
    make.request(each_house)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        each_house.rt.sessions.begin() as session,
    ):
        session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_event SET subscriber_id = 1",
        "UPDATE consent_event SET source = 'somewhere'",
        "DELETE FROM consent_event",
    ],
)
def test_a_tombstone_is_never_changed_again(each_house: House, statement: str) -> None:
    make.request(each_house)
    erase(each_house)
    make.request(each_house, "bea@example.org")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        each_house.rt.sessions.begin() as session,
    ):
        session.execute(text(statement))


def test_what_was_paid_stays_without_the_buyer(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        add_staff(session)
        whose, now = make.person(house).id, house.clock.now()
        offers.mark_paid(session, whose, "lower-back-programme", staff_id=1, now=now)
    erase(house)
    with house.rt.reading.begin() as session:
        (bought,) = session.scalars(select(Purchase))
    assert (bought.subscriber_id, bought.offer_key) == (None, "lower-back-programme")
    assert bought.purchased_at == now


def test_her_links_lead_nowhere_any_more(house: House) -> None:
    done = make.confirmed(house)
    erase(house)
    with house.rt.sessions.begin() as session:
        suppression.unsubscribe(  # no error: a mail program may press it for years
            session,
            done.subscriber_handle,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    with pytest.raises(LinkInvalid), house.rt.sessions.begin() as session:
        offers.join_waitlist(
            session, done.subscriber_handle, "lower-back-programme", now=house.clock.now()
        )


def test_how_often_she_asked_is_forgotten_too(house: House) -> None:
    make.request(house, "ada+news@example.org")
    make.request(house, "bea@example.org")
    before = count(house, RateWindow)
    erase(house, "ada+news@example.org")
    folded = fingerprint("ada@example.org", house.rt.links.pepper)
    with house.rt.reading.begin() as session:
        keys = list(session.scalars(select(RateWindow.key)))
    assert len(keys) < before
    assert not [key for key in keys if key.endswith(folded)]
    assert [key for key in keys if key.startswith("confirm-first:")], "Bea's are still there"


def test_no_mail_leaves_once_the_erasure_is_done(each_house: House) -> None:
    """It comes between the letter being written and the intent."""
    house = each_house
    drip_due(house)
    sent = len(house.mailer.accepted)
    sender = house.rt.worker.sender
    with house.rt.sessions.begin() as session:
        drafts = sender._claims.take(session)
    assert drafts
    written = [sender._write(draft) for draft in drafts]
    erase(house)
    with house.rt.sessions.begin() as session:
        assert sender._intend(session, written) == []
    house.live(3 * DAY, DAY)
    assert len(house.mailer.accepted) == sent


@pytest.mark.parametrize("answer", [Outcome.ACCEPTED, Outcome.AMBIGUOUS, Outcome.ADDRESS_REFUSED])
def test_a_mail_in_flight_brings_nobody_back(each_house: House, answer: Outcome) -> None:
    house = each_house
    drip_due(house)
    sent = len(house.mailer.accepted)
    house.mailer.script = [answer]
    gone: list[bool] = []

    def meanwhile() -> None:
        if not gone:
            gone.append(True)
            erase(house)

    house.mailer.during = meanwhile
    house.work()
    house.mailer.during = None
    assert gone
    assert len(house.mailer.accepted) - sent == (answer is Outcome.ACCEPTED)
    after = len(house.mailer.accepted)
    house.live(2 * DAY, DAY)
    assert len(house.mailer.accepted) == after
    assert [count(house, table) for table in (Subscriber, Message, Attempt)] == [0, 0, 0]


def test_late_news_of_her_mail_does_not_bring_her_address_back(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    message = make.messages(house)[0]
    erase(house)
    for kind in ("delivered", "bounce", "spamreport"):
        tell(
            house,
            event=kind,
            email="ADA@example.org",
            send_id=str(message.id),
            reason="550 5.1.1 <ada@example.org> unknown",
        )
    with house.rt.reading.begin() as session:
        bodies = [event.body for event in session.scalars(select(MailEvent))]
    assert bodies == [{"event": "delivered"}, {"event": "bounce"}, {"event": "spamreport"}]
    assert suppressions(house) == {"erased", "bounced", "complained"}
    assert count(house, Subscriber) == 0


def test_news_of_nobody_here_that_fits_no_mail_stays_without_the_address(house: House) -> None:
    make.confirmed(house)
    erase(house)
    tell(house, email="bea@example.org")
    with house.rt.reading.begin() as session:
        (event,) = session.scalars(select(MailEvent))
    assert event.body["event"] == "delivered"
    assert "bea@example.org" not in str(event.body)


def test_late_news_of_who_was_let_go_by_a_timer_brings_no_address_back(each_house: House) -> None:
    house = each_house
    make.request(house)
    house.hop(timedelta(days=8))
    assert count(house, Subscriber) == 0
    reason = "550 <Ada@Example.org> unknown"
    tell(house, event="bounce", email="Ada@Example.org", sg_message_id="x.y", reason=reason)
    with house.rt.reading.begin() as session:
        (event,) = session.scalars(select(MailEvent))
    assert (event.body["event"], event.body["sg_message_id"]) == ("bounce", "x.y")
    assert "ada@example.org" not in str(event.body).lower()
    assert suppressions(house) == {"bounced"}, "which it has been used for"


def test_what_was_told_of_her_complaints_receipt_goes_too(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    make.complain(house, ADA)
    house.work()
    with house.rt.reading.begin() as session:
        stranger = Message.subscriber_id.is_(None)
        receipt = session.scalars(select(Message).where(stranger)).one()
    tell(house, email=ADA, send_id=str(receipt.id))
    erase(house)
    assert count(house, MailEvent) == 0


def test_events_of_hers_that_were_not_dealt_with_yet_go_too(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    event = {"sg_event_id": "e1", "event": "bounce", "email": "Ada@Example.org", "timestamp": 1}
    with house.rt.sessions.begin() as session:
        mail_events.take_events(session, [event], now=house.clock.now())
    erase(house)
    assert count(house, MailEvent) == 0


def test_she_may_come_back_and_gets_mail_only_by_a_fresh_yes(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    erase(house)
    make.request(house)
    house.work()
    assert suppressions(house) == {"erased"}
    make.confirm(house)
    assert suppressions(house) == set()
    house.hop(3 * DAY)
    assert [m for m in make.messages(house) if m.mail_class == "drip" and m.accepted_at]


def test_who_comes_back_without_the_series_gets_none(house: House) -> None:
    make.confirmed(house)
    erase(house)
    make.confirmed(house, series=False)
    house.hop(3 * DAY)
    assert suppressions(house) == {"erased"}
    assert {m.mail_class for m in make.messages(house)} <= {"confirm", "deliver"}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_pressing_everything_at_the_same_instant_leaves_nothing_half_erased(
    each_house: House,
) -> None:
    house = each_house
    for number in range(6):
        make.confirmed(house, f"p{number}@example.org")
    handles = [make.person(house, f"p{number}@example.org").public_id for number in range(6)]

    def unsubscribe(number: int) -> None:
        with house.rt.sessions.begin() as session:
            suppression.unsubscribe(
                session,
                handles[number],
                evidence=make.EVIDENCE,
                links=house.rt.links,
                now=house.clock.now(),
            )

    acts: list[Callable[[], object]] = [house.rt.worker.work_mail] * 3
    for number in range(6):
        acts.append(partial(erase, house, f"p{number}@example.org"))
        acts.append(partial(unsubscribe, number))
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()
    assert [count(house, table) for table in (Subscriber, Message)] == [0, 0]
