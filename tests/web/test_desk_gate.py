"""The front gate at the desk: how it stands, and the switch."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from funnel.db.desk import AuditEntry
from funnel.domain.proof_of_work import HIGH_MAILS, ProofMode
from funnel.services import front_gate
from tests.support import make
from tests.support.desk import csrf_of, signed_in, text_of
from tests.support.house import House

PAGE = "/desk/gate"


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


def attack(house: House) -> None:
    for number in range(HIGH_MAILS):
        make.request(house, f"p{number}@example.org")


def test_on_a_quiet_day_it_says_so_in_a_sentence(house: House, desk: FlaskClient) -> None:
    make.request(house)
    assert "The front gate is open" in text_of(desk.get(PAGE))
    assert "Nobody floods your forms" in text_of(desk.get("/desk/"))


def test_under_attack_the_overview_says_since_when_and_why(house: House, desk: FlaskClient) -> None:
    attack(house)
    for page in (PAGE, "/desk/"):
        shown = text_of(desk.get(page))
        assert "Visitors are asked for a small proof" in shown
        assert "40 confirm mails were asked for within an hour." in shown


@pytest.mark.parametrize(
    ("mode", "says"),
    [("on", "Dr Reyes asked for it."), ("off", "Dr Reyes switched the proof off")],
)
def test_the_switch_is_noted_and_can_be_taken_back(
    house: House, desk: FlaskClient, mode: str, says: str
) -> None:
    make.request(house)
    form = {"csrf": csrf_of(desk)}
    assert desk.post(PAGE, data=form | {"mode": mode}).headers["Location"].endswith(PAGE)
    assert says in text_of(desk.get(PAGE))
    assert "Dr Reyes" in text_of(desk.get("/desk/"))
    with house.rt.reading.begin() as session:
        assert front_gate.gate_state(session).mode == ProofMode(mode)
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.subject, "proof" in entry.action) == ("the front gate", True)
    desk.post(PAGE, data=form | {"mode": "auto"})
    assert "The front gate is open" in text_of(desk.get(PAGE))


def test_the_pages_of_this_process_know_at_once(desk: FlaskClient) -> None:
    assert "altcha" not in desk.get("/").text
    desk.post(PAGE, data={"csrf": csrf_of(desk), "mode": "on"})
    assert "altcha-widget" in desk.get("/").text


def test_switched_off_during_an_attack_it_warns(house: House, desk: FlaskClient) -> None:
    attack(house)
    desk.post(PAGE, data={"csrf": csrf_of(desk), "mode": "off"})
    assert "Somebody is flooding your forms just now" in text_of(desk.get(PAGE))
    assert "nothing stops a flood of forms" in text_of(desk.get("/desk/"))


def test_looking_changes_nothing_and_a_made_up_mode_is_refused(
    house: House, desk: FlaskClient
) -> None:
    desk.get(PAGE)
    assert desk.post(PAGE, data={"csrf": csrf_of(desk), "mode": "maybe"}).status_code == 400
    assert desk.post(PAGE, data={"mode": "on"}).status_code == 403
    with house.rt.reading.begin() as session:
        assert front_gate.gate_state(session).mode is ProofMode.AUTO
