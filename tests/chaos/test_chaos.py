"""The chaos proof, short: two seeds, each with its own database and provider."""

import json

import pytest

from tests.chaos.mutants import MUTANTS, Mutant, changed
from tests.chaos.run import Plan, run
from tests.chaos.site import Mode

SHORT = {
    "people": 24,
    "steps": 2,
    "day_seconds": 3.0,
    "arrive_seconds": 4.0,
    "storm_seconds": 15.0,
    "fault_pause": 0.5,
}


@pytest.mark.processes
@pytest.mark.timeout(600)  # a slow machine may take its time: what counts is what happened
@pytest.mark.parametrize(("seed", "mode"), [(1, Mode.SENDGRID), (2, Mode.SQLITE)])
def test_nothing_is_lost_and_nothing_doubled_whatever_breaks(seed: int, mode: Mode) -> None:
    report = run(Plan(seed=seed, mode=mode, **SHORT))  # type: ignore[arg-type]
    assert report.findings == {}, report.line
    line = json.loads(report.line)
    assert (line["lost"], line["duplicated"], line["broken"]) == (0, 0, None)
    assert line["sends"] > 24
    assert line["fault_kinds"] >= 15


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_still_changes_the_product_as_it_is(mutant: Mutant) -> None:
    for path, words in changed(mutant).items():
        compile(words, path, "exec")


def test_there_are_fifteen_mutants_each_with_a_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == 15
