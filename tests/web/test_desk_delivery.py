"""The desk's page "Delivery": findings with records to copy, meters, news, and its buttons."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.desk import AuditEntry
from funnel.db.mail import Attempt, MailEvent
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.flow import Limits
from funnel.domain.ports import MailClass, Outcome
from funnel.services import control, proof
from funnel.services.proof import SENTENCE
from funnel.services.reports.delivery import Delivery, delivery
from funnel.web.desk import access
from tests.support import make
from tests.support.desk import PASSWORD, csrf_of, signed_in, text_of
from tests.support.front_door import copy_database
from tests.support.house import House
from tests.support.live import DOMAIN, Live, open_live
from tests.support.phone import set_up_phone
from tests.support.rows import NOW, add_message, add_person, add_texts

PAGE = "/desk/delivery"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITE = f"https://{DOMAIN}"


@pytest.fixture
def live(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Live]:
    with open_live(copy_database(prepared_sqlite, tmp_path), tmp_path) as opened:
        yield opened


@pytest.fixture
def desk(live: Live) -> FlaskClient:
    """Dr Reyes's browser, signed in in two steps."""
    browser = signed_in(live.house)
    set_up_phone(live.house, browser, SITE)
    return browser


def page(desk: FlaskClient) -> str:
    return text_of(desk.get(PAGE, base_url=SITE))


def press(desk: FlaskClient, button: str, **fields: str) -> int:
    found = desk.get("/desk/people", base_url=SITE).text
    token = found.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": token} | fields
    return desk.post(f"{PAGE}/{button}", data=form, base_url=SITE).status_code


def is_held(live: Live) -> bool:
    with live.house.rt.reading.begin() as session:
        return control.sending_state(session).holds_series


def audit(live: Live) -> list[str]:
    with live.house.rt.reading.begin() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_before_the_first_look_it_says_so_and_offers_one(live: Live, desk: FlaskClient) -> None:
    shown = page(desk)
    assert "Nobody has looked yet" in shown
    assert "Look now" in shown
    assert press(desk, "look") == 303
    waiting = desk.get(PAGE, base_url=SITE)
    assert "Being looked at" in text_of(waiting)
    assert waiting.headers["Refresh"] == "5"
    live.house.clock.advance(timedelta(seconds=10))
    live.house.work()
    looked = desk.get(PAGE, base_url=SITE)
    assert "Last looked" in text_of(looked)
    assert "Refresh" not in looked.headers


def test_a_page_left_open_stops_asking_when_no_worker_answers(
    live: Live, desk: FlaskClient
) -> None:
    assert press(desk, "look") == 303
    live.house.clock.advance(timedelta(minutes=1, seconds=55))
    assert "Refresh" in desk.get(PAGE, base_url=SITE).headers
    live.house.clock.advance(timedelta(seconds=5))
    waiting = desk.get(PAGE, base_url=SITE)
    assert "Refresh" not in waiting.headers
    assert "No worker has answered yet" in text_of(waiting)
    assert "Look now" in text_of(waiting)
    assert press(desk, "look") == 303
    assert "Refresh" in desk.get(PAGE, base_url=SITE).headers


def test_where_mail_stays_on_the_machine_the_page_never_comes_again_by_itself(
    house: House,
) -> None:
    desk = signed_in(house)
    assert desk.post(f"{PAGE}/look", data={"csrf": csrf_of(desk)}).status_code == 303
    assert "Refresh" not in desk.get(PAGE).headers


def test_sending_all_the_same_asks_for_the_password_again(live: Live, desk: FlaskClient) -> None:
    live.house.rt.doctor.look()
    live.house.clock.advance(timedelta(minutes=6))
    assert press(desk, "anyway", sentence=SENTENCE) == 403
    assert is_held(live)
    assert press(desk, "anyway", sentence=SENTENCE, **{access.AGAIN: PASSWORD}) == 303
    assert not is_held(live)


def test_a_missing_record_is_shown_to_be_copied_whole(live: Live, desk: FlaskClient) -> None:
    live.sendgrid.account.add_domain(DOMAIN, is_valid=False)
    live.house.rt.doctor.look()
    shown = desk.get(PAGE, base_url=SITE).text
    for part in ("CNAME", f"s1._domainkey.{DOMAIN}", "s1.domainkey.u7.wl.sendgrid.net"):
        assert f'<code class="record__value">{part}</code>' in shown
    assert "The series waits for it." in text_of(desk.get(PAGE, base_url=SITE))


def test_what_stands_in_the_dns_is_shown_as_letters(live: Live, desk: FlaskClient) -> None:
    live.set_up()
    live.dns.zone[DOMAIN]["MX"] = ["10 mx.example.net."]
    report = live.house.rt.doctor.examine()
    findings = tuple(
        replace(each, title="<script>alert(1)</script>", say="{{ 7 * 7 }} <b>x</b>")
        for each in report.findings
    )
    with live.house.rt.sessions.begin() as session:
        proof.record(session, replace(report, findings=findings))
    shown = desk.get(PAGE, base_url=SITE).text
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "{{ 7 * 7 }} &lt;b&gt;" in shown


def test_all_well_is_said_in_one_sentence(live: Live, desk: FlaskClient) -> None:
    live.set_up()
    live.house.rt.doctor.look()
    shown = page(desk)
    assert "Mail in your name is believed, and everything is as it should be." in shown
    assert "What asks for something" not in shown
    assert "Send all the same" not in shown


def test_d1_the_sentence_must_be_typed_and_is_written_down(live: Live, desk: FlaskClient) -> None:
    live.house.rt.doctor.look()
    refused = desk.get(PAGE, base_url=SITE)
    assert f"type: {SENTENCE}" in text_of(refused)
    assert press(desk, "anyway", sentence="yes please") == 422
    assert is_held(live)
    assert press(desk, "anyway", sentence=SENTENCE.lower()) == 303
    assert not is_held(live)
    assert "Dr Reyes said so" in page(desk)
    assert press(desk, "wait") == 303
    assert is_held(live)
    assert audit(live) == [
        "set up the desk",
        "set up the second step",
        "let series mail go anyway",
        "let series mail wait again",
    ]


@pytest.mark.parametrize("button", ["look", "anyway", "wait", "replay"])
def test_no_button_works_by_a_link_or_without_its_token(
    live: Live, desk: FlaskClient, button: str
) -> None:
    live.house.rt.doctor.look()
    path = f"{PAGE}/{button}"
    assert desk.get(path, base_url=SITE).status_code in {404, 405}
    assert desk.post(path, data={"sentence": SENTENCE}, base_url=SITE).status_code == 403
    assert is_held(live)
    assert audit(live) == ["set up the desk", "set up the second step"]


def test_every_page_says_that_the_series_is_held_and_where_to_look(
    live: Live, desk: FlaskClient
) -> None:
    make.confirmed(live.house)
    live.house.rt.doctor.look()
    assert "The series waits" in text_of(desk.get("/desk/", base_url=SITE))
    people = text_of(desk.get("/desk/people", base_url=SITE))
    assert "The series is held. Mail in your name may not be believed yet" in people
    person = desk.get(f"/desk/people/{make.person(live.house).id}", base_url=SITE)
    assert "The series is held: Mail in your name" in text_of(person)
    stop = desk.get("/desk/mail/stop", base_url=SITE)
    assert "See what is in the way" in text_of(stop)


def test_events_put_aside_are_played_again_by_a_button(live: Live, desk: FlaskClient) -> None:
    with live.house.rt.sessions.begin() as session:
        session.add(
            MailEvent(
                id="x",
                received_at=NOW,
                occurred_at=NOW,
                kind=EventKind.BOUNCED,
                body={"email": "stranger@example.org"},
                handled_at=NOW,
                problem="ValueError",
            )
        )
    shown = page(desk)
    assert "ValueError" in shown
    assert "stranger" not in shown
    assert press(desk, "replay") == 303
    live.house.work()
    assert "Put aside: not understood 0" in page(desk)


def test_the_lists_and_the_webhook_say_when_they_were_heard(live: Live, desk: FlaskClient) -> None:
    live.sendgrid.account.forbidden.add("/v3/suppression/bounces")
    live.house.work()
    shown = page(desk)
    assert "The key may not read: bounces." in shown
    assert "Last event of the webhook None yet" in shown


def test_where_mail_stays_here_there_is_nothing_to_look_at(house: House) -> None:
    desk = signed_in(house)
    shown = text_of(desk.get(PAGE))
    assert "Mail stays on this machine for now" in shown
    assert "Look now" not in shown
    assert desk.post(f"{PAGE}/look", data={"csrf": csrf_of(desk)}).status_code == 303
    assert "Being looked at" not in text_of(desk.get(PAGE))


# The figures -------------------------------------------------------------------------------------


def read(sessions: sessionmaker[Session], limits: Limits | None = None) -> Delivery:
    with sessions.begin() as session:
        return delivery(session, now=NOW, machine=NOW, limits=limits or Limits())


def test_d4_only_mails_of_the_last_thirty_days_that_arrived_are_counted(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        version = add_texts(session)["nurture/one"]

        def add(
            kind: EventKind | None,
            *,
            ago: timedelta = DAY,
            state: MessageState = MessageState.ACCEPTED,
            is_test: bool = False,
            mail_class: MailClass = MailClass.DRIP,
        ) -> None:
            person = add_person(session, {}, is_test=is_test)
            message = add_message(
                session, person, "x", version, state, created_at=NOW - ago, delivery=kind
            )
            message.mail_class = mail_class
            if state is MessageState.FAILED:
                refused = Outcome.ADDRESS_REFUSED
                session.add(
                    Attempt(message_id=message.id, fence=0, started_at=NOW, outcome=refused)
                )

        for kind in (None, EventKind.DELIVERED, EventKind.COMPLAINED, EventKind.UNSUBSCRIBED):
            add(kind)
        for kind in (EventKind.BOUNCED, EventKind.DROPPED, EventKind.BLOCKED):
            add(kind)
        add(None, state=MessageState.FAILED)
        add(EventKind.BOUNCED, mail_class=MailClass.CONFIRM)
        add(EventKind.COMPLAINED, mail_class=MailClass.CONFIRM)
        add(EventKind.COMPLAINED, ago=31 * DAY)
        add(EventKind.COMPLAINED, is_test=True)
        add(None, state=MessageState.SCHEDULED)
        add(None, state=MessageState.CANCELLED)
    found = read(sessions)
    assert (found.complaints.count, found.complaints.mails) == (2, 5)
    assert (found.bounces.count, found.bounces.mails) == (2, 8)


@pytest.mark.parametrize(
    ("begun_days_ago", "day"), [(0, 1), (2, 3), (7, 8), (8, None), (-3, 1), (None, None)]
)
def test_the_day_of_the_warm_up(
    sessions: sessionmaker[Session], begun_days_ago: int | None, day: int | None
) -> None:
    begun = None if begun_days_ago is None else (NOW - begun_days_ago * DAY).date()
    assert read(sessions, Limits(per_second=5, warm_up_from=begun)).warm_up_day == day
