"""`funnel doctor` at a terminal."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from funnel import runtime
from funnel.cli import cli
from funnel.cli.doctor import describe
from funnel.db.desk import AuditEntry
from funnel.runtime import Runtime
from funnel.services import control
from funnel.services.proof import SENTENCE
from tests.support.front_door import copy_database
from tests.support.house import SECRET, House
from tests.support.live import DOMAIN, Live, open_live


@pytest.fixture
def live(prepared_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A house in production whose command line meets the same runtime."""
    with open_live(copy_database(prepared_sqlite, tmp_path), tmp_path) as opened:
        kept = _KeptOpen(opened.house.rt)
        monkeypatch.setattr(runtime, "start", lambda _settings: kept)
        yield opened


class _KeptOpen:
    """The runtime, which the command closes and the test goes on with."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt

    def __getattr__(self, name: str) -> object:
        return getattr(self._rt, name)

    def close(self) -> None:
        """Stay open."""


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *words], env={"SECRET_KEY": SECRET})


def held(live: Live) -> str | None:
    with live.house.rt.reading.begin() as session:
        return control.sending_state(session).unproved


def test_what_is_wrong_is_told_first_with_the_very_record_to_paste(live: Live) -> None:
    live.sendgrid.account.add_domain(DOMAIN, is_valid=False)
    told = run()
    assert told.exit_code == 1
    assert told.output.startswith("RED ")
    assert (
        "         Put into your DNS:\n"
        "           type   CNAME\n"
        f"           name   s1._domainkey.{DOMAIN}\n"
        "           value  s1.domainkey.u7.wl.sendgrid.net\n"
    ) in told.output
    assert "Series mail waits. Mail in your name may not be believed yet:" in told.output
    assert held(live) is not None


def test_all_well_is_said_and_lets_series_mail_go(live: Live) -> None:
    live.set_up()
    told = run()
    assert told.exit_code == 0
    assert told.output.endswith("\nSeries mail may go.\n")
    assert "RED" not in told.output
    assert held(live) is None


def test_whoever_types_the_sentence_is_noted(live: Live) -> None:
    told = run("--send-anyway", SENTENCE)
    assert "Series mail goes anyway:" in told.output
    assert held(live) is None
    with live.house.rt.reading.begin() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["let series mail go anyway"]
    taken_back = run("--wait-again")
    assert "Series mail waits." in taken_back.output
    assert held(live) is not None


def test_another_sentence_lets_nothing_go(live: Live) -> None:
    told = run("--send-anyway", "just do it")
    assert told.exit_code != 0
    assert held(live) is not None
    with live.house.rt.reading.begin() as session:
        assert session.scalars(select(AuditEntry.action)).all() == []


def test_no_line_is_longer_than_a_screen_but_a_record(live: Live) -> None:
    told = click.unstyle(describe(live.house.rt.doctor.examine()))
    assert all(len(line) <= 90 or "value" in line or "name" in line for line in told.splitlines())


def settings_of(house: House) -> dict[str, str]:
    return {
        "DATABASE_URL": house.rt.settings.database_url,
        "STORAGE_URL": house.rt.settings.storage_url,
        "MAIL_URL": house.rt.settings.mail_url,
        "SECRET_KEY": SECRET,
    }


def test_where_mail_stays_here_there_is_nothing_to_look_at(house: House) -> None:
    told = CliRunner().invoke(cli, ["doctor"], env=settings_of(house))
    assert (
        told.output == "Mail stays on this machine (mailbox://), so there is nothing to look at.\n"
    )
    assert told.exit_code == 0


def test_outside_production_it_looks_and_holds_nothing(house: House) -> None:
    settings = settings_of(house) | {
        "MAIL_URL": "smtp://127.0.0.1:9",
        "DNS_SERVER": "127.0.0.1:9",
    }
    told = CliRunner().invoke(cli, ["doctor"], env=settings)
    assert told.exit_code == 1
    assert told.output.endswith("\nNothing is held back outside production.\n")
    with house.rt.reading.begin() as session:
        assert not control.sending_state(session).holds_series


def test_a_database_that_is_not_ready_is_said_in_one_sentence(tmp_path: Path) -> None:
    env = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/none.db",
        "MAIL_URL": "smtp://127.0.0.1:9",
        "DNS_SERVER": "127.0.0.1:9",
        "STORAGE_URL": f"file://{tmp_path}/guides",
        "SECRET_KEY": SECRET,
    }
    told = CliRunner().invoke(cli, ["doctor"], env=env)
    assert told.exit_code == 1
    assert "needs `funnel migrate`" in told.output


def test_both_senders_of_a_practice_are_looked_at(live: Live) -> None:
    doctor = live.house.rt.doctor
    setup = replace(doctor.setup, senders=(f"news@mail.{DOMAIN}", f"hello@{DOMAIN}"))
    told = click.unstyle(describe(replace(doctor, setup=setup).examine()))
    assert f"DKIM of mail.{DOMAIN}" in told
    assert f"DKIM of {DOMAIN}\n" in told
