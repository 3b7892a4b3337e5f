"""The mark behind links whose visitors are counted: shared words, and nothing about the reader."""

import dataclasses
import re

import pytest

from funnel.content.mails import MailText, parse_mail
from funnel.content.names import COUNTED_LINKS
from funnel.content.render import RenderedMail, Renderer
from funnel.content.sequences import parse_sequence
from funnel.content.shipped import ShippedText
from funnel.domain.clicks import mark_of
from tests.content.samples import LINKS, fields, findings, is_marketing, mail, shipped_mails

SERIES = [text for text in shipped_mails() if is_marketing(text)]
EVERY_LINK = "\n\n".join(f"[go to {name}](link:{name})" for name in sorted(COUNTED_LINKS))
REMOTE = re.compile(
    r"<img|<image|\bsrc=|\bbackground=|background(-image)?:\s*url|@import|<link|<iframe|<object"
)


def marked(text: ShippedText) -> MailText:
    return dataclasses.replace(parse_mail(text.source, text.where), mark=mark_of(text.key))


def ends(made: RenderedMail, url: str) -> set[str]:
    """What follows an address, in either part, wherever it stands."""
    pattern = re.compile(re.escape(url) + r'([^"\s<]*)')
    return {end for part in (made.html, made.text) for end in pattern.findall(part)}


@pytest.mark.parametrize("text", SERIES, ids=lambda text: text.key)
def test_each_counted_link_of_a_series_mail_carries_its_mails_mark_and_no_other_does(
    text: ShippedText, renderer: Renderer
) -> None:
    made = renderer.render(marked(text), fields())
    for name, url in LINKS.items():
        expected = {f"?m={mark_of(text.key)}"} if name in COUNTED_LINKS else {""}
        assert ends(made, url) <= expected, name


@pytest.mark.parametrize("text", SERIES, ids=lambda text: text.key)
def test_the_mark_is_in_the_words_that_everybody_gets(
    text: ShippedText, renderer: Renderer
) -> None:
    made = renderer.render(marked(text), fields())
    assert made.form is not None
    assert not [value for value in made.values if "?m=" in value]
    assert made == renderer.render(marked(text), fields()), "the same draft, the same bytes"
    other = renderer.render(marked(text), fields("Ben"))
    assert other.form is made.form


def test_without_a_mark_a_mail_is_as_it_ever_was(renderer: Renderer) -> None:
    for text in shipped_mails():
        words = parse_mail(text.source, text.where)
        made = renderer.render(words, fields(marketing=is_marketing(text)))
        assert "?m=" not in made.html + made.text


def test_every_kind_of_link_is_marked_in_both_parts_and_in_the_button(renderer: Renderer) -> None:
    words = dataclasses.replace(mail(EVERY_LINK, "cta: {label: Go, link: guide}\n"), mark="abcdef")
    made = renderer.render(words, fields())
    for name in COUNTED_LINKS:
        assert made.html.count(f'href="{LINKS[name]}?m=abcdef"') >= 1, name
        assert f"{LINKS[name]}?m=abcdef\n" in made.text, name
    assert made.html.count(f'{LINKS["guide"]}?m=abcdef"') == 2, "the link and the button"


def test_all_marks_differ() -> None:
    marks = [mark_of(text.key) for text in shipped_mails()]
    assert len(set(marks)) == len(marks)


@pytest.mark.parametrize("text", shipped_mails(), ids=lambda text: text.key)
def test_no_mail_loads_anything_so_nobody_sees_it_opened(
    text: ShippedText, renderer: Renderer
) -> None:
    made = renderer.render(marked(text), fields(marketing=is_marketing(text)))
    assert not REMOTE.search(made.html)


@pytest.mark.parametrize(
    "pixel", ['<img src="https://a.example/p.gif">', '<td background="https://a.example">',
              '<div style="background-image: url(https://a.example)">', "@import 'https://a'"],
)  # fmt: skip
def test_the_search_for_pixels_would_find_one(pixel: str) -> None:
    assert REMOTE.search(pixel)


def test_to_be_counted_is_no_reason_to_be_written_to() -> None:
    plan = (
        "key: a\ntitle: A\npurpose: {}\nstarts_on: [joined]\nsteps: [{{key: one, after: 1 day}}]\n"
    )
    assert parse_sequence(plan.format("series"), "a.yaml").key == "a"
    found = findings(parse_sequence, plan.format("clicks"), "a.yaml")
    assert "purpose" in found[0]
