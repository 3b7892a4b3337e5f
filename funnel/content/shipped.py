"""The shipped mails and sequences as whole texts, each under its key: version 1 of every text."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from funnel.content.files import read_text, shown_path
from funnel.content.findings import Findings
from funnel.domain.errors import ContentInvalid

SERVICE = "service"
_NUMBER = re.compile(r"^\d+-")


@dataclass(frozen=True)
class ShippedText:
    """One shipped text: "nurture/one-technique" and "service/confirm" are mails, "nurture" a
    sequence. `source` is the whole file, `where` its path from the templates folder on."""

    kind: Literal["mail", "sequence"]
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


_Entry = tuple[Literal["mail", "sequence"], str, Path]


def _service_mails(root: Path) -> list[_Entry]:
    return [
        ("mail", f"{SERVICE}/{path.parent.name}", path)
        for path in sorted((root / "email").glob("*/mail.md"))
    ]


def _sequence_files(root: Path) -> list[_Entry]:
    entries: list[_Entry] = []
    for path in sorted((root / "sequences").glob("*/sequence.yaml")):
        name = path.parent.name
        entries.append(("sequence", name, path))
        entries += [
            ("mail", f"{name}/{_NUMBER.sub('', mail.stem)}", mail)
            for mail in sorted(path.parent.glob("*.md"))
        ]
    return entries


def _read(
    root: Path, kind: Literal["mail", "sequence"], key: str, path: Path, problems: list[str]
) -> ShippedText | None:
    found = Findings(shown_path(root, path))
    source = read_text(path, found)
    problems.extend(found.items)
    return None if source is None else ShippedText(kind, key, source, found.where)
