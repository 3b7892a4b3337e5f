"""`make` and the install scripts: what they say, what they leave alone."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repo import ROOT

TOOLS = ("bash", "cat", "dirname", "env", "sha256sum", "fc-match")


def test_make_alone_lists_every_target() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    listed = re.findall(r"^  make ([\w-]+) +\w", said.stdout, re.MULTILINE)
    assert listed == [
        *("run", "demo", "test", "check", "fmt", "lock"),
        *("bench", "bench-guide", "bench-send", "approve", "mail-report"),
        *("chaos", "chaos-mutants", "fuzz"),
    ]


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A folder of programs as on a machine without the servers, whose user is not root."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool} here"))
    (tmp_path / "python3").symlink_to(sys.executable)
    _fake(tmp_path / "id", "echo 1000")
    _fake(tmp_path / "apt-get", 'touch "$0.was-called"')
    return tmp_path


def test_without_root_the_install_names_the_line_to_type_and_stops(bare_machine: Path) -> None:
    tried = _install("test", bare_machine)
    assert tried.returncode == 1
    packages = "redis-server chromium poppler-utils spamassassin"
    assert re.search(rf"sudo apt-get install --no-install-recommends .*{packages}$", tried.stderr)
    assert not (bare_machine / "apt-get.was-called").exists()


def test_with_sudo_the_install_hands_the_missing_packages_to_it(bare_machine: Path) -> None:
    _fake(bare_machine / "sudo", '[ "$1" = -n ] || { echo "sudo $*"; exit 1; }')
    tried = _install("test", bare_machine)
    assert re.match(
        r"sudo scripts/packages .*redis-server chromium poppler-utils spamassassin\n", tried.stdout
    )


def test_an_old_python_is_refused_in_one_sentence(bare_machine: Path) -> None:
    (bare_machine / "python3").unlink()
    _fake(bare_machine / "python3", "exit 1")
    tried = _install("run", bare_machine)
    assert tried.returncode == 1
    assert tried.stderr == "Funnel needs Python 3.11 or newer, and there is none here.\n"


def _install(purpose: str, programs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "install", purpose],
        check=False,
        env={"PATH": str(programs)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def _fake(program: Path, does: str) -> None:
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)


def test_everything_the_image_is_made_of_is_there() -> None:
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert {"funnel", "blueprint", "templates", "wsgi.py", "worker.py"} < set(allowed)
    assert [name for name in allowed if not (ROOT / name).exists()] == []
