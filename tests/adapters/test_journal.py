"""The journal beside the database: added to, read back, and never spoilt as a whole."""

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from funnel.adapters.journal import NAME, FileJournal
from funnel.domain.journal import Done, Entry

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ERASED = Entry(AT, Done.ERASED, "ab" * 32)
WITHDREW = Entry(AT, Done.WITHDREW, "cd" * 32, "series")


def test_what_was_written_is_read_back_in_order(tmp_path: Path) -> None:
    FileJournal(tmp_path).append([ERASED])
    FileJournal(tmp_path).append([WITHDREW, ERASED])
    assert list(FileJournal(tmp_path).entries()) == [ERASED, WITHDREW, ERASED]


def test_an_empty_folder_has_no_entries(tmp_path: Path) -> None:
    assert list(FileJournal(tmp_path / "new").entries()) == []


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    FileJournal(tmp_path).append([ERASED])
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_line_that_was_cut_off_spoils_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = FileJournal(tmp_path)
    journal.append([ERASED])
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"at": "2026-11-2')
    journal.append([WITHDREW])
    with caplog.at_level(logging.ERROR):
        assert list(journal.entries()) == [ERASED, WITHDREW]
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize(
    "line",
    ["[]", "null", "{}", '{"at": 1}', '{"at": "x", "done": "erased", "address": "", "about": ""}',
     '{"at": "2026-11-23T10:00:00+00:00", "done": "sold", "address": "", "about": ""}', "\x00\xff"],
)  # fmt: skip
def test_a_line_of_nonsense_is_passed_over(tmp_path: Path, line: str) -> None:
    (tmp_path / NAME).write_text(f"{line}\n", encoding="latin-1")
    journal = FileJournal(tmp_path)
    journal.append([ERASED])
    assert list(journal.entries()) == [ERASED]


def test_many_may_write_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(100):
            pool.submit(FileJournal(tmp_path).append, [ERASED, WITHDREW])
    assert len(list(FileJournal(tmp_path).entries())) == 200


def test_a_journal_brought_from_elsewhere_is_read_as_well(tmp_path: Path) -> None:
    FileJournal(tmp_path).append([ERASED])
    (tmp_path / NAME).rename(tmp_path / ".journal-old-server.jsonl")
    FileJournal(tmp_path).append([WITHDREW])
    assert set(FileJournal(tmp_path).entries()) == {ERASED, WITHDREW}


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(OSError, match="gone"):
        journal.append([ERASED])
