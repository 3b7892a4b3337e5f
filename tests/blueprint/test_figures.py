"""Every figure is sound SVG: small, inside its frame, said in words, clear in grey."""

import re

import pytest

from blueprint import figures
from blueprint.figures.entries import ENTRIES
from tests.blueprint.inked import Mark, body, marks, parsed

NEEDED = {
    *("stand", "rest", "crossed-posture", "bridge-start", "bridge-top", "bridge-cover"),
    *("clamshell-start", "clamshell-end", "hip-flexor-start", "hip-flexor-end"),
    *("figure-four-start", "figure-four-end", "squat-start", "squat-end"),
    *("rise", "sit", "one-side", "leg-line", "walk", "side-step-start", "side-step-end"),
}
PANEL = "#e9f2f0"
every_figure = pytest.mark.parametrize("name", figures.names())


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG: what is left of a colour when it is printed in grey."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_needed_figure_is_there() -> None:
    assert set(figures.names()) >= NEEDED
    assert len(figures.names()) >= 14


@every_figure
def test_a_figure_is_sound_svg_with_title_and_description(name: str) -> None:
    figure, root = figures.draw(name), parsed(name)
    ids = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    assert root.get("role") == "img"
    assert [ids[key] for key in str(root.get("aria-labelledby")).split()] == [
        figure.title,
        figure.description,
    ]


@every_figure
def test_a_description_is_a_sentence_that_stands_alone(name: str) -> None:
    words = figures.draw(name).description
    assert words.endswith(".")
    assert 25 <= len(words) <= 320
    assert not re.search(r"\b(picture|image|figure) of\b|\bpain\b", words, re.IGNORECASE)


def test_no_two_figures_are_described_alike() -> None:
    drawn = [figures.draw(name) for name in figures.names()]
    assert len({figure.description for figure in drawn}) == len(drawn)
    assert len({figure.title for figure in drawn}) == len(drawn)


@every_figure
def test_a_figure_holds_no_style_no_script_and_no_address(name: str) -> None:
    svg = figures.draw(name).svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"<style|<script|<image|<use|style=|href|url\(|var\(|\bon\w+=|//", svg)


@every_figure
def test_a_figure_is_smaller_than_eight_kilobytes(name: str) -> None:
    assert len(figures.draw(name).svg.encode()) < 8_192


@every_figure
def test_every_mark_is_inside_its_frame(name: str) -> None:
    frame = ENTRIES[name].frame
    for mark in marks(name):
        reach = mark.width / 2
        assert min(place.x for place in mark.places) - reach >= frame.left, mark
        assert max(place.x for place in mark.places) + reach <= frame.right, mark
        assert min(place.y for place in mark.places) - reach >= frame.bottom, mark
        assert max(place.y for place in mark.places) + reach <= frame.top, mark


@every_figure
def test_a_figure_fills_its_frame(name: str) -> None:
    """A frame much larger than the drawing would make the body small on the page."""
    frame, drawn = ENTRIES[name].frame, [place for mark in marks(name) for place in mark.places]
    width = max(place.x for place in drawn) - min(place.x for place in drawn)
    height = max(place.y for place in drawn) - min(place.y for place in drawn)
    assert width >= 0.74 * (frame.right - frame.left)
    assert height >= 0.74 * (frame.top - frame.bottom)


def test_ids_of_different_figures_never_clash() -> None:
    page = "".join(figures.draw(name).svg for name in figures.names())
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 2 * len(figures.names())


def test_drawing_twice_gives_the_same_picture() -> None:
    first = {name: figures.draw(name).svg for name in figures.names()}
    figures.draw.cache_clear()
    assert {name: figures.draw(name).svg for name in figures.names()} == first


def test_a_title_can_be_replaced_and_is_escaped() -> None:
    figure = figures.draw("rest", title="Rest <here> & breathe")
    assert '<title id="fig-rest-title">Rest &lt;here&gt; &amp; breathe</title>' in figure.svg


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(KeyError):
        figures.draw("handstand")


def test_web_figures_can_be_recoloured_and_the_cover_cannot() -> None:
    assert 'class="fig-leg"' in figures.draw("bridge-top").svg
    assert "fig-leg" not in figures.draw("bridge-cover").svg


# ---- many kinds of people -------------------------------------------------------------


def test_readers_see_many_skins_builds_and_heads_of_hair() -> None:
    people = [entry.person for entry in ENTRIES.values()]
    assert len({person.palette.skin for person in people}) >= 6
    assert len({person.build for person in people}) >= 4
    assert len({person.hair for person in people}) >= 6


def test_some_bodies_are_older_and_some_are_broad() -> None:
    people = [entry.person for entry in ENTRIES.values()]
    assert any(person.palette.hair == "#9a9690" for person in people), "grey hair"
    assert any(person.build.limbs > 1.1 and person.build.belly > 4 for person in people)


def test_start_and_end_of_an_exercise_show_the_same_person() -> None:
    for name, entry in ENTRIES.items():
        for ending in ("-end", "-top"):
            twin = ENTRIES.get(name.removesuffix("-start") + ending)
            if name.endswith("-start") and twin:
                assert entry.person == twin.person, name


# ---- marks are clear, in colour and in grey ----------------------------------------------


@every_figure
def test_arrows_and_words_stand_out_from_a_light_panel(name: str) -> None:
    for mark in marks(name):
        if mark.role == "move":
            assert contrast(mark.stroke, PANEL) >= 3
    for node in parsed(name):
        if node.tag.endswith("text"):
            assert contrast(str(node.get("fill")), PANEL) >= 4.5


@every_figure
def test_a_muscle_stands_out_from_clothes_even_in_grey(name: str) -> None:
    muscles = [m for m in marks(name) if m.role == "glow" and m.stroke and m.fill != "none"]
    clothes = {m.fill for m in body(name) if m.role in {"leg", "shirt"}}
    for muscle in muscles:
        assert muscle.fill not in clothes
        assert contrast(muscle.fill, muscle.stroke) >= 4.5, "the rim"
        assert any(contrast(muscle.fill, fibre.stroke) >= 3 for fibre in fibres(name))
        for cloth in clothes:
            assert max(contrast(muscle.fill, cloth), contrast(muscle.stroke, cloth)) >= 2.2


def fibres(name: str) -> list[Mark]:
    return [mark for mark in marks(name) if mark.role == "fibre"]
