"""Nobody writes to many people before the question about the ICO is answered (C41)."""

from dataclasses import replace
from pathlib import Path

import pytest

from funnel.domain.people import PersonState
from funnel.runtime import build_runtime
from funnel.services import brake, control
from funnel.services.rights.golive import MOST_UNANSWERED, GoLive
from funnel.services.watch import BRAKE_EVERY
from tests.support import make
from tests.support.desk import signed_in, text_of
from tests.support.house import SECRET, House, shipped_catalog
from tests.support.rows import add_person


@pytest.fixture
def unanswered(house: House) -> House:
    """A house that has not answered."""
    watch = replace(house.rt.worker.watch, golive=GoLive(is_answered=False))
    worker = replace(house.rt.worker, watch=watch)
    return replace(house, rt=replace(house.rt, worker=worker))


def people(house: House, count: int) -> None:
    with house.rt.sessions.begin() as session:
        for _ in range(count):
            add_person(session, {})


def held(house: House) -> str | None:
    with house.rt.reading.begin() as session:
        return control.sending_state(session).unanswered


def test_fifty_people_get_the_series_and_the_next_one_holds_it(unanswered: House) -> None:
    house = unanswered
    people(house, MOST_UNANSWERED)
    house.work()
    assert held(house) is None
    people(house, 1)
    make.request(house)
    house.live(BRAKE_EVERY, BRAKE_EVERY)
    assert "registered" in str(held(house))
    assert [mail.to_address for mail in house.mailer.accepted] == ["ada@example.org"], (
        "what people ask for still goes"
    )


def test_it_is_no_brake_and_is_not_let_go_by_hand(unanswered: House) -> None:
    house = unanswered
    people(house, MOST_UNANSWERED + 1)
    house.work()
    with house.rt.sessions.begin() as session:
        assert control.sending_state(session).braked is None
        brake.let_go(session, now=house.clock.now())
        control.resume_sending(session)
        assert control.sending_state(session).holds_series
    with house.rt.sessions.begin() as session:
        control.write(session, control.BRAKE, {"on": True, "why": "3 reports."})
        assert control.sending_state(session).why_held == "3 reports."
        assert control.sending_state(session).unanswered


def test_the_answer_lets_the_series_go(unanswered: House) -> None:
    house = unanswered
    people(house, MOST_UNANSWERED + 1)
    house.work()
    assert held(house)
    watch = replace(house.rt.worker.watch, golive=GoLive(is_answered=True))
    house.clock.advance(BRAKE_EVERY)
    watch.look()
    assert held(house) is None


def test_the_desk_names_the_question_and_offers_no_button_for_it(unanswered: House) -> None:
    people(unanswered, MOST_UNANSWERED + 1)
    unanswered.work()
    desk = signed_in(unanswered)
    page = desk.get("/desk/mail/stop")
    assert "ico_answer in templates/privacy.yaml. Then the series goes on" in text_of(page)
    assert "put all your mail aside" not in page.text
    assert "/desk/mail/release" not in page.text
    assert "The series is held. Over fifty people" in text_of(desk.get("/desk/people"))


def test_test_people_and_people_who_did_not_confirm_do_not_count(unanswered: House) -> None:
    people(unanswered, MOST_UNANSWERED)
    with unanswered.rt.sessions.begin() as session:
        for _ in range(3):
            add_person(session, {}, is_test=True)
            add_person(session, {}, state=PersonState.PENDING)
    unanswered.work()
    assert held(unanswered) is None


@pytest.mark.parametrize(
    ("is_production", "mail", "answer", "is_answered"),
    [
        (True, "smtp://localhost:25", None, False),
        (True, "smtp://localhost:25", "exempt", True),
        (True, "smtp://localhost:25", "registered", True),
        (False, "smtp://localhost:25", None, True),
        (True, "mailbox://var/mailbox", None, True),
    ],
)
def test_the_question_is_for_those_who_write_to_real_people(
    house: House,
    tmp_path: Path,
    is_production: bool,
    mail: str,
    answer: str | None,
    is_answered: bool,
) -> None:
    catalog = shipped_catalog()
    privacy = replace(catalog.privacy, ico_answer=answer)  # type: ignore[arg-type]
    settings = replace(
        house.rt.settings,
        is_production=is_production,
        mail_url=mail.replace("var", str(tmp_path)),
        secret_keys=(SECRET,),
    )
    rt = build_runtime(settings, catalog=replace(catalog, privacy=privacy))
    assert rt.worker.watch.golive.is_answered is is_answered
    rt.close()
