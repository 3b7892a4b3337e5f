"""Collects what is wrong with a text, each with its place, so that all is told at once."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Problems of one file, as "file:line: what is wrong and how to mend it"."""

    where: str
    _noted: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        self._noted.append((line, message))

    @property
    def items(self) -> tuple[str, ...]:
        """Every finding once, from the top of the file to its end."""
        noted = sorted(dict.fromkeys(self._noted), key=lambda each: each[0])
        return tuple(f"{self.where}:{line}: {message}" for line, message in noted)
