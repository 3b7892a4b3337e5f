"""The bytes of a mail: deterministic, legal, and the same as the standard library would read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.policy import default
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.adapters.mime import MAX_LINE_OCTETS, build_mime, check
from funnel.domain.errors import MailRefused
from funnel.domain.ports import MailClass
from tests.adapters.harness import as_lines, from_mime, make_email

# Everything a header may hold: no controls, separators, direction overrides or half characters.
HEADER_TEXT = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs", "Zl", "Zp"],
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    min_size=1,
    max_size=200,
).filter(lambda text: bool(text.strip()))
BODY_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(lambda text: bool(text.strip()))


def test_the_same_email_gives_the_same_bytes() -> None:
    email = make_email(subject="Ünïcode", from_name="Réyes")
    assert build_mime(email) == build_mime(replace(email))


def test_another_message_id_gives_another_boundary() -> None:
    first, second = (build_mime(make_email(message_id=UUID(int=n))) for n in (1, 2))
    boundaries = {message_from_bytes(mail).get_boundary() for mail in (first, second)}
    assert len(boundaries) == 2


def test_the_date_is_when_the_email_was_written() -> None:
    summer = timezone(timedelta(hours=1))
    email = make_email(created_at=datetime(2026, 6, 1, 9, 30, tzinfo=summer))
    message = message_from_bytes(build_mime(email), policy=default)
    assert message["Date"] == "Mon, 01 Jun 2026 08:30:00 +0000"


def test_a_date_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 6, 1, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(MailRefused, match="time zone"):
        build_mime(make_email(created_at=naive))


def test_text_comes_before_html_so_that_the_richer_part_is_preferred() -> None:
    message = message_from_bytes(build_mime(make_email()), policy=default)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


@given(subject=HEADER_TEXT, from_name=HEADER_TEXT)
def test_any_lawful_header_is_read_back_by_the_standard_library(
    subject: str, from_name: str
) -> None:
    mail = from_mime(build_mime(make_email(subject=subject, from_name=from_name)))
    assert mail.subject == subject
    assert mail.from_name.strip() == from_name.strip()


@given(text=BODY_TEXT, html=BODY_TEXT)
def test_any_body_is_read_back_by_the_standard_library(text: str, html: str) -> None:
    mail = from_mime(build_mime(make_email(text=text, html=html)))
    assert (mail.text, mail.html) == (as_lines(text), as_lines(html))


@given(subject=HEADER_TEXT, text=BODY_TEXT)
def test_the_wire_is_ascii_in_short_lines_that_end_in_crlf(subject: str, text: str) -> None:
    content = build_mime(make_email(subject=subject, text=text))
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 78


def test_no_line_is_longer_than_the_standard_allows_however_long_the_parts_are() -> None:
    url = "https://mail.example.org/" + "u" * 900
    email = make_email(list_unsubscribe_url=url, text="x" * 50_000, html="ö" * 50_000)
    assert max(len(line) for line in build_mime(email).split(b"\r\n")) <= MAX_LINE_OCTETS


def test_a_name_too_long_for_a_header_line_is_refused() -> None:
    with pytest.raises(MailRefused, match="too long"):
        build_mime(make_email(from_name="n" * 1000))


def test_a_mail_without_a_senders_name_shows_the_address() -> None:
    message = message_from_bytes(build_mime(make_email(from_name=" ")), policy=default)
    assert message["From"] == "hello@mail.example.org"


def test_a_mail_without_a_reply_address_has_no_such_header() -> None:
    message = message_from_bytes(build_mime(make_email(reply_to=None)), policy=default)
    assert message["Reply-To"] is None


@pytest.mark.parametrize("mail_class", [c for c in MailClass if c is not MailClass.DRIP])
def test_only_the_series_must_offer_to_leave(mail_class: MailClass) -> None:
    check(make_email(mail_class=mail_class, list_unsubscribe_url=None))


def test_a_refusal_names_the_part_and_never_its_content() -> None:
    with pytest.raises(MailRefused) as refused:
        check(make_email(subject="For Ada only\r\nBcc: q@example.org"))
    assert str(refused.value) == "The subject holds a control character."
