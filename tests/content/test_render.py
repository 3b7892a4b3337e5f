"""A finished mail: its two parts, its footer, and names and links that do no harm."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from funnel.content.catalog import Catalog
from funnel.content.mails import parse_mail
from funnel.content.render import MailFields, Renderer
from funnel.content.shipped import ShippedText
from funnel.content.style import html_links, lint_build, text_links
from funnel.domain.errors import ContentInvalid, MailRefused
from tests.content.samples import BECAUSE, LINKS, fields, is_marketing, mail, shipped_mails

HELLO = 'Hello {{ first_name or "there" }},\n\nGood to have you.\n'
NAMES = (
    None, "", "Ada", "Zoë-Mae O’Hara", "O'Brien & \"Bo\"", "<script>alert(1)</script>", "<b>x",
    "A" * 80, "界" * 80, "{{ 7*7 }}", "{% x %}", "{{link:confirm}}", "[x](link:guide)", "**x**",
    "Ada\r\nBcc: q@q.example", "Ada\u2028x", "\u202eadA", "\x00", "x" * 1_000_000, "=cmd|' /C'!A0",
    "&lt;b&gt;", "%s %(x)s {0}", "\\1 \\g<0>", "-- ", "# Big", "1. one", "> quoted",
)  # fmt: skip


def ids(text: ShippedText) -> str:
    return text.key


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:20])
@pytest.mark.parametrize("text", shipped_mails(), ids=ids)
def test_every_shipped_mail_renders_for_any_name(
    text: ShippedText, name: str | None, renderer: Renderer
) -> None:
    words = parse_mail(text.source, text.where)
    rendered = renderer.render(words, fields(name, marketing=is_marketing(text)))

    plain = renderer.render(words, fields("Ada", marketing=is_marketing(text)))
    assert "{{" not in (rendered.html + rendered.text + rendered.subject).replace(name or "{{", "")
    assert re.search(r"[\r\n]", rendered.subject + rendered.preheader) is None
    assert structure(rendered.html) == structure(plain.html)
    assert html_links(rendered.html) == html_links(plain.html)
    assert text_links(rendered.text) == text_links(plain.text)


def structure(html: str) -> list[tuple[str, object]]:
    """Every tag with its attributes but for the spoken title, which may hold a name."""
    tags: list[tuple[str, object]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, [pair for pair in attrs if pair[0] != "aria-label"]))

    Reader().feed(html)
    return tags


@pytest.mark.parametrize("text", shipped_mails(), ids=ids)
def test_both_parts_of_every_shipped_mail_hold_the_same_links_and_the_footer(
    text: ShippedText, renderer: Renderer, catalog: Catalog
) -> None:
    words = parse_mail(text.source, text.where)
    rendered = renderer.render(words, fields(marketing=is_marketing(text)))

    assert html_links(rendered.html) == text_links(rendered.text)
    for part in (" ".join(rendered.text.split()), readable(rendered.html)):
        assert BECAUSE in part
        assert catalog.brand.shown.postal_address in part
        assert catalog.brand.trading_name in part
        assert catalog.safety.one_line in part
        assert catalog.safety.disclaimer in part
        assert ("nsubscribe" in part) == is_marketing(text)
    own = {LINKS["privacy"], LINKS["safety"]}
    marketing = {LINKS["unsubscribe"], LINKS["preferences"]}
    assert own <= html_links(rendered.html)
    assert (marketing <= html_links(rendered.html)) == is_marketing(text)


def readable(html: str) -> str:
    words: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            words.append(data)

    Reader().feed(html)
    return " ".join(" ".join(words).split())


@pytest.mark.parametrize("text", shipped_mails(), ids=ids)
def test_every_shipped_mail_is_light_and_asks_nothing_of_others(
    text: ShippedText, renderer: Renderer
) -> None:
    words = parse_mail(text.source, text.where)
    rendered = renderer.render(words, fields(marketing=is_marketing(text)))

    assert list(lint_build(rendered, text.where, frozenset({"mk.example"}))) == []
    assert 'lang="en-GB"' in rendered.html
    assert f"<title>{rendered.subject}</title>" in rendered.html
    assert "color:#ffffff;line-height" not in rendered.html, "a white preheader looks like spam"
    assert all(len(line) <= 76 for line in rendered.text.split("\n") if "://" not in line)


def test_a_name_is_escaped_in_html_and_plain_in_text(renderer: Renderer) -> None:
    rendered = renderer.render(mail(HELLO), fields('O\'Brien & "Bo"'))
    assert "Hello O&#x27;Brien &amp; &quot;Bo&quot;," in rendered.html
    assert 'Hello O\'Brien & "Bo",' in rendered.text


@pytest.mark.parametrize(
    "name",
    [
        None, "", "  ", "evil.example", "www.evil", "https://evil.example", "a@b.example",
        "//evil", "call 0800 123456", "evil。com", "<b>", "[x]", "x" * 81, "\x00",
    ],
)  # fmt: skip
def test_no_name_or_one_that_programs_would_link_becomes_the_fall_back_word(
    name: str | None, renderer: Renderer
) -> None:
    rendered = renderer.render(mail(HELLO), fields(name))
    assert "Hello there," in rendered.html
    assert "Hello there," in rendered.text


def test_markdown_in_a_name_stays_letters(renderer: Renderer) -> None:
    rendered = renderer.render(mail(HELLO), fields("**Ada** _x_"))
    assert "Hello **Ada** _x_," in rendered.html
    assert "<strong>" not in rendered.html


def test_a_subject_with_a_name_holds_no_line_break(renderer: Renderer) -> None:
    words = dataclasses.replace(mail(HELLO), subject='For {{ first_name or "you" }}')
    assert renderer.render(words, fields("Ada\r\nBcc: x")).subject == "For you"
    assert renderer.render(words, fields("Ada\r\nLou")).subject == "For Ada Lou"
    assert "<title>For Ada &amp; Lou</title>" in renderer.render(words, fields("Ada & Lou")).html


def test_a_text_cannot_pose_as_an_open_place(renderer: Renderer) -> None:
    body = "{[a](link:guide){link:confirm}} \\{\\{link:confirm\\}\\}"
    rendered = renderer.render(mail(body), fields())
    assert LINKS["confirm"] not in rendered.html + rendered.text


@pytest.mark.parametrize("gap", ["unsubscribe", "preferences", "privacy", "safety", "guide"])
def test_a_marketing_mail_without_a_link_it_needs_is_refused(gap: str, renderer: Renderer) -> None:
    links = {name: url for name, url in LINKS.items() if name != gap}
    with pytest.raises(MailRefused):
        renderer.render(mail("See [it](link:guide)."), MailFields("Ada", links, True, BECAUSE))


def test_a_service_mail_needs_no_unsubscribe_link(renderer: Renderer) -> None:
    links = {name: LINKS[name] for name in ("privacy", "safety", "guide")}
    rendered = renderer.render(
        mail("See [it](link:guide)."), MailFields("Ada", links, False, BECAUSE)
    )
    assert html_links(rendered.html) == set(links.values())


def test_a_marketing_mail_with_a_confirm_link_is_refused(renderer: Renderer) -> None:
    with pytest.raises(MailRefused):
        renderer.render(mail("See [it](link:confirm)."), fields())


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://mk.example/a b", 'https://mk.example/"x', "https://mk\n.x",
     "/guide", "", "https://mk.example/<x>", "data:text/html,x", "https://mk.example/\\x"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str, renderer: Renderer) -> None:
    links = {**LINKS, "guide": url}
    with pytest.raises(MailRefused):
        renderer.render(mail("See [it](link:guide)."), MailFields("Ada", links, True, BECAUSE))


def test_an_address_with_a_query_is_escaped_in_html_only(renderer: Renderer) -> None:
    links = {**LINKS, "guide": "https://mk.example/g?a=1&b=2"}
    rendered = renderer.render(
        mail("See [it](link:guide)."), MailFields("Ada", links, True, BECAUSE)
    )
    assert 'href="https://mk.example/g?a=1&amp;b=2"' in rendered.html
    assert "\nhttps://mk.example/g?a=1&b=2\n" in rendered.text


def test_an_outside_site_must_be_on_the_list_of_the_brand(renderer: Renderer) -> None:
    allowed = mail("See [the NHS](https://www.nhs.uk/conditions/).")
    assert "https://www.nhs.uk/conditions/" in renderer.render(allowed, fields()).text
    with pytest.raises(ContentInvalid, match="link_hosts"):
        renderer.render(mail("See [it](https://evil.example/)."), fields())


def test_a_booking_link_not_given_yet_shows_a_placeholder_instead(renderer: Renderer) -> None:
    words = mail("You can [book a session](link:booking).", "cta: {label: Book, link: booking}\n")
    rendered = renderer.render(words, fields())
    assert "book a session [booking link]" in rendered.html
    assert "book a session [booking link]" in rendered.text
    assert LINKS["booking"] not in rendered.html + rendered.text


def test_a_booking_link_of_the_brand_is_used_when_no_other_is_given(
    templates: Path, catalog: Catalog
) -> None:
    brand = dataclasses.replace(catalog.brand, booking_url="https://book.example/me")
    renderer = Renderer(templates, dataclasses.replace(catalog, brand=brand))
    links = {name: url for name, url in LINKS.items() if name != "booking"}
    rendered = renderer.render(
        mail("You can [book](link:booking)."), MailFields("Ada", links, True, BECAUSE)
    )
    assert "https://book.example/me" in html_links(rendered.html) & text_links(rendered.text)


def test_the_button_stands_where_the_line_of_dashes_is(renderer: Renderer) -> None:
    cta = "cta: {label: Go on, link: guide}\n"
    placed = renderer.render(mail("Before.\n\n---\n\nAfter.", cta), fields()).text
    last = renderer.render(mail("Before.\n\nAfter.", cta), fields()).text
    assert placed.index("Before") < placed.index("Go on:") < placed.index("After")
    assert last.index("After") < last.index("Go on:") < last.index("--\n")


def test_a_mail_with_red_flags_lists_every_urgent_sign_in_both_parts(
    renderer: Renderer, catalog: Catalog
) -> None:
    rendered = renderer.render(mail("Legs.", "red_flags: true\n"), fields())
    for part in (" ".join(rendered.text.split()), readable(rendered.html)):
        assert all(sign in part for sign in catalog.safety.urgent)
        assert catalog.safety.urgent_note in part


def test_the_text_part_reads_well(renderer: Renderer) -> None:
    body = (
        "## Two moves\n\n1. Kneel on a cushion, with the other foot in front, and then wait for a "
        "breath or two.\n2. Tuck.\n\n- *One* **thing**\n- See [the page](link:guide)\n\nDone."
    )
    text = renderer.render(mail(body, "kicker: Step A\nheading: Begin\n"), fields()).text
    assert text.startswith(
        "STEP A\nBegin\n\nTwo moves\n\n"
        "  1. Kneel on a cushion, with the other foot in front, and then wait for\n"
        "     a breath or two.\n"
        "  2. Tuck.\n\n"
        "  - One thing\n"
        f"  - See the page\n\n    The page:\n    {LINKS['guide']}\n\n"
        "Done.\n\n--\nYou get this"
    )


def test_the_same_words_give_the_same_mail_again(renderer: Renderer) -> None:
    words = mail(HELLO)
    first = renderer.render(words, fields())
    renderer.render(words, fields("Ben"))
    assert renderer.render(words, fields()) == first
    assert renderer.links_of(words, is_marketing=False) == {"privacy", "safety"}
