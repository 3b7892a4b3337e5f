"""What a print is made from, and the name its file gets: the same input, the same name."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from funnel.domain.guides import Edition
from funnel.domain.ports import Document
from funnel.vault import Vault

# The day in a house copy's mark: a copy does not grow old by itself.
NO_DAY = date(2000, 1, 1)


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
        return f"{self._family}-{self.vault.name(json.dumps(whole, sort_keys=True).encode())}.pdf"

    def is_ours(self, key: str) -> bool:
        """True for the name of a file of this installation, and of no other in the same folder."""
        return re.fullmatch(rf"{self._family}-[0-9a-f]{{64}}\.pdf", key) is not None

    def mark(self, pattern: str, edition: Edition) -> str:
        """What a house copy of today's words and code is known by; KeyError as above."""
        return self.key(self.house_document(pattern, NO_DAY), edition)

    @cached_property
    def marks(self) -> frozenset[str]:
        """The marks of every house copy that this recipe can make."""
        return frozenset(
            self.mark(pattern, edition) for pattern in self.house for edition in Edition
        )

    @cached_property
    def _family(self) -> str:
        return self.vault.name(b"shelf")[:8]
