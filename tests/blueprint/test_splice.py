"""A guide of which only the reader's own pages were laid out is the guide laid out whole."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from blueprint import render
from blueprint.compose import TITLE
from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from blueprint.render import Printed, press, press_whole
from blueprint.typefaces import printable_name
from tests.blueprint.account import Account, Objects, largest_difference, pictures
from tests.blueprint.conftest import sample
from tests.blueprint.reading import flat

# How dark the edge of a letter is depends a little on which others are in its subset; a letter
# that is moved or missing makes a difference of 190 and more.
HINTING = 80
NAMES = (
    *("</title><script>x</script>", ") Tj ET (", "\\", "(((", ">>", "12 0 R", "endobj\nendstream"),
    *("\u202eadA", "A\x00da", "{{ name }}", "Z\u030cofia", "محمد", "שרה", "🙂", "O'Brien & Söhne"),
)


def cover(account: Account) -> str:
    """What the first page says, without the marks around words that run from right to left."""
    return flat(re.sub("[\u202a-\u202c]", "", account.texts[0]))


def read(name: str) -> BlueprintInput:
    return BlueprintInput.from_mapping(sample(name))


# Each kind of script, name and pattern once; that every sample prints is tried with the guide.
TOLD_APART = ("typical", "minimal", "longest", "emoji", "arabic", "chinese", "greek", "one-side")


@pytest.fixture(scope="module", params=TOLD_APART)
def both(request: pytest.FixtureRequest) -> tuple[Printed, Printed]:
    """Each sample, put together and laid out whole."""
    guide = read(request.param)
    spliced = render.press_spliced(guide)
    assert spliced is not None
    return spliced, press_whole(guide)


@pytest.fixture(scope="module")
def accounts(both: tuple[Printed, Printed]) -> tuple[Account, Account]:
    return Account(both[0].pdf), Account(both[1].pdf)


READINGS: dict[str, Callable[[Account], object]] = {
    "the text of each page": lambda account: account.texts,
    "every tag, in order, with its words for listeners": lambda account: account.tags,
    "links, where they are and where they lead": lambda account: account.links,
    "what links are called": lambda account: account.spoken_links,
    "named places": lambda account: account.places,
    "bookmarks": lambda account: account.bookmarks,
    "title, dates, language and the mark of PDF/UA": lambda account: account.about,
    "typefaces, all inside the file": lambda account: account.typefaces,
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS.keys())
def test_a_guide_put_together_is_the_guide_laid_out_whole(
    accounts: tuple[Account, Account], reading: Callable[[Account], object]
) -> None:
    spliced, whole = map(reading, accounts)
    assert spliced
    assert spliced == whole


def test_content_and_tags_lead_to_each_other(accounts: tuple[Account, Account]) -> None:
    spliced, _ = accounts
    assert spliced.unfaithful == []
    assert len(spliced.cell_names) == len(set(spliced.cell_names))


def test_every_page_looks_the_same(both: tuple[Printed, Printed], tmp_path: Path) -> None:
    spliced = pictures(both[0].pdf, tmp_path / "spliced")
    whole = pictures(both[1].pdf, tmp_path / "whole")
    differences = [largest_difference(*pair) for pair in zip(spliced, whole, strict=True)]
    assert max(differences) < HINTING
    assert (both[0].pages, both[0].places) == (both[1].pages, both[1].places)


def test_no_two_subsets_of_a_typeface_share_their_letters(
    accounts: tuple[Account, Account],
) -> None:
    names = [font["/FontName"] for font in accounts[0].descriptors.values()]
    assert len(names) == len(set(names)) > len(accounts[0].typefaces)


def test_nothing_lies_in_the_file_that_nothing_leads_to(both: tuple[Printed, Printed]) -> None:
    assert Objects(both[0].pdf).dead == {}


def test_the_same_input_gives_the_same_bytes_with_a_base_at_hand_or_without() -> None:
    guide = read("typical")
    first = press(guide).pdf
    assert press(guide).pdf == first
    render.base_for.cache_clear()
    assert press(guide).pdf == first


def test_readers_of_one_pattern_share_what_was_laid_out() -> None:
    ada = read("typical")
    ben = replace(ada, first_name="Ben", told=ada.told[:1], made_on=date(2027, 1, 2))
    render.base_for.cache_clear()
    press(ada)
    press(ben)
    assert render.base_for.cache_info().misses == 1


def test_nothing_of_one_reader_is_in_the_next_ones_file() -> None:
    ben = replace(read("typical"), first_name="Ben", told=("Your hips feel stiff.",))
    ada = replace(ben, first_name="Wilhelmina Ž", told=("Wobbly knees on Zürich's stairs.",))
    render.base_for.cache_clear()
    alone = press(ben).pdf
    render.base_for.cache_clear()
    hers = Objects(press(ada).pdf)
    assert press(ben).pdf == alone
    his = Objects(alone)
    assert b"Wilhelmina" in hers.everything
    assert b"Wilhelmina" not in his.everything
    assert {"Ž", "ü"} <= hers.letters
    assert not {"Ž", "ü"} & his.letters
    said = " ".join(Account(alone).texts)
    assert "Ben" in said
    assert not re.search("Wilhelmina|Wobbly|stands here", said)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_typed_as_a_name_stays_a_name(name: str) -> None:
    guide = BlueprintInput.from_mapping(sample("minimal") | {"first_name": name})
    spliced = render.press_spliced(guide)
    assert spliced is not None
    account, usual = Account(spliced.pdf), Account(press(read("minimal")).pdf)
    assert account.unfaithful == []
    assert account.texts[1:] == usual.texts[1:]
    assert account.links == usual.links
    assert set(account.root) == set(usual.root)
    printable = printable_name(guide.first_name)
    greeting = f"Made for {printable or 'you'} 21 November"
    assert cover(account) == cover(usual).replace("Made for you 21 November", greeting)
    assert account.reader.metadata is not None
    assert account.reader.metadata.title == (f"{TITLE} for {printable}" if printable else TITLE)


def test_a_page_that_runs_over_is_laid_out_with_all_the_others() -> None:
    guide = replace(read("typical"), told=("It hurts here and there. " * 40,) * 9)
    assert render.press_spliced(guide) is None
    printed = press(guide)
    assert printed == press_whole(guide)
    assert printed.pages > press(read("typical")).pages


@pytest.mark.parametrize("edition", [Edition.LARGE, Edition.TRACKER])
def test_the_other_editions_are_laid_out_whole(edition: Edition) -> None:
    guide = read("typical")
    assert press(guide, edition) == press_whole(guide, edition)
