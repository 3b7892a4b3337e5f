"""Settings that are wrong are named in one sentence; nothing fails in silence or with a trace."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from funnel.checks import check_settings, findings_of, refuse_errors
from funnel.domain.errors import SettingInvalid
from funnel.runtime import build_runtime, start
from funnel.settings import NOBODYS, Settings

KEY = "for-these-tests-only-and-long-enough"
PRODUCTION = {
    "PRODUCTION": "on",
    "BASE_URL": "https://funnel.example",
    "TRUSTED_PROXIES": "1",
    "SECRET_KEY": KEY,
    "MAIL_URL": "smtps://mail.example.org",
}
ALLOWED = ("me@real.site", "gmx.net")


def codes(**changed: str) -> set[str]:
    """The codes of the errors that these settings have."""
    found = check_settings(Settings.from_env(PRODUCTION | changed))
    return {finding.code for finding in found if finding.is_error}


def test_good_settings_have_no_error() -> None:
    assert codes() == set()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SECRET_KEY", "", "S01"),
        ("SECRET_KEY", "short", "S01"),
        ("SECRET_KEY", "x" * 64, "S01"),
        ("SECRET_KEY", "changeme" * 8, "S01"),
        ("SECRET_KEY", f"{KEY} short", "S01"),
        ("BASE_URL", "https://[half", "S02"),
        ("BASE_URL", "https://funnel.example:port", "S02"),
        ("BASE_URL", "https://funnel.example:99999", "S02"),
        ("BASE_URL", "https://funnel.example/shop", "S02"),
        ("BASE_URL", "https://funnel.example?a=b", "S02"),
        ("BASE_URL", "https://me@funnel.example", "S02"),
        ("BASE_URL", "https://fünnel.example", "S02"),
        ("BASE_URL", "funnel.example", "S02"),
        ("BASE_URL", "", "S02"),
        ("BASE_URL", "http://funnel.example", "S03"),
        ("DATABASE_URL", "", "S04"),
        ("DATABASE_URL", "mysql://localhost/funnel", "S04"),
        ("DATABASE_URL", "postgresql://localhost:port/funnel", "S04"),
        ("MAIL_URL", "", "S05"),
        ("MAIL_URL", "smpt://mail.example.org", "S05"),
        ("MAIL_URL", "mailbox://var/mailbox", "S06"),
        ("MAIL_URL", "sendgrid://SG.key", "S07"),
        ("BROKER_URL", "redis", "S08"),
        ("BROKER_URL", "amqp://localhost", "S08"),
        ("TRUSTED_PROXIES", "0", "S09"),
        ("LISTEN", "8000", "S10"),
        ("LISTEN", "127.0.0.1", "S10"),
        ("LISTEN", ":8000", "S10"),
        ("LISTEN", "127.0.0.1:99999", "S10"),
        ("LISTEN", "127.0.0.1:web", "S10"),
        ("LISTEN", "::1:8000", "S10"),
        ("STORAGE_URL", "s3://bucket/guides", "S11"),
        ("STORAGE_URL", "var/guides", "S11"),
        ("STORAGE_URL", "file://", "S11"),
        ("MAIL_URL", "smtp://mail.example.org:port", "S12"),
        ("MAIL_URL", "smtp://[half", "S12"),
        ("MAIL_URL", "smtp://mail.example.org?startls=1", "S12"),
        ("MAIL_URL", "smtps://mail.example.org/path", "S12"),
        ("DKIM_SELECTOR", "not a name", "S15"),
        ("SPF_INCLUDE", "v=spf1 include:x ~all", "S15"),
    ],
)
def test_a_wrong_setting_is_found_by_its_number(name: str, value: str, code: str) -> None:
    assert codes(**{name: value}) == {code}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SENDING", "of"),
        ("SENDING", ""),
        ("PRODUCTION", "yes"),
        ("TRUSTED_PROXIES", "²"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "1" * 5000),
        ("SECRET_KEY_FILE", "/no/such/file"),
        ("SECRET_KEY_FILE", "\0"),
    ],
)
def test_a_setting_that_cannot_be_read_is_told_in_one_sentence(name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=rf"^{name} [^\n]*\.$"):
        Settings.from_env(PRODUCTION | {name: value})


def test_a_file_that_is_no_text_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingInvalid, match="SECRET_KEY_FILE names a file that is not plain text"):
        Settings.from_env(PRODUCTION | {"SECRET_KEY_FILE": str(tmp_path / "key")})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("HTTPS://Funnel.Example/", "https://funnel.example"),
        ("https://funnel.example:443", "https://funnel.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_address_of_the_site_is_kept_as_browsers_write_it(typed: str, kept: str) -> None:
    assert Settings.from_env(PRODUCTION | {"BASE_URL": typed}).base_url == kept


@pytest.mark.parametrize(
    ("listen", "place"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("localhost:8000", ("localhost", 8000)),
        ("[::1]:8000", ("::1", 8000)),
    ],
)
def test_the_place_to_listen_on_is_a_host_and_a_port(listen: str, place: tuple[str, int]) -> None:
    assert codes(LISTEN=listen) == set()
    assert Settings(listen=listen).place == place


def test_production_refuses_to_start_and_names_every_error() -> None:
    settings = Settings.from_env(
        PRODUCTION | {"SECRET_KEY": "", "MAIL_URL": "", "TRUSTED_PROXIES": "0"}
    )
    with pytest.raises(SettingInvalid) as refused:
        start(settings)
    for code in ("S01", "S05", "S09", "B01"):
        assert f"\n{code} error: " in str(refused.value)


def test_away_from_production_what_is_not_filled_in_stops_nothing() -> None:
    settings = replace(Settings(), secret_keys=(KEY,))
    refuse_errors(settings)
    assert {finding.code for finding in findings_of(settings)} >= {"B01", "B02"}


def test_c29_a_mail_whose_name_tells_of_health_is_named_and_stops_nothing(tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(Settings.templates_path, templates)
    nurture = templates / "sequences" / "nurture"
    shutil.copy(nurture / "08-what-next.md", nurture / "09-bad-knees.md")
    settings = replace(Settings(), templates_path=str(templates))
    found = [finding for finding in findings_of(settings) if finding.code == "W03"]
    assert [finding.is_error for finding in found] == [False, False]
    said = sorted(map(str, found))
    assert "02-why-hips.md: 'hips' in the name tells of health." in said[0]
    assert "09-bad-knees.md: 'knees' in the name tells of health." in said[1]
    assert all("SendGrid counts it as 'nurture' only" in each for each in said)


def test_a_limit_is_a_whole_number_or_off() -> None:
    smtp = {"SECRET_KEY": KEY, "MAIL_URL": "smtp://mail.example.org"}
    assert Settings.from_env(smtp).send_rate == 5
    assert Settings.from_env(smtp | {"SEND_RATE": "50"}).send_rate == 50
    assert Settings.from_env(smtp | {"SEND_RATE": "off"}).send_rate is None
    for wrong in ("0", "-1", "fast", "1.5", "none"):
        with pytest.raises(SettingInvalid, match="SEND_RATE must be a whole number"):
            Settings.from_env(smtp | {"SEND_RATE": wrong})
    assert Settings.from_env({"SECRET_KEY": KEY}).send_rate is None


def test_the_first_day_of_the_warm_up_is_a_day() -> None:
    env = {"SECRET_KEY": KEY}
    assert Settings.from_env(env).warm_up is None
    assert str(Settings.from_env(env | {"WARM_UP": "2027-03-01"}).warm_up) == "2027-03-01"
    with pytest.raises(SettingInvalid, match="WARM_UP must be a day"):
        Settings.from_env(env | {"WARM_UP": "the first of March"})


@pytest.mark.parametrize(
    ("changed", "recipients"),
    [
        ({}, None),
        ({"PRODUCTION": "off"}, NOBODYS),
        ({"PRODUCTION": "off", "MAIL_URL": "mailbox://var/mailbox"}, None),
        ({"PRODUCTION": "off", "ALLOWED_RECIPIENTS": "*"}, None),
        ({"PRODUCTION": "off", "ALLOWED_RECIPIENTS": "Me@Real.site gmx.net"}, ALLOWED),
        ({"ALLOWED_RECIPIENTS": "me@real.site gmx.net"}, ALLOWED),
    ],
)
def test_outside_production_a_real_provider_gets_nobodys_names_alone(
    changed: dict[str, str], recipients: tuple[str, ...] | None
) -> None:
    settings = Settings.from_env(PRODUCTION | changed)
    assert settings.recipients == recipients
    assert ("S13" in {each.code for each in settings.check()}) == (recipients is not None)


def test_settings_show_no_secret_however_they_are_printed() -> None:
    secrets = {
        "SECRET_KEY": "first-key-of-more-than-thirty-two-characters second-" + KEY,
        "DATABASE_URL": "postgresql://funnel:hush-database@localhost/funnel",
        "MAIL_URL": "smtps://me:hush-mail@mail.example.org",
        "BROKER_URL": "redis://:hush-broker@localhost/0",
    }
    settings = Settings.from_env(PRODUCTION | secrets)
    told = [repr(settings), str(settings), *(str(each) for each in check_settings(settings))]
    broken = Settings.from_env(PRODUCTION | {name: f"{value}\0" for name, value in secrets.items()})
    told += [repr(broken), *(str(each) for each in check_settings(broken))]
    for hush in ("hush", "first-key", KEY):
        assert [text for text in told if hush in text] == []


def test_the_key_an_installation_makes_for_itself_is_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, again = Settings.from_env({}), Settings.from_env({})
    assert first.secret_keys == again.secret_keys
    assert (tmp_path / "var" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [finding for finding in first.check() if finding.code == "S01"] == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sendgrid://SG.key", None),
        ("sendgrid://SG.key?region=eu", None),
        ("sendgrid://SG.key?region=global", None),
        ("sendgrid://SG.key?region=mars", "S14"),
        ("sendgrid://SG.key?regoin=eu", "S14"),
        ("sendgrid://SG.key?", None),
    ],
)
def test_the_region_of_sendgrid_is_one_we_know(url: str, code: str | None) -> None:
    assert codes(MAIL_URL=url) - {"S07"} == ({code} if code else set())


@pytest.mark.parametrize(
    ("changed", "must_be"),
    [
        ({}, True),
        ({"MAIL_URL": "sendgrid://SG.key"}, True),
        ({"PRODUCTION": "off"}, False),
        ({"MAIL_URL": "mailbox://var/mailbox"}, False),
    ],
)
def test_only_production_with_a_real_provider_must_be_proved(
    changed: dict[str, str], *, must_be: bool
) -> None:
    assert Settings.from_env(PRODUCTION | changed).must_be_proved == must_be


def test_a_name_server_that_cannot_be_one_keeps_it_from_starting(tmp_path: Path) -> None:
    settings = replace(
        Settings.from_env(PRODUCTION | {"PRODUCTION": "off", "DNS_SERVER": "nonsense"}),
        database_url=f"sqlite:///{tmp_path}/funnel.db",
    )
    with pytest.raises(SettingInvalid, match="DNS_SERVER"):
        build_runtime(settings)


@pytest.mark.parametrize("typed", ["include:_spf.example.net", "_spf.example.net"])
def test_spf_include_may_be_pasted_with_its_word(typed: str) -> None:
    env = PRODUCTION | {"SPF_INCLUDE": typed}
    assert Settings.from_env(env).spf_include == "_spf.example.net"
