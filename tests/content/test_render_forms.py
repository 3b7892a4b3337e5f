"""Filling a form gives, octet for octet, what rendering everything anew for a reader gives."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.content.mails import MailText, parse_mail
from funnel.content.render import MailFields, Renderer
from funnel.content.shipped import ShippedText
from tests.content.samples import (
    BECAUSE,
    LINKS,
    TEMPLATES,
    fields,
    is_marketing,
    mail,
    shipped_mails,
)
from tests.content.whole_render import CATALOG, whole_render

NAMES = (
    None, "Ada", "Zoë-Mae O’Hara", "O'Brien & \"Bo\"", "<&>", "👩‍⚕️ Ada", "A" * 80, "a b " * 20,
    "界" * 80, "ß", "  two   spaces  ", "{{ 7*7 }}", "\\1 \\g<0>", "www.evil.example",
)  # fmt: skip
ADA = 'For {{ first_name or "you" }}, from {{ brand.trading_name }}'
EVERYWHERE = dataclasses.replace(
    mail('{{ first_name or "there" }}, see [**your** guide](link:guide) now.\n\n'
         '- {{ first_name or "friend" }}: ' + "many words in a long line " * 6 + "\n- two\n\n"
         '## {{ first_name or "you" }}\n\n> {{ first_name or "you" }}\n'),
    subject=ADA, preheader=f"  {ADA}  again ", kicker=ADA, heading=ADA,
)  # fmt: skip
RENDERER = Renderer(TEMPLATES, CATALOG)
WORDS = [
    *[(text.key, parse_mail(text.source, text.where)) for text in shipped_mails()],
    ("everywhere", EVERYWHERE),
]


def assert_same(renderer: Renderer, words: MailText, given: MailFields) -> None:
    made = renderer.render(words, given)
    assert (made.subject, made.html, made.text) == whole_render(words, given)
    assert made.form is not None
    parts = (made.form.subject, made.form.html, made.form.text)
    filled = tuple(made.form.fill(part, made.values) for part in parts)
    assert filled == (made.subject, made.html, made.text)


@pytest.mark.parametrize(("key", "words"), WORDS, ids=[key for key, _ in WORDS])
def test_a_filled_form_is_the_whole_render_for_every_name_and_class(
    key: str, words: MailText, renderer: Renderer
) -> None:
    classes = (True, False) if key == "everywhere" else (not key.startswith("service/"),)
    for marketing in classes:
        for name in NAMES:
            assert_same(renderer, words, fields(name, marketing=marketing))


@given(name=st.text(max_size=100), because=st.text(min_size=1).filter(str.strip))
def test_any_name_and_reason_fill_the_form_to_the_whole_render(name: str, because: str) -> None:
    given = MailFields(name, LINKS, True, because)
    assert_same(RENDERER, EVERYWHERE, given)


def test_addresses_that_html_must_escape_fill_the_form_to_the_whole_render(
    renderer: Renderer,
) -> None:
    links = {name: f"{url}?a=1&b=2" for name, url in LINKS.items()}
    assert_same(renderer, EVERYWHERE, MailFields("Ada", links, True, BECAUSE))


@pytest.mark.parametrize("text", shipped_mails(), ids=lambda text: text.key)
def test_readers_of_one_mail_share_its_form_and_it_holds_nothing_of_theirs(
    text: ShippedText, renderer: Renderer
) -> None:
    words = parse_mail(text.source, text.where)
    marketing = is_marketing(text)
    own = {name: f"https://mk.example/{name}/wilhelmina" for name in LINKS}
    house = {name: LINKS[name] for name in ("privacy", "safety", "booking", "website")}
    reader = MailFields("Wilhelmina", own | house, marketing, "Wilhelmina asked on 1 May.")
    first, second = renderer.render(words, reader), renderer.render(words, fields("Ada",
        marketing=marketing))  # fmt: skip
    assert first.form is second.form
    assert first.form is not None
    parts = (*first.form.subject, *first.form.html, *first.form.text)
    shared = "".join(part for part in parts if isinstance(part, str))
    assert "wilhelmina" not in shared.lower()
    assert LINKS["privacy"] in shared


def test_the_two_classes_of_a_mail_have_a_form_each(renderer: Renderer) -> None:
    forms = {
        renderer.render(mail("x"), fields(marketing=is_series)).form for is_series in (True, False)
    }
    assert len(forms) == 2


def test_every_part_of_a_form_is_text_and_places_in_turn(renderer: Renderer) -> None:
    made = renderer.render(EVERYWHERE, fields())
    assert made.form is not None
    for part in (made.form.subject, made.form.html, made.form.text):
        assert all(isinstance(piece, int if at % 2 else str) for at, piece in enumerate(part))
        assert len(part) % 2 == 1
