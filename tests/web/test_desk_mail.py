"""The page that stops mail: the series alone, a series that is held, a restored database."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from funnel.services import control, restored
from tests.support import make
from tests.support.desk import csrf_of, signed_in, text_of
from tests.support.house import START, House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAGE = "/desk/mail/stop"


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


def test_the_series_alone_can_be_stopped_and_then_all_mail(house: House, desk: FlaskClient) -> None:
    form = {"csrf": csrf_of(desk)}
    desk.post(PAGE, data=form | {"what": "series"})
    page = text_of(desk.get(PAGE))
    assert "What people ask for still goes." in page
    make.request(house)
    house.work()
    assert len(house.mailer.accepted) == 1
    assert "The series is stopped" in text_of(desk.get("/desk/people"))
    desk.post(PAGE, data=form)
    assert "Nothing more has left since" in text_of(desk.get(PAGE))
    desk.post("/desk/mail/start", data=form)
    assert "Stop all mail?" in text_of(desk.get(PAGE))


def test_a_held_series_says_why_and_is_let_go_by_a_button(house: House, desk: FlaskClient) -> None:
    with house.rt.sessions.begin() as session:
        control.write(session, control.BRAKE, {"on": True, "why": "3 of 9 mails were reported."})
    assert "3 of 9 mails were reported." in text_of(desk.get(PAGE))
    assert "The series is held" in text_of(desk.get(PAGE))
    desk.post("/desk/mail/release", data={"csrf": csrf_of(desk)})
    assert "The series is held" not in text_of(desk.get(PAGE))


@pytest.mark.parametrize("due", ["skip", "send"])
def test_a_restored_database_asks_for_one_decision(house: House, due: str) -> None:
    make.confirmed(house)
    house.clock.advance(3 * DAY)
    gap = restored.Gap(is_copy=False, since=START + HOUR, until=house.clock.now())
    with house.rt.sessions.begin() as session:
        restored.stand_still(session, gap, clock=house.clock)
    house.hop(HOUR)
    desk = signed_in(house)
    assert len(house.mailer.accepted) == 2, "the confirm mail and the guide, before the restore"
    page = text_of(desk.get(PAGE))
    assert "restored from a backup of 23 November 2026" in page
    assert "1 person was due a series mail since the backup" in page
    banner = text_of(desk.get("/desk/people"))
    assert "restored from a backup of 23 November 2026" in banner
    assert "Funnel itself" not in banner
    assert "sent early by hand since the backup" in page
    form = {"csrf": csrf_of(desk)}
    desk.post("/desk/mail/start", data=form)
    desk.post("/desk/mail/recover", data=form | {"due": "burn"})
    assert "restored from a backup" in text_of(desk.get(PAGE)), "only a decision lets it go"
    desk.post("/desk/mail/recover", data=form | {"due": due})
    assert "Stop all mail?" in text_of(desk.get(PAGE))
    house.hop(DAY)
    has_had_it = any("One small thing" in mail.subject for mail in house.mailer.accepted)
    assert has_had_it == (due == "send")
