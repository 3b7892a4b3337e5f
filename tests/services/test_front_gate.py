"""The front gate: the proof that is asked for under attack, and who decides."""

import itertools
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Control, RateWindow
from funnel.domain.people import fingerprint
from funnel.domain.proof_of_work import HIGH_MAILS, HIGH_REFUSED, QUIET, ProofMode
from funnel.services import control, front_gate, limits
from tests.support import make
from tests.support.house import House
from tests.support.proofs import EasyProofs

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Sessions = sessionmaker[Session]


def admits(
    sessions: Sessions,
    proof: str = "",
    *,
    proofs: EasyProofs | None = None,
    network: str = "a network",
    now: datetime = NOW,
) -> bool:
    with sessions.begin() as session:
        return front_gate.admits(
            session,
            proof,
            network=network,
            proofs=proofs or EasyProofs(),
            now=now,
            machine=now,
        )


def is_asking(sessions: Sessions, now: datetime = NOW) -> bool:
    with sessions.begin() as session:
        return front_gate.gate_state(session).is_asking(now)


def set_mode(sessions: Sessions, mode: ProofMode) -> None:
    with sessions.begin() as session:
        front_gate.set_mode(session, mode, by="Dr Reyes")


def test_on_a_quiet_day_everybody_may_pass_and_nothing_is_written(sessions: Sessions) -> None:
    assert admits(sessions)
    with sessions.begin() as session:
        for table in (Control, RateWindow):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_proof_opens_the_gate_once(sessions: Sessions) -> None:
    set_mode(sessions, ProofMode.ON)
    proofs = EasyProofs()
    sum_ = proofs.challenge(NOW + front_gate.PROOF_LIFE)
    assert not admits(sessions, "", proofs=proofs)
    assert not admits(sessions, "made up", proofs=proofs)
    assert admits(sessions, sum_, proofs=proofs)
    assert not admits(sessions, sum_, proofs=proofs, network="another network")
    assert admits(sessions, proofs.challenge(NOW + HOUR), proofs=proofs)


def test_many_at_once_use_a_proof_once(sessions: Sessions) -> None:
    set_mode(sessions, ProofMode.ON)
    proofs = EasyProofs()
    sum_ = proofs.challenge(NOW + HOUR)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: admits(sessions, sum_, proofs=proofs), range(16)))
    assert found.count(True) == 1


def test_a_used_proof_is_remembered_for_as_long_as_it_could_be_used(sessions: Sessions) -> None:
    set_mode(sessions, ProofMode.ON)
    proofs = EasyProofs()
    sum_ = proofs.challenge(NOW + front_gate.PROOF_LIFE)
    assert admits(sessions, sum_, proofs=proofs)
    just = NOW + front_gate.PROOF_LIFE - timedelta(seconds=1)
    with sessions.begin() as session:
        limits.forget_old_windows(session, now=just)
    assert not admits(sessions, sum_, proofs=proofs, now=just)
    assert not admits(sessions, sum_, proofs=proofs, now=NOW + front_gate.PROOF_LIFE)


def test_a_proof_of_a_form_that_failed_can_be_used_again(sessions: Sessions) -> None:
    set_mode(sessions, ProofMode.ON)
    proofs = EasyProofs()
    sum_ = proofs.challenge(NOW + HOUR)
    with sessions() as session:
        assert front_gate.admits(session, sum_, network="n", proofs=proofs, now=NOW, machine=NOW)
        session.rollback()
    assert admits(sessions, sum_, proofs=proofs)


def test_forty_confirm_mails_in_an_hour_bring_the_proof_for_everybody(
    each_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house = each_house
    with caplog.at_level(logging.WARNING):
        for number in range(HIGH_MAILS - 1):
            make.request(house, f"p{number}@example.org")
        assert not is_asking(house.rt.sessions, house.clock.now())
        make.request(house, "the-last@example.org")
    assert is_asking(house.rt.sessions, house.clock.now())
    told = [line for line in caplog.messages if "proof of work" in line]
    (line,) = told
    assert line.endswith("from now on: 40 confirm mails were asked for within an hour.")
    house.clock.advance(QUIET)
    assert not is_asking(house.rt.sessions, house.clock.now()), "a quiet hour ends it"


def test_mails_of_an_attack_that_wait_for_later_hours_are_no_new_attack(house: House) -> None:
    for number in range(200):
        make.request(house, f"p{number}@example.org")
    house.clock.advance(QUIET)
    make.request(house, "ada@example.org")
    assert not is_asking(house.rt.sessions, house.clock.now())


def test_requests_over_a_limit_from_many_networks_bring_the_proof(house: House) -> None:
    for number in range(HIGH_REFUSED - 1):
        for _ in range(8):
            make.request(house, f"p{number}@example.org", ip_key=f"network {number}")
    assert not is_asking(house.rt.sessions, house.clock.now())
    for _ in range(8):
        make.request(house, "last@example.org", ip_key="the last network")
    assert is_asking(house.rt.sessions, house.clock.now())


def test_one_network_alone_is_held_by_its_limit_and_troubles_nobody_else(house: House) -> None:
    for number in range(200):
        make.request(house, f"p{number}@example.org", ip_key="one network")
    assert not is_asking(house.rt.sessions, house.clock.now())


def test_one_address_bombed_from_everywhere_brings_the_proof(house: House) -> None:
    for number in range(HIGH_REFUSED + 1):
        make.request(house, "victim@example.org", ip_key=f"network {number}")
    assert is_asking(house.rt.sessions, house.clock.now())


def test_forms_without_a_proof_keep_the_gate_up_for_as_long_as_they_come(
    house: House,
) -> None:
    for number in range(HIGH_REFUSED + 1):
        make.request(house, "victim@example.org", ip_key=f"network {number}")
    for minute in range(0, 180, 5):
        house.clock.advance(5 * MINUTE)
        assert not admits(house.rt.sessions, network=f"robot {minute}", now=house.clock.now()), (
            minute
        )
    house.clock.advance(QUIET)
    assert admits(house.rt.sessions, now=house.clock.now())


@pytest.mark.parametrize(("mode", "asks"), [(ProofMode.ON, True), (ProofMode.OFF, False)])
def test_the_therapist_has_the_last_word(house: House, mode: ProofMode, asks: bool) -> None:
    sessions = house.rt.sessions
    set_mode(sessions, mode)
    assert is_asking(sessions) == asks
    for number in range(HIGH_MAILS):
        make.request(house, f"p{number}@example.org")
    assert is_asking(sessions, house.clock.now()) == asks
    set_mode(sessions, ProofMode.AUTO)
    assert is_asking(sessions, house.clock.now()), "the alarm was felt meanwhile"
    with sessions.begin() as session:
        assert front_gate.gate_state(session).by == "Dr Reyes"


def test_many_at_once_raise_one_alarm(each_house: House, caplog: pytest.LogCaptureFixture) -> None:
    house = each_house
    numbers = itertools.count()
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: make.request(house, f"p{next(numbers)}@example.org"), range(60)))
    assert is_asking(house.rt.sessions, house.clock.now())
    assert sum("proof of work" in line for line in caplog.messages) == 1
    with house.rt.reading.begin() as session:
        assert control.read(session, front_gate.ALARM)["since"]


def test_no_address_and_no_network_stands_in_the_windows(house: House) -> None:
    for _ in range(7):
        make.request(house, "ada@example.org", ip_key="192.0.2.7")
    with house.rt.reading.begin() as session:
        keys = "\n".join(session.scalars(select(RateWindow.key)))
    assert "192.0.2" not in keys
    assert "ada" not in keys
    assert fingerprint("192.0.2.7", house.rt.links.pepper) in keys
