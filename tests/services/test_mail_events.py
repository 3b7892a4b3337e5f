"""What the provider tells after the fact."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy.event
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from funnel.db.mail import MailEvent, Message
from funnel.db.people import Consent, Subscriber, Suppression
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import PersonState, SuppressionReason, fingerprint
from funnel.domain.ports import Outcome
from funnel.services import mail_events
from tests.support import make
from tests.support.events import Event, about, sent_drip, take, tell
from tests.support.house import House, PowerCut, TakenButLost
from tests.support.steps import CONFIRM, DRIP, send, state_of


def reasons(house: House, email: str = "ada@example.org") -> set[str]:
    mark = fingerprint(email, house.rt.links.pepper)
    with house.rt.reading.begin() as session:
        query = select(Suppression.reason).where(Suppression.address_hash == mark)
        return set(session.scalars(query))


def test_h1_each_event_is_stored_once_however_often_it_comes(each_house: House) -> None:
    house = each_house
    message = sent_drip(house)
    names = ["processed", "deferred", "delivered", "open", "click", "spamreport"]
    events = [about(message, name) for name in names]
    crowd = events * 50
    random.Random(7).shuffle(crowd)
    new = sum(take(house, *crowd[start : start + 60]) for start in range(0, len(crowd), 60))
    assert new == len(events)
    tell(house)
    assert make.message(house, DRIP).delivery == EventKind.COMPLAINED
    assert take(house, *events) == 0
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.count()).select_from(MailEvent)) == len(events)
        assert session.scalars(select(MailEvent).where(MailEvent.handled_at.is_(None))).all() == []


def test_events_without_an_id_are_told_apart_by_what_they_say(house: House) -> None:
    message = sent_drip(house)
    event = about(message, "dropped", reason="Bounced Address")
    del event["sg_event_id"]
    assert take(house, event, event, {**event, "timestamp": 1795000001}) == 2


@pytest.mark.parametrize("order", range(6))
def test_every_order_of_bounce_complaint_and_unsubscribe_ends_alike(
    house: House, order: int
) -> None:
    message = sent_drip(house)
    events = [about(message, name) for name in ("bounce", "spamreport", "unsubscribe")]
    random.Random(order).shuffle(events)
    for event in events:
        tell(house, event)
    assert make.person(house).state == PersonState.COMPLAINED
    assert reasons(house) == {"bounced", "complained", "unsubscribed"}
    assert make.message(house, DRIP).delivery == EventKind.COMPLAINED


@pytest.mark.parametrize(
    "kept",
    [("send_id",), ("smtp-id",), ("sg_message_id",), ("email",)],
    ids=lambda kept: kept[0],
)
def test_h4_an_event_finds_its_message_by_whatever_it_still_carries(
    each_house: House, kept: tuple[str]
) -> None:
    house = each_house
    message = sent_drip(house)
    event = about(message, "bounce")
    for key in {"send_id", "smtp-id", "sg_message_id", "email"} - set(kept):
        del event[key]
    tell(house, event)
    assert make.person(house).state == PersonState.BOUNCED
    found = make.message(house, DRIP).delivery
    assert found == (EventKind.BOUNCED if kept != ("email",) else None)


def test_our_own_id_counts_before_the_providers(house: House) -> None:
    message = sent_drip(house)
    other = make.message(house, CONFIRM)
    event = about(message, "delivered", sg_message_id=f"{other.provider_id}.filter")
    tell(house, event)
    assert make.message(house, DRIP).delivery == EventKind.DELIVERED
    assert make.message(house, CONFIRM).delivery is None


@pytest.mark.parametrize(
    ("event", "more", "state", "reason"),
    [
        ("bounce", {"type": "bounce"}, PersonState.BOUNCED, "bounced"),
        ("spamreport", {}, PersonState.COMPLAINED, "complained"),
        ("unsubscribe", {}, PersonState.UNSUBSCRIBED, "unsubscribed"),
        ("group_unsubscribe", {}, PersonState.UNSUBSCRIBED, "unsubscribed"),
        ("dropped", {"reason": "Bounced Address"}, PersonState.BOUNCED, "bounced"),
    ],
)
def test_h5_hard_news_suppresses_and_stops_everything(
    each_house: House, event: str, more: Event, state: PersonState, reason: SuppressionReason
) -> None:
    house = each_house
    tell(house, about(sent_drip(house), event, **more))
    assert make.person(house).state == state
    assert reasons(house) == {reason}
    assert make.person(house).consents == []
    assert make.enrolment(house, "nurture").state == EnrolmentState.STOPPED
    house.mailer.offered.clear()
    house.hop(timedelta(days=20))
    assert not house.mailer.offered


@pytest.mark.parametrize(
    ("event", "more"),
    [
        ("bounce", {"type": "blocked"}),
        ("deferred", {}),
        ("dropped", {"reason": "Recipient List over Package Quota"}),
        ("processed", {}),
        ("delivered", {}),
        ("open", {}),
        ("made-up", {}),
    ],
)
def test_h5_soft_news_stops_nothing(house: House, event: str, more: Event) -> None:
    tell(house, about(sent_drip(house), event, **more))
    assert make.person(house).state == PersonState.CONFIRMED
    assert reasons(house) == set()
    house.mailer.offered.clear()
    house.hop(timedelta(days=3))
    assert len(house.mailer.offered) == 1


def test_h2_an_event_that_comes_before_the_answer_closes_the_message(each_house: House) -> None:
    house = each_house
    make.request(house)

    def overtake() -> None:
        tell(house, about(make.message(house, CONFIRM), "delivered"))

    house.mailer.during = overtake
    house.mailer.script = [Outcome.AMBIGUOUS]
    send(house)
    message = make.message(house, CONFIRM)
    assert message.state == MessageState.ACCEPTED
    assert message.delivery == EventKind.DELIVERED


@pytest.mark.parametrize("event", ["processed", "delivered", "deferred", "bounce"])
def test_news_of_a_doubted_message_proves_that_it_arrived(house: House, event: str) -> None:
    make.request(house)
    house.mailer.script = [TakenButLost(Outcome.AMBIGUOUS)]
    send(house)
    tell(house, about(make.message(house, CONFIRM), event))
    assert state_of(house, CONFIRM) == MessageState.ACCEPTED
    house.hop(timedelta(hours=1))
    assert len(house.mailer.offered) == 1, "a late event beats a planned second copy"


def test_news_beats_a_second_copy_that_is_already_planned(house: House) -> None:
    make.request(house)
    house.mailer.script = [TakenButLost(PowerCut())]
    with pytest.raises(PowerCut):
        send(house)
    house.clock.advance(timedelta(seconds=91))
    house.rt.worker.sweeper.sweep()
    house.clock.advance(timedelta(seconds=61))
    house.rt.worker.sweeper.sweep()
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED
    tell(house, about(make.message(house, CONFIRM), "delivered"))
    house.work()
    assert len(house.mailer.offered) == 1


def test_an_open_is_no_proof_of_anything(house: House) -> None:
    make.request(house)
    house.mailer.script = [Outcome.AMBIGUOUS]
    send(house)
    tell(house, about(make.message(house, CONFIRM), "open"))
    assert state_of(house, CONFIRM) == MessageState.UNKNOWN


def test_news_of_a_message_that_was_never_tried_does_not_close_it(house: House) -> None:
    make.request(house)
    tell(house, about(make.message(house, CONFIRM), "delivered"))
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED


POISON: list[object] = [
    None,
    "text",
    17,
    [],
    [{"event": "bounce"}],
    {},
    {"event": None},
    {"event": ["bounce"], "email": {"a": 1}},
    {"event": "bounce", "email": "not an address", "sg_event_id": "p1"},
    {"event": "bounce", "email": "a\0@x.com", "sg_event_id": "nul\0id"},
    {"event": "bounce", "email": "\ud800@x.com", "sg_event_id": "\ud800"},
    {"event": "bounce", "sg_event_id": "x" * 10_000, "reason": "y" * 100_000},
    {"event": "delivered", "timestamp": "soon", "sg_event_id": "p2"},
    {"event": "delivered", "timestamp": 1e400, "sg_event_id": "p3"},
    {"event": "delivered", "timestamp": float("nan"), "sg_event_id": "p4"},
    {"event": "delivered", "timestamp": -5, "sg_event_id": "p5"},
    {"event": "delivered", "timestamp": 1795000000000, "sg_event_id": "p6"},
    {"event": "delivered", "timestamp": True, "sg_event_id": "p7"},
    {"event": "delivered", "send_id": "not-a-uuid", "smtp-id": "<>", "sg_event_id": "p8"},
    {"event": "delivered", "sg_message_id": "", "sg_event_id": ["list"]},
    {"event": "delivered", "sg_message_id": "nul\0", "sg_event_id": "p9"},
]


def test_h8_a_poisonous_event_does_not_stop_the_batch(each_house: House) -> None:
    house = each_house
    message = sent_drip(house)
    tell(house, *POISON, about(message, "spamreport"))
    assert make.person(house).state == PersonState.COMPLAINED
    with house.rt.reading.begin() as session:
        assert session.scalars(select(MailEvent).where(MailEvent.handled_at.is_(None))).all() == []


def test_a_database_away_for_a_moment_loses_no_complaint(each_house: House) -> None:
    house = each_house
    take(house, about(sent_drip(house), "spamreport"))

    def fail(_: object, __: object, statement: str, *___: object) -> None:
        if "INSERT INTO suppression" in statement:
            raise OperationalError(statement, {}, Exception("the connection was lost"))

    sqlalchemy.event.listen(house.rt.engine, "before_cursor_execute", fail)
    with pytest.raises(OperationalError):
        tell(house)
    sqlalchemy.event.remove(house.rt.engine, "before_cursor_execute", fail)
    tell(house)
    assert reasons(house) == {SuppressionReason.COMPLAINED}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_same_events_in_another_order_are_stored_side_by_side(each_house: House) -> None:
    house = each_house
    first, second = ({"event": "open", "sg_event_id": each} for each in "ab")
    is_waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with house.rt.sessions.begin() as session:
            mail_events.take_events(session, [first], now=house.clock.now())
            other = pool.submit(take, house, second, first)
            while not session.scalar(is_waiting):
                assert not other.done()
                time.sleep(0.01)
            mail_events.take_events(session, [second], now=house.clock.now())
        assert other.result() == 0


def test_an_event_of_an_unknown_kind_in_the_table_is_put_aside(house: House) -> None:
    message = sent_drip(house)
    take(house, about(message, "bounce"), about(message, "delivered"))
    with house.rt.sessions.begin() as session:
        session.scalars(select(MailEvent).where(MailEvent.kind == "delivered")).one().kind = "?"
    tell(house)
    with house.rt.reading.begin() as session:
        problems = session.scalars(select(MailEvent.problem)).all()
    assert sorted(map(str, problems)) == ["None", "ValueError"]
    assert make.person(house).state == PersonState.BOUNCED


def test_bad_news_of_a_stranger_suppresses_the_bare_address(each_house: House) -> None:
    house = each_house
    tell(house, {"event": "bounce", "email": "Stranger@Example.org", "sg_event_id": "1"})
    assert reasons(house, "stranger@example.org") == {"bounced"}
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Subscriber)).all() == []
    make.request(house, "stranger@example.org")
    house.work()
    assert not house.mailer.offered


def test_an_event_keeps_no_more_than_it_needs(house: House) -> None:
    message = sent_drip(house)
    take(house, about(message, "delivered", ip="192.0.2.1", useragent="x", category=["secret"]))
    with house.rt.reading.begin() as session:
        body = session.scalars(select(MailEvent.body)).one()
    assert set(body) <= set(mail_events.KEPT_FIELDS)


def test_the_events_own_time_is_kept_where_it_can_be_believed(house: House) -> None:
    message = sent_drip(house)
    soon = house.clock.now() - timedelta(minutes=3)
    take(
        house,
        about(message, "processed", timestamp=int(soon.timestamp())),
        about(message, "delivered", timestamp=99999999999),
    )
    with house.rt.reading.begin() as session:
        rows = session.execute(select(MailEvent.kind, MailEvent.occurred_at))
        times = {row.kind: row.occurred_at for row in rows}
    assert times == {"processed": soon, "delivered": house.clock.now()}


def test_an_event_for_someone_already_suppressed_changes_nothing(house: House) -> None:
    message = sent_drip(house)
    tell(house, about(message, "spamreport"))
    before = make.person(house).unsubscribed_at
    tell(house, about(message, "delivered"))
    assert make.person(house).state == PersonState.COMPLAINED
    assert make.person(house).unsubscribed_at == before
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Consent)).all() == []


# Mails of one request share the provider's id ----------------------------------------------------


def two_of_one_request(house: House) -> tuple[Message, Message]:
    """Ada's and Ben's first confirm mails, as if one request had carried both."""
    make.request(house, "ben@example.org")
    make.request(house)
    while send(house):
        pass
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(provider_id="shared"))
    return make.message(house, CONFIRM), make.message(house, CONFIRM, "ben@example.org")


def only_by_provider_id(message: Message, email: str | None) -> Event:
    event = about(message, "bounce", sg_message_id="shared.filter1", email=email)
    return {
        key: value for key, value in event.items()
        if key not in {"send_id", "smtp-id"} and value is not None
    }  # fmt: skip


@pytest.mark.parametrize("mine", [0, 1], ids=["ada", "ben"])
def test_a_bounce_of_one_mail_of_a_request_meets_only_its_reader(
    each_house: House, mine: int
) -> None:
    house = each_house
    emails = ["ada@example.org", "ben@example.org"]
    messages = two_of_one_request(house)
    tell(house, only_by_provider_id(messages[mine], emails[mine]))
    delivery = [make.message(house, CONFIRM, email).delivery for email in emails]
    states = [make.person(house, email).state for email in emails]
    expected = [mine == at for at in range(2)]
    assert [found == EventKind.BOUNCED for found in delivery] == expected
    assert [state == PersonState.BOUNCED for state in states] == expected


@pytest.mark.parametrize("email", [None, "cleo@example.org", "nobody"])
def test_a_bounce_that_fits_no_reader_of_a_request_meets_none(
    house: House, email: str | None
) -> None:
    messages = two_of_one_request(house)
    tell(house, only_by_provider_id(messages[0], email))
    emails = ["ada@example.org", "ben@example.org"]
    assert [make.message(house, CONFIRM, each).delivery for each in emails] == [None, None]
    assert PersonState.BOUNCED not in {make.person(house, each).state for each in emails}
