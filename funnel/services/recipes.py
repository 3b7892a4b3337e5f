"""What a print is made from, and the name its file gets: the same input, the same name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from funnel.domain.guides import Edition
from funnel.domain.ports import Document
from funnel.vault import Vault


@dataclass(frozen=True)
class Recipe:
    """The practice's part of every guide, with the version of the code that prints it.

    `house` holds the parts of readers made up for house copies, by pattern; "" is a reader who
    left the self-check out.
    """

    practice: Mapping[str, object]
    house: Mapping[str, Document]
    code_version: str
    vault: Vault

    def document(self, personal: Mapping[str, object]) -> Document:
        """The whole document of a guide: the reader's part and the practice's."""
        return {**self.practice, **personal}

    def house_document(self, pattern: str, today: date) -> Document:
        """The document of a house copy; raises KeyError for a pattern that is gone."""
        return self.document({**self.house[pattern], "made_on": today.isoformat()})

    def key(self, document: Mapping[str, object], edition: Edition) -> str:
        """The file's name, from the input, the words and the code; it tells none of them."""
        whole = [sorted(document.items()), edition, self.code_version]
        return f"{self.vault.name(json.dumps(whole, sort_keys=True).encode())}.pdf"
