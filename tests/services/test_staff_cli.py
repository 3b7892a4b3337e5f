"""`funnel staff`: a lost phone and a forgotten password, on the server itself."""

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from funnel.cli import cli
from funnel.db.desk import AuditEntry, Staff, StaffSession
from funnel.domain.errors import FunnelError
from funnel.services import passwords
from tests.support.desk import EMAIL, PASSWORD, signed_in
from tests.support.house import SECRET, House
from tests.support.phone import set_up_phone

NEW = "a kettle of seven otters"


def run(house: House, *words: str, typed: str = "") -> Result:
    env = {
        "DATABASE_URL": house.rt.settings.database_url,
        "STORAGE_URL": house.rt.settings.storage_url,
        "MAIL_URL": house.rt.settings.mail_url,
        "SECRET_KEY": SECRET,
    }
    return CliRunner().invoke(cli, ["staff", *words], env=env, input=typed)


def person(house: House) -> Staff:
    with house.rt.reading.begin() as session:
        return session.scalars(select(Staff)).one()


def live_sessions(house: House) -> int:
    with house.rt.reading.begin() as session:
        return len(
            session.scalars(select(StaffSession).where(StaffSession.ended_at.is_(None))).all()
        )


def last_act(house: House) -> str:
    with house.rt.reading.begin() as session:
        return (
            session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())).first() or ""
        )


def test_a_lost_phone_is_taken_away_and_it_is_written_down(house: House) -> None:
    set_up_phone(house, signed_in(house))
    done = run(house, "reset-second-factor", f" {EMAIL.upper()} ")
    assert done.exit_code == 0
    assert done.output.startswith("Done.")
    assert person(house).second_factor_at is None
    assert live_sessions(house) == 0
    assert last_act(house) == "took the second step away on the server"


def test_a_forgotten_password_is_replaced_and_the_phone_stays(house: House) -> None:
    set_up_phone(house, signed_in(house))
    done = run(house, "set-password", EMAIL, typed=f"{NEW}\n{NEW}\n")
    assert done.exit_code == 0
    assert NEW not in done.output
    assert passwords.is_password(person(house).password_hash, NEW)
    assert not passwords.is_password(person(house).password_hash, PASSWORD)
    assert person(house).second_factor_at is not None
    assert live_sessions(house) == 0


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["reset-second-factor", "nobody@example.org"], "", "no account with that address"),
        (["reset-second-factor", "nonsense"], "", "address"),
        (["set-password", EMAIL], "short\nshort\n", "at least 12 characters"),
        (["set-password", "nobody@example.org"], f"{NEW}\n{NEW}\n", "no account"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    house: House, words: list[str], typed: str, said: str
) -> None:
    signed_in(house)
    result = run(house, *words, typed=typed)
    assert isinstance(result.exception, FunnelError)
    assert said in str(result.exception)
    assert live_sessions(house) == 1
