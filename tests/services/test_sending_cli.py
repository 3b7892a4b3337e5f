"""`funnel stop` and `funnel resume`."""

import pytest
from click.testing import CliRunner, Result

from funnel.cli import cli
from funnel.services import control, restored
from funnel.services.control import SendingState
from tests.support.house import SECRET, START, House


def run(house: House, *words: str) -> Result:
    env = {
        "DATABASE_URL": house.rt.settings.database_url,
        "STORAGE_URL": house.rt.settings.storage_url,
        "MAIL_URL": house.rt.settings.mail_url,
        "SECRET_KEY": SECRET,
    }
    return CliRunner().invoke(cli, words, env=env)


def state_of(house: House) -> SendingState:
    with house.rt.reading.begin() as session:
        return control.sending_state(session)


@pytest.mark.parametrize(("words", "is_all"), [(["stop"], True), (["stop", "--series"], False)])
def test_mail_is_stopped_and_let_go(house: House, words: list[str], *, is_all: bool) -> None:
    assert "is stopped. Due and waiting: 0 of the series, 0 other." in run(house, *words).output
    assert (state_of(house).is_paused, state_of(house).holds_series) == (is_all, True)
    assert run(house, "resume").output == "Mail goes again.\n"
    assert not state_of(house).holds_series


def test_a_restored_database_goes_on_by_a_decision_only(house: House) -> None:
    gap = restored.Gap(is_copy=True, since=START, until=house.clock.now())
    with house.rt.sessions.begin() as session:
        restored.stand_still(session, gap, clock=house.clock)
    refused = run(house, "resume")
    assert refused.exit_code == 2
    assert "Say --due skip or --due send." in refused.output
    assert state_of(house).is_paused
    done = run(house, "resume", "--due", "skip")
    assert done.output == (
        "Mail goes again. 0 places go on, 0 mails were passed over.\n"
        "From the journal: 0 erased again, 0 left alone again.\n"
    )
    assert not state_of(house).is_paused
