"""The serving press: one line in, one line out, a whole file or none."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from blueprint.files import write_whole
from blueprint.worker import REQUEST_BYTES, answer
from tests.blueprint.conftest import SAMPLES
from tests.blueprint.reading import Listener

SIZE = 400_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "Expecting value"),
        (b"[1]\n", "JSON object"),
        (b'{"document": 3, "out": "x"}\n', "document and the path"),
        (b'{"document": {}, "out": ""}\n', "document and the path"),
        (b'{"document": {}, "out": "x.pdf"}\n', "made_on must be a date"),
        (b'{"document": {}, "out": "x.pdf", "edition": "huge"}\n', "guide, large, tracker"),
        (b'{"document": {}, "out": "x.pdf", "edition": ["large"]}\n', "guide, large, tracker"),
        (b"\xff\xfe\n", "utf"),
        (b"[" * 100_000 + b"\n", "too big"),
        (b"x" * (REQUEST_BYTES + 1), "too long"),
    ],
)
def test_a_bad_request_gets_an_answer_that_says_why(line: bytes, reason: str) -> None:
    reply = answer(line)
    assert reply["ok"] is False
    assert reason in str(reply["error"])


def test_a_request_may_name_an_edition(tmp_path: Path, document: dict[str, object]) -> None:
    request = {"document": document, "out": str(tmp_path / "x.pdf"), "edition": "tracker"}
    reply = answer(json.dumps(request).encode())
    assert reply["ok"] is True
    assert PdfReader(tmp_path / "x.pdf").get_fields()


def test_a_folder_that_is_not_there_is_an_answer_too(tmp_path: Path) -> None:
    request = {"document": {}, "out": str(tmp_path / "nowhere" / "guide.pdf")}
    assert "no such folder" in str(answer(json.dumps(request).encode())["error"])


def test_a_file_that_is_being_written_when_the_press_dies_is_whole_or_old(tmp_path: Path) -> None:
    out = tmp_path / "guide.pdf"
    script = (
        "import itertools, sys; from pathlib import Path; from blueprint.files import write_whole\n"
        f"for ch in itertools.cycle(b'ab'): write_whole(Path(sys.argv[1]), bytes([ch]) * {SIZE})\n"
    )
    write_whole(out, b"a" * SIZE)
    dice = random.Random(7)
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", script, str(out)])
        try:
            child.wait(timeout=dice.uniform(0.05, 0.3))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert out.read_bytes() in (b"a" * SIZE, b"b" * SIZE)


def test_a_failed_write_leaves_no_scraps(tmp_path: Path) -> None:
    target = tmp_path / "folder.pdf"
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(target, b"x")
    assert list(tmp_path.iterdir()) == [target]


def test_the_serving_press_has_no_network(listener: Listener) -> None:
    script = (
        "import io, sys, urllib.request; from blueprint.worker import serve\n"
        "serve(io.BytesIO(), io.BytesIO(), 512 * 1024 * 1024)\n"
        "urllib.request.urlopen(sys.argv[1])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, listener.url], capture_output=True, check=False, text=True
    )
    assert "the press has no network" in ran.stderr
    assert listener.hits == []


def test_the_command_prints_one_guide_and_reports_a_bad_sample(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"made_on": "2026-11-21"}')
    command = [sys.executable, "-m", "blueprint", str(bad), str(tmp_path / "out.pdf")]
    ran = subprocess.run(command, capture_output=True, check=False, text=True)
    assert ran.returncode == 1
    assert "brand must be a mapping" in ran.stderr
    assert not (tmp_path / "out.pdf").exists()


def test_the_command_prints_the_edition_it_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    command = [sys.executable, "-m", "blueprint", str(SAMPLES / "typical.json"), str(out)]
    ran = subprocess.run(
        [*command, "--edition", "tracker"], capture_output=True, check=False, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert PdfReader(out).get_fields()
