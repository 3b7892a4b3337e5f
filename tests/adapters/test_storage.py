"""Finished files under opaque keys: absent or whole."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from funnel.adapters.storage import FileStorage
from funnel.domain.ports import Storage, StoredFile

BAD_KEYS = ["", ".", "..", "../x", "a/b", "/x", "a\0", "a\n", ".hidden", "-x", "ä", "x" * 201]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "guides"


@pytest.fixture
def storage(folder: Path) -> Storage:
    return FileStorage(folder)


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    file = tmp_path / "guide.pdf"
    file.write_bytes(b"%PDF-1.7 " + bytes(range(256)) * 4000)
    return file


def test_a_stored_file_is_whole_and_known_by_size_and_hash(storage: Storage, guide: Path) -> None:
    content = guide.read_bytes()
    assert storage.put("a1.pdf", guide) == StoredFile(
        "a1.pdf", len(content), hashlib.sha256(content).hexdigest()
    )
    stored = storage.path("a1.pdf")
    assert stored is not None
    assert stored.read_bytes() == content
    assert guide.exists()


def test_an_absent_key_has_no_path(storage: Storage) -> None:
    assert storage.path("a1.pdf") is None


def test_putting_again_replaces_the_file(storage: Storage, guide: Path) -> None:
    storage.put("a1.pdf", guide)
    guide.write_bytes(b"new")
    storage.put("a1.pdf", guide)
    stored = storage.path("a1.pdf")
    assert stored is not None
    assert stored.read_bytes() == b"new"


def test_an_open_reader_keeps_the_old_file_while_it_is_replaced(
    storage: Storage, guide: Path
) -> None:
    storage.put("a1.pdf", guide)
    before = guide.read_bytes()
    stored = storage.path("a1.pdf")
    assert stored is not None
    with stored.open("rb") as reader:
        guide.write_bytes(b"new")
        storage.put("a1.pdf", guide)
        assert reader.read() == before


def test_a_copy_that_fails_leaves_the_old_file_and_nothing_else(
    storage: Storage, guide: Path, folder: Path
) -> None:
    storage.put("a1.pdf", guide)
    with pytest.raises(IsADirectoryError):
        storage.put("a1.pdf", folder)
    assert [file.name for file in folder.iterdir()] == ["a1.pdf"]


@pytest.mark.parametrize("key", BAD_KEYS, ids=ascii)
def test_a_key_never_leaves_the_folder(storage: Storage, guide: Path, key: str) -> None:
    assert storage.path(key) is None
    with pytest.raises(ValueError, match="storage key"):
        storage.put(key, guide)


def test_a_folder_under_a_good_key_is_not_a_file(storage: Storage, folder: Path) -> None:
    (folder / "a1").mkdir()
    assert storage.path("a1") is None


def test_old_files_are_named_and_can_be_deleted(storage: Storage, guide: Path) -> None:
    for key in ("old.pdf", "new.pdf"):
        storage.put(key, guide)
    now = datetime.now(UTC)
    old = storage.path("old.pdf")
    assert old is not None
    os.utime(old, (0, 0))
    assert storage.keys(now - timedelta(hours=1)) == ["old.pdf"]
    assert storage.keys(now + timedelta(hours=1)) == ["new.pdf", "old.pdf"]
    for _ in range(2):
        storage.delete("old.pdf")
    assert storage.path("old.pdf") is None
    assert storage.path("new.pdf") is not None


def test_a_half_written_file_is_named_by_no_key(storage: Storage, folder: Path) -> None:
    (folder / ".aside-x").write_bytes(b"half")
    assert storage.keys(datetime.now(UTC) + timedelta(hours=1)) == []


def test_deleting_never_leaves_the_folder(storage: Storage) -> None:
    with pytest.raises(ValueError, match="a storage key"):
        storage.delete("../outside.pdf")
