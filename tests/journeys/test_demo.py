"""`funnel demo` as its owner runs it: killed without warning, and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from funnel.cli.demo import demo
from funnel.domain.errors import SettingInvalid

FUNNEL = str(Path(sys.executable).with_name("funnel"))
PATIENCE_SECONDS = 90.0
COUNTS = [
    "visited", "requested", "confirmed", "downloaded", "joined", "completed", "waitlisted",
    "purchased", "unsubscribed", "sent", "unknown", "failed", "duplicates",
]  # fmt: skip


def _mails(folder: Path) -> Counter[tuple[str, str]]:
    """How often each person got each mail, by the files in the mailbox."""
    mails = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in (folder / "mailbox").glob("*.eml")
    ]
    return Counter((str(mail["To"]), str(mail["Subject"])) for mail in mails)


def _wait_until(is_so: Callable[[], bool], printed: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, printed.read_text()
        time.sleep(0.1)


def _serves(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _served(folder: Path, printed: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A demo that serves, with a day a second; it is killed in the end if it still runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    env = {**os.environ, "LISTEN": place, "BASE_URL": f"http://{place}"}
    command = [FUNNEL, "demo", "--folder", str(folder), "--speed", "1"]
    with printed.open("ab") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_until(lambda: _serves(f"http://{place}"), printed)
        yield process, f"http://{place}"
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.processes
def test_a_demo_killed_in_the_middle_goes_on_and_mails_nobody_twice(tmp_path: Path) -> None:
    folder, printed = tmp_path / "demo", tmp_path / "printed.txt"
    with _served(folder, printed) as (process, _):
        _wait_until(lambda: sum(_mails(folder).values()) >= 8, printed)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    before = _mails(folder)
    with _served(folder, printed) as (process, base):
        _wait_until(lambda: sum(_mails(folder).values()) >= sum(before.values()) + 8, printed)
        assert "These people are made up" in httpx.get(base).text
        process.terminate()
        assert process.wait(40) == 0, printed.read_text()
    assert {mail: count for mail, count in _mails(folder).items() if count > 1} == {}
    assert before.keys() < _mails(folder).keys()
    assert "Traceback" not in printed.read_text()


@pytest.mark.processes
def test_a_fast_demo_killed_in_the_middle_ends_with_everyone_served_once(tmp_path: Path) -> None:
    folder, printed = tmp_path / "demo", tmp_path / "printed.txt"
    size = ["--visitors", "24", "--days", "9", "--fast", "--json", "--folder", str(folder)]
    with printed.open("wb") as out:
        first = subprocess.Popen([FUNNEL, "demo", *size], stdout=out, stderr=out)
    _wait_until(lambda: sum(_mails(folder).values()) >= 5, printed)
    first.kill()
    first.wait(10)
    second = subprocess.run([FUNNEL, "demo", *size], capture_output=True, text=True, check=True)
    counts = json.loads(second.stdout)
    assert list(counts) == COUNTS
    assert counts["visited"] == 24
    assert counts["sent"] == sum(_mails(folder).values()) == len(_mails(folder))
    assert [counts[name] for name in ("unknown", "failed", "duplicates")] == [0, 0, 0]
    confirmed = counts["confirmed"]
    assert f"{confirmed} of {confirmed} confirmed people got the guide." in second.stderr


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(demo, [*arguments, "--fast"], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_demo_of_one_day_prints_a_table_people_can_read(tmp_path: Path) -> None:
    lines = _run("--visitors", "2", "--days", "1", "--folder", str(tmp_path)).splitlines()
    assert [line.split()[0] for line in lines] == COUNTS
    assert lines[0].split() == ["visited", "2"]


def test_another_plan_does_not_go_into_the_folder_of_an_older_demo(tmp_path: Path) -> None:
    size = ("--days", "1", "--folder", str(tmp_path))
    _run("--visitors", "2", *size)
    with pytest.raises(SettingInvalid, match="another demo"):
        _run("--visitors", "3", *size)
    assert "visited" in _run(*size)
    assert json.loads(_run("--visitors", "3", *size, "--fresh", "--json"))["visited"] == 3


def test_a_fresh_start_leaves_alone_what_is_not_the_demos(tmp_path: Path) -> None:
    own = tmp_path / "letters.txt"
    own.write_text("mine")
    _run("--visitors", "1", "--days", "1", "--folder", str(tmp_path), "--fresh")
    assert own.read_text() == "mine"
    with pytest.raises(SettingInvalid, match="not another database"):
        _run("--database", f"sqlite:///{tmp_path}/other.db", "--fresh")
