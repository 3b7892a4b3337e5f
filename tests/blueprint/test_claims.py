"""What every sample's guide claims, read whole: nothing banned, no number without its source."""

import re

import pytest

from blueprint.compose import compose, usual_pages
from blueprint.model import BlueprintInput
from funnel.content.claims import CLAIMS, STATISTIC
from tests.blueprint.conftest import SAMPLES, sample
from tests.blueprint.reading import flat
from tests.content.reading import grade

NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
BLOCK = re.compile(r"<(p|li|td|th|h\d)\b[^>]*>(.*?)</\1>", re.DOTALL)
STUDY = re.compile(r"\bin (?:one|a) (?:study|trial)\b|\bone adult in\b|\d\s?%", re.IGNORECASE)
TAG = re.compile(r"<[^>]+>")


def blocks(name: str) -> list[str]:
    """Each paragraph, list item, cell and heading as markup."""
    guide = BlueprintInput.from_mapping(sample(name))
    markup = compose(guide, usual_pages(guide)).partition("<body>")[2]
    return [found[1] for found in BLOCK.findall(markup)]


def words_of(markup: str) -> str:
    return flat(TAG.sub(" ", markup).replace("&nbsp;", " "))


def unsourced(found: list[str]) -> list[str]:
    """Blocks with a statistic or a study, without a mark that leads to a source."""
    claims = (each for each in found if STUDY.search(each) or STATISTIC.search(words_of(each)))
    return [each for each in claims if "#source-" not in each]


@pytest.mark.parametrize("name", NAMES)
def test_no_guide_claims_what_the_code_of_advertising_forbids(name: str) -> None:
    text = " ".join(words_of(block) for block in blocks(name))
    assert [match[0] for rule in CLAIMS for match in rule.pattern.finditer(text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_statistic_of_a_guide_has_a_source_beside_it(name: str) -> None:
    found = blocks(name)
    listed = re.compile(r"^(?:Versus Arthritis|Hicks|Prather)")
    assert [each for each in unsourced(found) if not listed.match(each)] == []
    assert sum("#source-" in each for each in found) >= 6


def test_the_lints_of_a_guide_bite() -> None:
    assert unsourced(["In one study 40% were better.", "About one adult in six."])
    assert any(rule.pattern.search("A proven cure.") for rule in CLAIMS)


@pytest.mark.parametrize("name", NAMES)
def test_every_guide_shows_the_whole_safety_block(name: str) -> None:
    guide = BlueprintInput.from_mapping(sample(name))
    text = flat(" ".join(words_of(block) for block in blocks(name)).replace("&amp;", "&"))
    safety = guide.safety
    assert f"{safety.urgent_title} if your back pain comes with" in text
    for line in (*safety.urgent, safety.urgent_note, safety.soon_title, safety.routine):
        assert line in text
    assert all(line in text for line in safety.soon)
    assert safety.ask_first in text
    assert safety.one_line in text


@pytest.mark.parametrize("name", NAMES)
def test_a_guide_reads_easily(name: str) -> None:
    text = "\n\n".join(
        words_of(block)
        for block in blocks(name)
        if "Journal" not in block and "Lancet" not in block
    )
    assert grade(text) <= 6
