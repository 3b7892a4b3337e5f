"""The shipped mails and sequences as whole texts, each under its key: version 1 of every text."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from funnel.content.files import read_text, shown_path
from funnel.content.findings import Findings
from funnel.domain.errors import ContentInvalid

SERVICE = "service"
Kind = Literal["mail", "sequence"]
_NUMBER = re.compile(r"^\d+-")


@dataclass(frozen=True)
class ShippedText:
    """One shipped text: "nurture/one-technique" and "service/confirm" are mails, "nurture" a
    sequence. `source` is the whole file, `where` its path from the templates folder on."""

    kind: Kind
    key: str
    source: str
    where: str


def shipped_texts(root: Path) -> tuple[ShippedText, ...]:
    """Every mail and sequence under a templates folder, in a steady order.

    Raises ContentInvalid when a file cannot be read.
    """
    problems: list[str] = []
    texts = [
        text
        for kind, key, path in (*_service_mails(root), *_sequence_files(root))
        if (text := _read(root, kind, key, path, problems)) is not None
    ]
    if problems:
        raise ContentInvalid(tuple(problems))
    return tuple(texts)


def texts_at(place: Path) -> tuple[ShippedText, ...]:
    """The texts at a place: one file, the folder of one sequence, or a whole templates folder.

    A mail of a sequence lies beside its sequence.yaml, a service mail as email/NAME/mail.md.
    Raises ContentInvalid when nothing is there, or a file cannot be read.
    """
    entries = [entry for entry in _entries_around(place.resolve()) if _is_at(entry[2], place)]
    if not entries:
        raise ContentInvalid((f"{place.name}: no mail and no sequence is there",))
    problems: list[str] = []
    found = [_read(path.parents[1], kind, key, path, problems) for kind, key, path in entries]
    if problems:
        raise ContentInvalid(tuple(problems))
    return tuple(text for text in found if text is not None)


def _entries_around(place: Path) -> list["_Entry"]:
    """The texts of the nearest templates folder, or sequence's folder, at or above a place."""
    for root in (place, *place.parents):
        plan = root / "sequence.yaml"
        if entries := _service_mails(root) + _sequence_files(root):
            return entries
        if plan.exists():
            return _one_sequence(plan)
    return []


def _is_at(path: Path, place: Path) -> bool:
    return path.is_relative_to(place.resolve())


_Entry = tuple[Kind, str, Path]


def _service_mails(root: Path) -> list[_Entry]:
    return [
        ("mail", f"{SERVICE}/{path.parent.name}", path)
        for path in sorted((root / "email").glob("*/mail.md"))
    ]


def _sequence_files(root: Path) -> list[_Entry]:
    plans = sorted((root / "sequences").glob("*/sequence.yaml"))
    return [entry for plan in plans for entry in _one_sequence(plan)]


def _one_sequence(plan: Path) -> list[_Entry]:
    name = plan.parent.name
    mails = sorted(plan.parent.glob("*.md"))
    keyed = ((f"{name}/{_NUMBER.sub('', mail.stem)}", mail) for mail in mails)
    return [("sequence", name, plan), *(("mail", key, mail) for key, mail in keyed)]


def _read(root: Path, kind: Kind, key: str, path: Path, problems: list[str]) -> ShippedText | None:
    found = Findings(shown_path(root, path))
    source = read_text(path, found)
    problems.extend(found.items)
    return None if source is None else ShippedText(kind, key, source, found.where)
