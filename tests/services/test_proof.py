"""Series mail waits until it is proved that it will be believed, or until somebody says so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.deliverability import NEVER_LOOKED, Finding, Light, Report
from funnel.domain.errors import InvalidInput
from funnel.domain.ports import MailClass
from funnel.services import brake, control, proof
from funnel.services.proof import SENTENCE
from tests.support import make
from tests.support.house import House
from tests.support.live import Live, open_live
from tests.support.rows import NOW

Sessions = sessionmaker[Session]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def report(at: datetime = NOW, **lights: Light) -> Report:
    return Report(at, tuple(Finding(k, light, k.upper(), "Found.") for k, light in lights.items()))


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with open_live(database_url, tmp_path) as opened:
        yield opened


# The switch --------------------------------------------------------------------------------------


def test_nothing_is_held_where_no_proof_is_asked_for(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert not control.sending_state(session).holds_series
        proof.record(session, report(spf=Light.RED))
        assert not control.sending_state(session).holds_series


def test_where_it_is_asked_for_series_mail_waits_until_somebody_looked(sessions: Sessions) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        state = control.sending_state(session)
        assert (state.unproved, state.holds_series, state.is_paused) == (NEVER_LOOKED, True, False)
        proof.record(session, report(spf=Light.AMBER))
        assert not control.sending_state(session).holds_series
        proof.require(session, is_required=True, setup="")
        assert not control.sending_state(session).holds_series, "asking again changes nothing"


def test_red_holds_and_green_lets_go(sessions: Sessions) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        proof.record(session, report(spf=Light.RED, dkim=Light.GREEN))
        assert control.sending_state(session).unproved == (
            "Mail in your name may not be believed yet: SPF."
        )
        proof.record(session, report(spf=Light.GREEN))
        assert control.sending_state(session).unproved is None


def test_a_report_of_another_set_up_is_none_and_its_excuse_is_over(sessions: Sessions) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="old")
        proof.record(session, replace(report(spf=Light.GREEN, dkim=Light.RED), setup="old"))
        proof.send_anyway(session, SENTENCE, by="Dr Reyes", now=NOW)
        proof.require(session, is_required=True, setup="new")
        assert control.sending_state(session).unproved == NEVER_LOOKED
        assert proof.proof(session).report is None
        proof.record(session, replace(report(spf=Light.UNKNOWN, dkim=Light.RED), setup="new"))
        assert control.sending_state(session).unproved == (
            "Mail in your name may not be believed yet: SPF, DKIM."
        ), "what was known of the other set-up says nothing here"
        proof.record(session, replace(report(spf=Light.GREEN), setup="old"))
        assert control.sending_state(session).unproved == NEVER_LOOKED


def test_outside_production_a_hold_ends_and_comes_back_with_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        proof.record(session, report(spf=Light.RED))
        proof.require(session, is_required=False, setup="")
        assert not control.sending_state(session).holds_series
        proof.require(session, is_required=True, setup="")
        assert control.sending_state(session).holds_series


@pytest.mark.parametrize(
    "typed", [SENTENCE, f"  {SENTENCE.upper()}. ", f"“{SENTENCE}”", SENTENCE.replace(" ", "  ")]
)
def test_whoever_types_the_sentence_lets_it_go(sessions: Sessions, typed: str) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        proof.record(session, report(spf=Light.RED, dkim=Light.UNKNOWN))
        proof.send_anyway(session, typed, by="Dr Reyes", now=NOW)
        assert not control.sending_state(session).holds_series
        known = proof.proof(session)
        assert (known.is_overridden, known.by, known.excused_at) == (True, "Dr Reyes", NOW)
        proof.hold_again(session)
        assert control.sending_state(session).holds_series


@pytest.mark.parametrize("typed", ["", "yes", "I understand", f"{SENTENCE} not", "x" * 10_000])
def test_anything_else_that_is_typed_changes_nothing(sessions: Sessions, typed: str) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        proof.record(session, report(spf=Light.RED))
        with pytest.raises(InvalidInput, match=SENTENCE):
            proof.send_anyway(session, typed, by="Dr Reyes", now=NOW)
        assert control.sending_state(session).holds_series


def test_nobody_can_let_go_what_nobody_has_looked_at(sessions: Sessions) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        with pytest.raises(InvalidInput, match="Look first"):
            proof.send_anyway(session, SENTENCE, by="Dr Reyes", now=NOW)


def test_what_comes_in_the_way_later_holds_again_and_so_does_the_same_trouble_anew(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        proof.record(session, report(spf=Light.RED))
        proof.send_anyway(session, SENTENCE, by="Dr Reyes", now=NOW)
        proof.record(session, report(spf=Light.RED, dkim=Light.RED))
        assert control.sending_state(session).unproved == (
            "Mail in your name may not be believed yet: DKIM."
        )
        proof.record(session, report(spf=Light.GREEN, dkim=Light.GREEN))
        proof.record(session, report(spf=Light.RED, dkim=Light.GREEN))
        assert control.sending_state(session).holds_series


def test_a_report_comes_back_from_the_database_as_it_was(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = report(spf=Light.RED, dkim=Light.UNKNOWN)
        proof.record(session, made)
    with sessions.begin() as session:
        assert proof.proof(session).report == made


def test_a_wish_is_taken_by_one_worker_alone(sessions: Sessions) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        assert not proof.take_wish(session, now=NOW)
        proof.ask_look(session, now=NOW)
        proof.ask_look(session, now=NOW)
        assert [proof.take_wish(session, now=NOW) for _ in range(2)] == [True, False]
        assert control.sending_state(session).holds_series, "a wish lets nothing go"
        assert proof.proof(session).is_wanted, "until somebody has looked"
        assert proof.take_wish(session, now=NOW + proof.WISH_LASTS), "the first one died over it"
        proof.record(session, report(spf=Light.RED))
        assert not proof.proof(session).is_wanted
        assert not proof.take_wish(session, now=NOW + HOUR)


# The house in production -------------------------------------------------------------------------


def drips(house: House) -> int:
    return sum(mail.mail_class is MailClass.DRIP for mail in house.mailer.accepted)


def test_d1_series_mail_waits_and_service_mail_goes_until_the_doctor_is_content(
    live: Live,
) -> None:
    house = live.house
    make.confirmed(house)
    house.hop(3 * DAY)
    assert drips(house) == 0
    assert len(house.mailer.accepted) == 2, "the confirm mail and the guide"
    live.set_up()
    house.hop(DAY)
    assert drips(house) == 1, "the worker looked again by itself"


def test_mail_that_waited_goes_on_spaced_as_after_the_brake(live: Live) -> None:
    house = live.house
    make.confirmed(house)
    house.hop(9 * DAY)
    assert drips(house) == 0
    live.set_up()
    days = []
    for _ in range(5):
        before = drips(house)
        house.hop(DAY)
        days.append(drips(house) - before)
    assert max(days) == 1, "never two in a day, however many were due"
    assert sum(days) >= 2


def test_the_sentence_lets_real_mail_go(live: Live) -> None:
    house = live.house
    make.confirmed(house)
    house.work()
    with house.rt.sessions.begin() as session:
        proof.send_anyway(session, SENTENCE, by="Dr Reyes", now=house.clock.machine())
    house.hop(2 * DAY)
    assert drips(house) == 1


def test_the_brake_and_the_doctor_are_let_go_each_by_itself(sessions: Sessions) -> None:
    with sessions.begin() as session:
        proof.require(session, is_required=True, setup="")
        control.write(session, control.BRAKE, {"on": True, "why": "3 reports."})
        control.resume_sending(session)
        brake.let_go(session, now=NOW)
        assert control.sending_state(session).unproved == NEVER_LOOKED
        proof.record(session, report(spf=Light.GREEN))
        assert not control.sending_state(session).holds_series


def test_a_new_version_holds_before_its_first_worker_sends(live: Live) -> None:
    with live.house.rt.reading.begin() as session:
        assert control.sending_state(session).unproved == NEVER_LOOKED
