"""A mail spliced from a form's octets reads exactly as one encoded as a whole."""

import re
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.adapters.mime import build_mime, check
from funnel.adapters.spliced import spliced_form
from funnel.content.catalog import load_catalog
from funnel.content.mails import parse_mail
from funnel.content.names import LINK_NAMES, MARKETING_LINKS
from funnel.content.render import MailFields, Renderer
from funnel.content.shipped import ShippedText, shipped_texts
from funnel.domain.errors import MailRefused
from funnel.domain.ports import MailForm, OutgoingEmail
from tests.adapters.harness import FORM, as_lines, from_mime, make_email, make_from_form, make_named

TEMPLATES = Path(__file__).parents[2] / "templates"
RENDERER = Renderer(TEMPLATES, load_catalog(TEMPLATES))
MAILS = [text for text in shipped_texts(TEMPLATES) if text.kind == "mail"]
NAMES = [None, "Ada", "Zoë-Mae O’Hara", "界" * 80, "👩‍⚕️", "<&>", "=3D", ".", "x" * 80]
VALUE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=120
) | st.text("a =.\n\té", max_size=160)
LITERAL = VALUE.filter(lambda text: "\r" not in text)


def by_the_standard_library(email: OutgoingEmail) -> bytes:
    """The same words in the same headers, as Python's own library builds them."""
    message = EmailMessage(policy=SMTP)
    message["From"] = f'"{email.from_name}" <{email.from_address}>'
    message["To"] = email.to_address
    message["Reply-To"] = email.reply_to
    message["Subject"] = email.subject
    message["Message-ID"] = email.message_id_header
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    return message.as_bytes()


def assert_reads_the_same(email: OutgoingEmail) -> None:
    content = build_mime(email)
    mail = from_mime(content)
    assert (mail.subject, mail.text, mail.html) == (
        email.subject, as_lines(email.text), as_lines(email.html),
    )  # fmt: skip
    assert mail == from_mime(build_mime(replace(email, form=None, values=())))
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    lines = content.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.endswith((b" ", b"\t")) for line in lines)


@pytest.mark.parametrize("text", MAILS, ids=lambda text: text.key)
def test_every_shipped_mail_reads_as_the_standard_library_builds_it(text: ShippedText) -> None:
    is_series = not text.key.startswith("service/")
    links = {name: f"https://mk.example/{name}/t0k=n" for name in LINK_NAMES | MARKETING_LINKS}
    for name in NAMES:
        given_fields = MailFields(name, links, is_series, "You get this because you asked.")
        made = RENDERER.render(parse_mail(text.source, text.where), given_fields)
        assert made.form is not None
        assert spliced_form(made.form) is not None
        email = make_from_form(made.form, made.values)
        assert_reads_the_same(email)
        ours, theirs = from_mime(build_mime(email)), from_mime(by_the_standard_library(email))
        assert (ours.subject, ours.from_name, ours.to_address, ours.message_id) == (
            theirs.subject, theirs.from_name, theirs.to_address, theirs.message_id,
        )  # fmt: skip
        assert (ours.text.rstrip("\n"), ours.html.rstrip("\n")) == (
            theirs.text.rstrip("\n"), theirs.html.rstrip("\n"),
        )  # fmt: skip


@given(literals=st.tuples(LITERAL, LITERAL, LITERAL), values=st.tuples(VALUE, VALUE))
def test_any_words_cut_anywhere_read_the_same(
    literals: tuple[str, str, str], values: tuple[str, str]
) -> None:
    first, second, third = literals
    form = MailForm(("A subject",), ("<p>", 0, first, 1, second, 0, third), (first, 1, "x", 0, ""))
    email = make_from_form(form, values)
    assert spliced_form(form) is not None
    assert_reads_the_same(email)


@pytest.mark.parametrize("length", range(70, 80))
@pytest.mark.parametrize("last", ["x", "é", "=", " ", "\n"])
def test_a_line_that_is_just_full_at_a_place_is_broken_in_time(length: int, last: str) -> None:
    form = MailForm(("s",), ("h" * (length - 1) + last, 0, "end"), ("t", 0, last, 0, "."))
    assert_reads_the_same(make_from_form(form, ("v" * (length - 1) + last,)))


def test_a_mail_of_a_form_is_the_same_bytes_every_time() -> None:
    email = make_named("Zoë")
    assert build_mime(email) == build_mime(replace(email))


@pytest.mark.parametrize(
    "form",
    [
        MailForm(("s",), ("<p>\r", 0, "\n</p>"), ("x", 0, "")),
        MailForm(("s",), ("<p>", 0, ""), ("", 0, " ")),
        MailForm(("", 0, ""), ("<p>", 0, ""), ("x", 0, "")),
    ],
    ids=["carriage return", "text of values alone", "subject of values alone"],
)
def test_a_form_that_cannot_be_cut_is_built_whole(form: MailForm) -> None:
    assert spliced_form(form) is None
    assert_whole = make_from_form(form, ("Ada",))
    assert from_mime(build_mime(assert_whole)).html == as_lines(assert_whole.html)
    with pytest.raises(MailRefused):
        check(make_from_form(MailForm(("s",), ("x",), ("", 0, "")), ("",)))


@pytest.mark.parametrize("unfit", ["nul \0", "half \ud83d"])
@pytest.mark.parametrize("place", range(4))
def test_a_value_no_mail_can_carry_is_refused(unfit: str, place: int) -> None:
    values = ["Ada", "Ada", "https://mail.example.org/u", "Hello"]
    values[place] = unfit
    with pytest.raises(MailRefused):
        check(make_from_form(FORM, tuple(values)))


def test_a_name_in_the_subject_with_a_line_break_is_refused() -> None:
    with pytest.raises(MailRefused, match="subject"):
        check(make_named("Ada\r\nBcc: q@example.org"))
    assert re.search(rb"^Bcc:", build_mime(make_email()), re.MULTILINE) is None
