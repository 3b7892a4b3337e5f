"""What two marks tell of a database."""

from datetime import UTC, datetime

import pytest

from funnel.domain.gate import Gate
from funnel.domain.lineage import Lineage, Mark, compare

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HERE, THERE = "file 1", "file 2"


def mark(generation: int) -> Mark:
    return Mark("ours", generation, NOW, HERE)


@pytest.mark.parametrize(
    ("known", "beside", "place", "found"),
    [
        (None, None, HERE, Lineage.FIRST),
        (None, mark(5), HERE, Lineage.RESTORED),
        (mark(5), mark(5), HERE, Lineage.SAME),
        (mark(6), mark(5), HERE, Lineage.SAME),
        (mark(5), mark(6), HERE, Lineage.RESTORED),
        (mark(5), mark(6), THERE, Lineage.RESTORED),
        (mark(5), mark(5), THERE, Lineage.COPIED),
        (mark(5), None, HERE, Lineage.COPIED),
    ],
)
def test_the_marks_are_compared(
    known: Mark | None, beside: Mark | None, place: str, found: Lineage
) -> None:
    assert compare(known, beside, place, has_people=True) is found


def test_a_new_installation_may_have_no_mark_beside_it_yet() -> None:
    found = [compare(mark(1), None, place, has_people=True, is_new=True) for place in (HERE, THERE)]
    assert found == [Lineage.SAME, Lineage.COPIED]


def test_an_empty_database_is_a_new_one_whatever_lies_beside_it() -> None:
    assert compare(None, mark(5), HERE, has_people=False) is Lineage.FIRST


def test_a_gate_opens_when_every_reason_is_gone() -> None:
    gate = Gate("a", "b")
    assert gate.open("a")
    assert not gate.open("a")
    assert not gate.passes(1)
    gate.open("b")
    assert gate.passes(1)
    assert gate.close("a")
    assert not gate.close("a")
    assert gate.is_closed_for("a")


def test_a_gate_lets_no_older_generation_pass_until_it_is_trusted() -> None:
    gate = Gate()
    assert gate.passes(7)
    assert not gate.passes(6)
    gate.trust(6)
    assert gate.passes(6)
