"""docker-compose.yml: a valid file whose parts fit together and to the product."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from funnel.cli.up import MOST_BODY_BYTES, MOST_HEADER_BYTES, SILENT_SECONDS
from funnel.settings import Settings
from tests.support.repo import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SCHEMA = json.loads((ROOT / "tests/support/data/compose-spec.json").read_text("utf-8"))
OURS = [name for name, service in SERVICES.items() if service.get("build") == "."]
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w-]+)?")

each_service = pytest.mark.parametrize("name", SERVICES)


def test_the_file_keeps_to_the_compose_specification() -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(COMPOSE)


def test_all_parts_are_there() -> None:
    assert OURS == ["web", "worker", "pdf", "beat", "migrate"]
    assert set(SERVICES) - set(OURS) == {"proxy", "postgres", "redis", "mail"}


@each_service
def test_no_part_may_do_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service
    assert "privileged" not in service


@each_service
def test_every_image_is_pinned(name: str) -> None:
    inline = (SERVICES[name].get("build") or {}) if name not in OURS else {}
    bases = re.findall(r"^FROM (\S+)", inline.get("dockerfile_inline", ""), re.MULTILINE)
    assert [
        image for image in [SERVICES[name]["image"], *bases] if not PINNED.fullmatch(image)
    ] == []


@each_service
def test_every_part_that_stays_tells_its_health(name: str) -> None:
    stays = SERVICES[name]["restart"] != "no"
    assert stays == ("healthcheck" in SERVICES[name])


@each_service
def test_every_part_waits_for_parts_that_exist_and_say_when(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        one_shot = SERVICES[other]["restart"] == "no"
        by_its_end = wanted["condition"] == "service_completed_successfully"
        assert one_shot == by_its_end
        assert one_shot or "healthcheck" in SERVICES[other]


@each_service
def test_volumes_networks_and_secrets_are_declared(name: str) -> None:
    service = SERVICES[name]
    volumes = {entry.partition(":")[0] for entry in service.get("volumes", [])}
    assert volumes <= set(COMPOSE["volumes"])
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.pop("mail") == ["127.0.0.1:8025:8025"]
    assert list(published) == ["proxy"]


def test_the_guide_worker_and_the_stores_have_no_way_out() -> None:
    closed = [name for name, service in SERVICES.items() if service["networks"] == ["back"]]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert closed == ["pdf", "beat", "migrate", "postgres", "redis"]


def test_every_base_image_of_ours_is_pinned() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(bases) == 2
    assert all(PINNED.fullmatch(base) for base in bases)
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE) == ["funnel"]


def test_the_web_part_is_held_to_the_limits_of_funnel_up() -> None:
    limits = {
        "--ident=",
        f"--max-request-body-size={MOST_BODY_BYTES}",
        f"--max-request-header-size={MOST_HEADER_BYTES}",
        f"--channel-timeout={SILENT_SECONDS}",
    }
    assert limits <= set(SERVICES["web"]["command"])
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert all(f'"{limit}"' in dockerfile for limit in limits)


def test_the_proxy_takes_no_more_than_the_web_part_and_waits_for_nobody() -> None:
    proxy = COMPOSE["configs"]["caddyfile"]["content"]
    for line in ("max_size 2MB", "max_header_size 32KB", "read_header 10s", "read_body 30s"):
        assert line in proxy
    assert "header -Server" in proxy
    assert "log" not in re.findall(r"^\s*(\w+)", proxy, re.MULTILINE), "addresses would be in it"


def test_every_setting_of_the_readme_reaches_the_parts() -> None:
    table = (ROOT / "README.md").read_text("utf-8").partition("| setting |")[2]
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))
    # How a part is reached, and where its words lie, is settled by the image.
    wanted = named - {"LISTEN", "TEMPLATES_PATH"}
    assert len(wanted) > 15
    given = SERVICES["web"]["environment"]
    assert {name for name in wanted if not {name, f"{name}_FILE"} & set(given)} == set()


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files scripts/secrets makes, in a folder of their own."""
    home = tmp_path_factory.mktemp("install")
    (home / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "secrets", home / "scripts")
    subprocess.run([home / "scripts" / "secrets"], check=True, capture_output=True)
    return home / "secrets"


def test_the_secrets_script_makes_every_secret_the_file_names(secrets: Path) -> None:
    named = {Path(secret["file"]) for secret in COMPOSE["secrets"].values()}
    assert {Path("secrets") / file.name for file in secrets.iterdir()} == named


def test_the_secrets_script_never_changes_a_secret(secrets: Path) -> None:
    before = {file.name: file.read_bytes() for file in secrets.iterdir()}
    (secrets / "redis_config").unlink()
    subprocess.run([secrets.parent / "scripts" / "secrets"], check=True, capture_output=True)
    assert {file.name: file.read_bytes() for file in secrets.iterdir()} == before


def test_secrets_are_for_their_owner_and_the_containers_only(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in secrets.iterdir()} == {0o444}


def test_the_bell_wants_a_password_and_lets_nobody_set_it_up_anew(secrets: Path) -> None:
    config = (secrets / "redis_config").read_text()
    password = (secrets / "broker_url").read_text().split(":")[2].split("@")[0]
    assert len(password) > 40
    assert f"requirepass {password}\n" in config
    assert 'rename-command CONFIG ""' in config


@pytest.mark.parametrize("name", OURS)
def test_production_starts_with_these_settings(name: str, secrets: Path) -> None:
    written = {
        variable: value.replace("/run/secrets", str(secrets)).replace(
            "${FUNNEL_HOST:-localhost}", "funnel.example"
        )
        for variable, value in SERVICES[name]["environment"].items()
    }
    environment = {
        variable: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for variable, value in written.items()
    }
    settings = Settings.from_env(environment)
    assert settings.is_production
    assert settings.base_url == "https://funnel.example"
    assert [finding for finding in settings.check() if finding.is_error] == []
