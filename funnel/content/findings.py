"""Collects what is wrong with a text, each with its place, so that all is told at once."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Problems of one file, as "file:line: what is wrong and how to mend it"."""

    where: str
    items: list[str] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        self.items.append(f"{self.where}:{line}: {message}")

    def each_once(self) -> tuple[str, ...]:
        """Every finding once, in order."""
        return tuple(dict.fromkeys(self.items))
