"""The one reminder to confirm: off unless the practice wants it, and never a second one (C10)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from funnel.db.people import Confirmation, Subscriber
from funnel.db.rights import ErasureJob
from funnel.domain.delivery import MessageState
from funnel.domain.people import PersonState, SuppressionReason
from funnel.services import reminding, suppression
from tests.support import make
from tests.support.house import House, link_in
from tests.support.rights import erase
from tests.support.steps import sender_of

DAY = timedelta(days=1)
REMINDER = "Would you still like your guide?"


def remind(house: House, after: timedelta = DAY) -> int:
    with house.rt.sessions.begin() as session:
        return reminding.remind_due(
            session, after=after, links=house.rt.links, now=house.clock.now()
        )


def subjects(house: House) -> list[str]:
    return [email.subject for email in house.mailer.offered]


def asked(house: House, **wishes: bool) -> None:
    make.request(house, ip_key=f"ip {house.clock.now()}", **wishes)  # type: ignore[arg-type]  # flags
    house.work()


def test_nobody_is_reminded_unless_the_practice_wants_it(house: House) -> None:
    assert house.rt.catalog.house_rules.confirm_reminder is None
    asked(house)
    house.live(6 * DAY, step=timedelta(hours=6))
    assert subjects(house) == ["Please confirm your email"]


def test_the_worker_reminds_once_when_the_practice_wants_it(each_house: House) -> None:
    house = each_house
    asked(house)
    worker = replace(house.rt.worker, remind_after=DAY)
    for _ in range(24):
        house.clock.advance(timedelta(hours=6))
        worker.mail_round()
    assert subjects(house) == ["Please confirm your email", REMINDER]
    went = make.message(house, "service/confirm_reminder").accepted_at
    assert went == house.mailer.offered[0].created_at + DAY


def test_its_link_is_that_of_the_request_and_it_says_that_it_is_the_only_one(house: House) -> None:
    asked(house)
    house.clock.advance(DAY)
    remind(house)
    house.work()
    first, second = house.mailer.offered
    assert link_in(first, "/confirm/") == link_in(second, "/confirm/")
    assert "This is the only reminder." in second.text
    assert "Ada" not in second.text, "a stranger may have typed it"
    make.confirm(house)
    assert make.person(house).state == PersonState.CONFIRMED


def test_it_goes_only_once_however_often_it_is_thought_of(house: House) -> None:
    asked(house)
    house.clock.advance(DAY)
    assert [remind(house), remind(house)] == [1, 0]
    house.clock.advance(3 * DAY)
    assert remind(house) == 0


@pytest.mark.parametrize(
    ("wait", "many"), [(DAY - timedelta(seconds=1), 0), (DAY, 1), (7 * DAY, 0)]
)
def test_it_goes_after_its_time_and_while_the_link_is_open(
    house: House, wait: timedelta, many: int
) -> None:
    asked(house)
    house.clock.advance(wait)
    assert remind(house) == many


def test_one_old_address_that_is_none_today_stops_no_other_reminder(house: House) -> None:
    asked(house)
    make.request(house, "bea@example.org", ip_key="another")
    house.work()
    with house.rt.sessions.begin() as session:
        is_ada = Subscriber.email == "ada@example.org"
        session.execute(update(Subscriber).where(is_ada).values(email="ada@@example"))
    house.clock.advance(DAY)
    assert remind(house) == 2
    house.work()
    assert [mail.subject for mail in house.mailer.to("bea@example.org")][-1] == REMINDER


def test_a_reminder_that_fails_holds_up_no_other_part_of_the_work(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise ValueError

    monkeypatch.setattr(reminding, "remind_due", fail)
    make.confirmed(house)
    erase(house)
    house.clock.advance(DAY)
    replace(house.rt.worker, remind_after=DAY).tick()
    assert "the next round comes" in caplog.text
    with house.rt.reading.begin() as session:
        assert session.scalars(select(ErasureJob)).all() == [], "what comes after it was done"


def test_whoever_confirmed_is_not_reminded(house: House) -> None:
    make.confirmed(house)
    house.clock.advance(DAY)
    assert remind(house) == 0


def test_a_reminder_that_waits_is_taken_back_by_the_press(each_house: House) -> None:
    house = each_house
    asked(house)
    house.clock.advance(DAY)
    remind(house)
    sender_of(house, lambda _: make.confirm(house)).send_batch()
    house.work()
    assert REMINDER not in subjects(house)
    assert make.message(house, "service/confirm_reminder").state == MessageState.CANCELLED


def test_nobody_is_reminded_of_a_mail_that_never_went(house: House) -> None:
    make.request(house)
    house.clock.advance(DAY)
    assert remind(house) == 0
    house.work()
    assert remind(house) == 0, "its day begins when the mail has gone"
    house.clock.advance(DAY)
    assert remind(house) == 1


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_an_address_to_be_left_alone_is_not_reminded(
    house: House, reason: SuppressionReason
) -> None:
    asked(house)
    with house.rt.sessions.begin() as session:
        suppression.suppress_address(
            session, "ada@example.org", reason, links=house.rt.links, now=house.clock.now()
        )
    house.clock.advance(DAY)
    remind(house)
    house.work()
    assert REMINDER not in subjects(house)


def test_whoever_left_since_is_not_reminded(house: House) -> None:
    asked(house)
    make.unsubscribed(house)
    house.clock.advance(DAY)
    assert remind(house) == 0


def test_it_counts_among_the_three_mails_of_a_month(house: House) -> None:
    asked(house)
    for _ in range(2):
        house.clock.advance(2 * DAY)
        asked(house)
    house.clock.advance(DAY)
    assert remind(house) == 1
    house.work()
    assert subjects(house) == ["Please confirm your email"] * 3
    house.clock.advance(DAY)
    assert remind(house) == 0, "and it is not thought of again"


def test_a_reminder_uses_up_one_of_the_three(house: House) -> None:
    asked(house)
    house.clock.advance(DAY)
    remind(house)
    for _ in range(3):
        house.clock.advance(2 * DAY)
        asked(house)
    assert subjects(house).count("Please confirm your email") == 2


def test_of_two_requests_only_the_newer_is_reminded_of(house: House) -> None:
    asked(house)
    house.clock.advance(timedelta(hours=1))
    make.request(house, series=False, ip_key="elsewhere")
    house.clock.advance(DAY)
    assert [remind(house), remind(house)] == [1, 0]
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(Confirmation).order_by(Confirmation.id)).all()
    assert [row.reminded_at is not None for row in rows] == [False, True]
