"""The words before they are printed: nothing typed becomes markup, nothing claimed too much."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from blueprint.compose import compose, long_date, spoken_url, usual_pages
from blueprint.model import BlueprintInput, Brand
from blueprint.typefaces import printable_name
from blueprint.words import DOCUMENT, load
from tests.blueprint.conftest import sample
from tests.blueprint.reading import flat

HOSTILE = (
    '<img src="http://127.0.0.1/x">',
    "</style><style>@import url(http://127.0.0.1/)</style>",
    "{{ 7 * 7 }}{% for x in range(9) %}",
    '"><script>alert(1)</script>',
    "javascript:alert(1)",
    "=HYPERLINK(1)",
)


def html(**changes: Any) -> str:
    guide = replace(BlueprintInput.from_mapping(sample("typical")), **changes)
    return compose(guide, usual_pages(guide))


def without_pattern() -> str:
    return html(pattern=None, told=())


def words_of(markup: str) -> str:
    return flat(re.sub(r"<[^>]+>", " ", markup))


@pytest.mark.parametrize("typed", HOSTILE)
def test_a_typed_name_stays_text(typed: str) -> None:
    plain, hostile = html(first_name="x"), html(first_name=typed)
    assert re.findall(r"<(\w+)", hostile) == re.findall(r"<(\w+)", plain)
    assert re.findall(r'(?:href|src|style)="([^"]*)"', hostile) == re.findall(
        r'(?:href|src|style)="([^"]*)"', plain
    )


@pytest.mark.parametrize("typed", HOSTILE)
def test_a_fact_of_the_brand_stays_text(typed: str) -> None:
    plain = html(brand=Brand(trading_name="x", town="x", postal_address="x"))
    hostile = html(brand=Brand(trading_name=typed, town=typed, postal_address=typed))
    assert re.findall(r"<(\w+)", hostile) == re.findall(r"<(\w+)", plain)


def test_every_source_is_cited() -> None:
    cited = set(re.findall(r'href="#source-([a-z-]+)"', html()))
    assert cited == {source.key for source in load().sources}


def test_every_inner_link_has_a_place_to_go() -> None:
    markup = html()
    assert set(re.findall(r'href="#([^"]+)"', markup)) <= set(re.findall(r' id="([^"]+)"', markup))


def test_a_technique_always_says_when_to_stop_and_where_the_signs_are() -> None:
    for technique in load().techniques:
        assert "6 or more" in technique.stop or "dizzy" in technique.stop
    stop = "Tingling or pain that spreads down a leg, new numbness or weakness? Stop. Page 3."
    assert words_of(html().replace("&nbsp;", " ")).replace("3 .", "3.").count(stop) == 5


def test_massage_is_never_named_without_movement_beside_it() -> None:
    for sentence_group in re.findall(r"<p[^>]*>(.*?)</p>", html(), flags=re.DOTALL):
        if "assage may" in sentence_group or "as massage" in sentence_group:
            assert re.search(r"ovement|exercise", sentence_group)


def said(name: str, **changes: Any) -> str:
    """A sample's guide as words, its page numbers as they are read."""
    guide = replace(BlueprintInput.from_mapping(sample(name)), **changes)
    words = words_of(compose(guide, usual_pages(guide)).replace("&nbsp;", " "))
    return re.sub(r"(?<=\d) (?=[.,?])", "", words)


def test_who_finds_her_leg_on_page_two_is_told_of_two_small_moves_and_no_others() -> None:
    text = said("minimal")
    box = text.partition("Something down one leg? Start with less")[2].partition("Then carry on")[0]
    assert "warning signs on page 3 first" in box
    assert "ask a GP or a physio" in box
    assert "do only the bridge, page 8 (3 small lifts, twice a day), and the clamshell" in box
    assert "Leave out the lying figure-4 and the rest of the plan." in box
    assert "The self-check gives you a gentler order" in box


def test_nothing_sends_who_finds_her_leg_into_the_order_of_the_book() -> None:
    text = said("minimal")
    assert text.count("take the others") == 1
    carry_on = text.partition("Then carry on")[2].partition("take the others")[0]
    assert carry_on.strip().startswith("Not for the leg line: the box above is its own start.")
    first_move = text.partition("Your first move, today")[2].partition("Ask first")[0]
    assert "Something down one leg? Page 2 first." in first_move
    plan = text.partition("Two weeks, little by little")[2].partition("Days 1–3")[0]
    assert "Something down one leg? Page 2 first." in plan


def test_who_chose_another_move_on_page_two_starts_with_that() -> None:
    assert "Another move chosen there? Start with that." in said("minimal")


def test_a_guide_with_a_pattern_sends_nobody_back_to_page_two() -> None:
    assert "Something down one leg? Page 2" not in said("typical")
    assert "The warning signs are on page 3." in said("typical")


def test_no_leg_is_asked_for_a_harder_way() -> None:
    own = "Not yet: stay with the easy way until your leg is calm."
    assert said("leg-symptoms").count(f"Harder {own}") == len(load().techniques)
    assert own not in said("typical")


def test_no_harder_way_is_to_straighten_a_raised_leg() -> None:
    assert not [each for each in load().techniques if "traighten" in each.harder]


def test_small_lifts_are_enough_on_the_page_of_the_bridge() -> None:
    bridge = load().technique("bridge")
    assert "A little way is enough" in bridge.steps[2]
    assert "Small lifts are enough" in bridge.easier


def test_a_raised_number_keeps_to_the_word_before_it() -> None:
    markup = html()
    marks = markup.count("<sup>")
    assert marks >= len(load().sources)
    kept = re.findall(r'<span class="together">[^ <]+<sup>', markup)
    assert len(kept) == marks
    assert ".together { white-space: nowrap; }" in STYLE


def test_the_number_of_the_dose_stands_after_every_few_days() -> None:
    assert re.findall(r"(\w+)\.<sup><a href=\"#source-dose", html()) == ["days"] * 3


def test_who_is_still_sore_after_a_day_hears_what_to_do() -> None:
    advice = "If not, do less next time; if it keeps on, ask a GP or physio."
    assert advice in said("typical")


def test_missing_facts_show_as_placeholders_and_given_ones_do_not() -> None:
    guide = BlueprintInput.from_mapping(sample("minimal"))
    bare = compose(guide, usual_pages(guide))
    assert "[your name]" in bare
    assert "[booking link]" in bare
    assert "[" not in words_of(html())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Priya", "Priya"),
        ("Zoë 🌸💪🏽", "Zoë"),
        ("عائشة", "عائشة"),
        ("שירה", "שירה"),
        ("Ελένη", "Ελένη"),
        ("Олександра", "Олександра"),
        ("Błażej-Nguyễn", "Błażej-Nguyễn"),
        ("王秀英", None),
        ("Ada 王", None),
        ("🌸", None),
        ("…", None),
        (None, None),
    ],
)
def test_a_name_is_shown_whole_in_our_typefaces_or_not_at_all(
    name: str | None, shown: str | None
) -> None:
    assert printable_name(name) == shown


def test_every_character_of_the_fixed_words_can_be_drawn() -> None:
    files = [*DOCUMENT.rglob("*.html"), *DOCUMENT.rglob("*.yaml")]
    text = "".join(file.read_text(encoding="utf-8") for file in files).replace("\n", " ")
    assert printable_name(text) == flat(text)


def test_dates_and_addresses_are_written_for_people() -> None:
    assert long_date(date(2026, 1, 5)) == "5 January 2026"
    assert spoken_url("https://example.test/join/?via=guide") == "example.test/join"
    assert spoken_url("example.test") == "example.test"
    assert spoken_url("https://example.test/" + "u" * 470) == "example.test"


STYLE = (DOCUMENT / "guide.css").read_text(encoding="utf-8")
COLOUR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
# Every ink of the stylesheet, and the papers it stands on.
ON = {
    "ink": ("paper", "mist", "sand", "rest", "ease", "stop", "safe-bg"),
    "ink-soft": ("paper", "mist", "sand", "rest"),
    "teal": ("paper", "mist", "sand"),
    "teal-deep": ("paper", "mist", "sand", "ease", "stop", "safe-bg"),
    "safe": ("paper", "safe-bg"),
    "paper": ("phase-p", "phase-a", "phase-i", "phase-n", "teal"),
    "sand": ("teal-deep", "cover-round", "phase-p"),
    "tint": ("teal-deep", "cover-round", "phase-p"),
    "phase-p": ("paper",),
    "phase-a": ("paper",),
    "phase-i": ("paper",),
    "phase-n": ("paper",),
}


def luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("ink", "paper"), [(ink, paper) for ink in ON for paper in ON[ink]])
def test_text_stands_out_from_its_paper(ink: str, paper: str) -> None:
    colours = dict(COLOUR.findall(STYLE))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_no_text_or_paper_has_a_colour_that_is_not_among_these() -> None:
    inks = set(re.findall(r"(?<!-)\bcolor: ([^;}]+)", STYLE)) - {"inherit"}
    assert inks == {f"var(--{ink})" for ink in ON}
    papers = set(re.findall(r"background: ([^;}]+)", STYLE)) - {"none"}
    assert papers == {f"var(--{paper})" for on in ON.values() for paper in on}
