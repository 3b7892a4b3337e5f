"""The parent's side of the press: limits, crashes, fresh children, nothing handed down."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from blueprint.render import Printed
from funnel.adapters.press import SERVE, PdfPress
from funnel.domain.errors import GuideFailed
from funnel.domain.guides import Edition
from funnel.domain.ports import GuidePress, PressedGuide

ECHO = """
import json, os, sys
for line in sys.stdin:
    wanted = json.loads(line)
    told = {"pid": os.getpid(), "env": dict(os.environ), "edition": wanted["edition"]}
    open(wanted["out"], "w").write(json.dumps(told))
    print(json.dumps({"ok": True, "pages": 1, "bytes": 2, "sha256": "ab"}), flush=True)
"""
HANGS = "import sys, time; sys.stdin.readline(); time.sleep(60)"
DIES = "import sys; sys.stdin.readline(); sys.exit('out of paper')"
DIES_ONCE = """
import json, pathlib, sys
for line in sys.stdin:
    if not pathlib.Path("{mark}").exists():
        pathlib.Path("{mark}").touch()
        sys.exit("out of paper")
    print(json.dumps(dict(ok=True, pages=1, bytes=2, sha256="ab")), flush=True)
"""
BABBLES = "import sys; sys.stdin.readline(); print('good morning', flush=True); sys.stdin.read()"
FLOODS = "import sys; sys.stdin.readline(); sys.stdout.write('x' * 10**6); sys.stdin.read()"
NEVER_STARTS = "raise SystemExit('no Pango here')"


def script(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


@pytest.fixture(scope="module")
def press() -> Iterator[PdfPress]:
    with closing(PdfPress()) as real:
        yield real


def test_the_real_press_prints_the_very_bytes_of_the_library(
    press: PdfPress, document: dict[str, object], printed: Printed, tmp_path: Path
) -> None:
    out = tmp_path / "guide.pdf"
    port: GuidePress = press
    made = port.press(document, out)
    assert out.read_bytes() == printed.pdf
    assert made == PressedGuide(printed.pages, len(printed.pdf), sha256(printed.pdf).hexdigest())
    assert list(tmp_path.iterdir()) == [out]


def test_the_edition_that_is_asked_for_is_passed_on(tmp_path: Path) -> None:
    with closing(PdfPress(command=script(ECHO))) as press:
        press.press({}, tmp_path / "one")
        press.press({}, tmp_path / "other", "large")
    editions = [json.loads((tmp_path / name).read_text())["edition"] for name in ("one", "other")]
    assert editions == ["guide", "large"]


def test_the_real_press_prints_every_edition_but_no_other(
    press: PdfPress, document: dict[str, object], tmp_path: Path
) -> None:
    for edition in Edition:
        press.press(document, tmp_path / f"{edition}.pdf", edition)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == len(Edition)
    with pytest.raises(GuideFailed, match="edition"):
        press.press(document, tmp_path / "novel.pdf", "novel")


def test_a_bad_document_fails_alone_and_names_its_field(press: PdfPress, tmp_path: Path) -> None:
    with pytest.raises(GuideFailed, match="made_on"):
        press.press({}, tmp_path / "guide.pdf")
    assert not list(tmp_path.iterdir())


def test_a_huge_value_is_refused_before_the_child_sees_it(
    press: PdfPress, document: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(GuideFailed, match="too long"):
        press.press(document | {"first_name": "x" * 50_000_000}, tmp_path / "guide.pdf")


def test_too_little_memory_is_a_failed_guide_and_no_file(
    document: dict[str, object], tmp_path: Path
) -> None:
    with (
        closing(PdfPress(command=(*SERVE, "--memory-mb", "120"))) as poor,
        pytest.raises(GuideFailed),
    ):
        poor.press(document, tmp_path / "guide.pdf")
    assert not list(tmp_path.iterdir())


def test_a_guide_that_takes_too_long_is_killed(document: dict[str, object], tmp_path: Path) -> None:
    with closing(PdfPress(limit_seconds=0.2, command=script(HANGS))) as slow:
        with pytest.raises(GuideFailed, match="too long"):
            slow.press(document, tmp_path / "guide.pdf")
        assert slow._child is None


@pytest.mark.parametrize(
    ("child", "reason"),
    [
        (DIES, "out of paper"),
        (NEVER_STARTS, "no Pango here"),
        (BABBLES, "makes no sense"),
        (FLOODS, "stopped"),
    ],
)
def test_a_child_that_misbehaves_is_a_failed_guide(
    child: str, reason: str, document: dict[str, object], tmp_path: Path
) -> None:
    with (
        closing(PdfPress(command=script(child))) as sick,
        pytest.raises(GuideFailed, match=reason),
    ):
        sick.press(document, tmp_path / "guide.pdf")


def who_printed(press: PdfPress, out: Path) -> int:
    press.press({}, out)
    pid: int = json.loads(out.read_text())["pid"]
    return pid


def test_a_child_that_dies_idle_costs_no_reader_a_guide(tmp_path: Path) -> None:
    with closing(PdfPress(command=script(ECHO))) as press:
        first = who_printed(press, tmp_path / "a")
        os.kill(first, 9)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert who_printed(press, tmp_path / "b") != first


def test_after_a_crash_the_next_guide_gets_a_fresh_child(
    document: dict[str, object], tmp_path: Path
) -> None:
    with closing(PdfPress(command=script(DIES_ONCE.format(mark=tmp_path / "died")))) as press:
        with pytest.raises(GuideFailed, match="out of paper"):
            press.press(document, tmp_path / "a")
        assert press.press(document, tmp_path / "b").pages == 1


def test_a_child_is_replaced_after_its_share_of_guides(tmp_path: Path) -> None:
    with closing(PdfPress(command=script(ECHO), guides_per_child=2)) as press:
        pids = [who_printed(press, tmp_path / str(i)) for i in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_the_child_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    with closing(PdfPress(command=script(ECHO))) as press:
        press.press({}, tmp_path / "out")
    inherited = json.loads((tmp_path / "out").read_text())["env"]
    assert "hush" not in inherited.values()
    assert set(inherited) <= {
        *("PATH", "LANG", "LC_CTYPE", "PYTHONPATH", "PYTHONHASHSEED"),
        *("PYTHONDONTWRITEBYTECODE", "TMPDIR", "XDG_CACHE_HOME"),
    }


def test_closing_ends_the_child_and_its_scraps(tmp_path: Path) -> None:
    press = PdfPress(command=script(ECHO))
    press.press({}, tmp_path / "out")
    told = json.loads((tmp_path / "out").read_text())
    press.close()
    press.close()
    with pytest.raises(ProcessLookupError):
        os.kill(told["pid"], 0)
    assert not Path(told["env"]["TMPDIR"]).exists()


def test_threads_take_turns(tmp_path: Path) -> None:
    with closing(PdfPress(command=script(ECHO))) as press:
        pids: set[int] = set()
        threads = [
            threading.Thread(target=lambda i=i: pids.add(who_printed(press, tmp_path / str(i))))
            for i in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(pids) == 1
    assert len(list(tmp_path.iterdir())) == 8
