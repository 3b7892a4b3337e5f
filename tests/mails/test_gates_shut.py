"""Each gate stops what it is there to stop: a good mail, spoilt in one place."""

from dataclasses import replace

import pytest

from funnel.content.catalog import Catalog
from funnel.content.shipped import ShippedText
from tests.content.samples import TEMPLATES
from tests.mails import build, headers, structure, words
from tests.mails.post import SITE, Mail, PostOffice, shipped_brand

GOOD = """---
subject: Something to try
preheader: A chair, a minute on each side, and nothing else that you need today.
heading: Something to try
---
Hello {{ first_name or "there" }},

## Two steps

1. Sit.
2. Stand.

See [this page](link:safety) first.

{{ brand.therapist_name }}
"""
LINK = f'href="{SITE}/safety"'


@pytest.fixture(scope="module")
def good() -> dict[str, Mail]:
    """A good mail of a series and a good service mail."""
    office = PostOffice(TEMPLATES, shipped_brand())
    return {
        kind: office.mail(ShippedText("mail", key, GOOD, "good.md"))
        for kind, key in (("series", "nurture/good"), ("service", "service/good"))
    }


def swapped(whole: str, old: str, new: str) -> str:
    assert old in whole
    return whole.replace(old, new, 1)


def in_arrived(mail: Mail, part: str, old: str, new: str) -> Mail:
    """The mail with another HTML or text part."""
    if part == "html":
        other = replace(mail.arrived, html=swapped(mail.arrived.html, old, new))
    else:
        other = replace(mail.arrived, text=swapped(mail.arrived.text, old, new))
    return replace(mail, arrived=other)


def in_bytes(mail: Mail, old: str, new: str) -> Mail:
    """The mail with other bytes."""
    return replace(mail, content=swapped(mail.content.decode(), old, new).encode())


def test_a_good_mail_passes_every_gate(good: dict[str, Mail], catalog: Catalog) -> None:
    for mail in good.values():
        assert build.problems(mail, catalog) == ()
        assert words.problems(mail) == ()
        assert structure.problems(mail, catalog) == ()
        assert headers.problems(mail) == ()


@pytest.mark.parametrize(
    ("part", "old", "new", "told"),
    [
        ("html", LINK, f'href="{SITE}/safety?id=7"', "carries more than a path"),
        ("html", LINK, f'href="{SITE}/safety?m=7"', "carries more than a path"),
        ("html", LINK, f'href="{SITE}/back-pain"', "tells of health: 'back'"),
        ("html", LINK, 'href="http://guide.practice.example/x"', "is not https"),
        ("html", LINK, 'href="https://evil.example/x"', "add its site to brand.yaml"),
        ("html", "<h1", '<img src="https://evil.example/p.gif"><h1', "would fetch or run"),
        ("html", "<h1", "<img><h1", "has no words in its place"),
        ("html", "<h1", '<img alt="">' * 3 + "<h1", "pictures are many for its words"),
        ("html", "</body>", "x" * 60_000 + "</body>", "the mail weighs"),
        ("html", "</style>", "x" * 16_000 + "</style>", "styles weigh"),
        ("text", "https://", "http://", "do not hold the same links"),
    ],
)
def test_a_badly_built_mail_is_stopped(
    part: str, old: str, new: str, told: str, good: dict[str, Mail], catalog: Catalog
) -> None:
    spoilt = in_arrived(good["series"], part, old, new)
    assert told in "\n".join(build.problems(spoilt, catalog))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Hello Ada", "H" * 999, "longer than a mail server must take"),
        ("Hello Ada", "Hello\nAda", "does not end in CRLF"),
        ("Hello Ada", "Hello Zoë", "not ASCII"),
        ("</body>", ("x" * 70 + "=\r\n") * 900 + "</body>", "octets encoded"),
    ],
)
def test_bytes_that_no_server_must_take_are_stopped(
    old: str, new: str, told: str, good: dict[str, Mail], catalog: Catalog
) -> None:
    spoilt = in_bytes(good["series"], old, new)
    assert told in "\n".join(build.problems(spoilt, catalog))


def test_the_weight_is_that_of_the_encoded_part(good: dict[str, Mail]) -> None:
    mail = good["series"]
    assert len(mail.arrived.html.encode()) < build.html_octets(mail) < len(mail.content)


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("series", {"body": "It cures back pain."}, "'cures' is a claim"),
        ("series", {"subject": "Your back today"}, "'back' in the subject tells of health"),
        ("series", {"subject": "x" * 45}, "keep it under 45"),
        ("series", {"preheader": "Too short."}, "make it 40 to 90"),
        ("series", {"body": "Biomechanical considerations necessitate action."}, "at grade"),
        ("series", {"body": "Go on. " * 200}, "it has 400 words"),
        ("service", {"body": "Join the challenge."}, "a service mail may not advertise"),
    ],
)
def test_bad_words_are_stopped(
    kind: str, change: dict[str, str], told: str, good: dict[str, Mail]
) -> None:
    mail = good[kind]
    changed = replace(mail.words, **change)  # type: ignore[arg-type]  # fields by name
    assert told in "\n".join(words.problems(replace(mail, words=changed)))


def test_what_arrives_is_judged_too(good: dict[str, Mail]) -> None:
    claim = in_arrived(good["series"], "text", "Hello Ada", "A proven way, Ada")
    assert "'proven' is a claim" in "\n".join(words.problems(claim))
    knee = in_arrived(good["series"], "html", ">A chair, a minute", ">Your knee, a minute")
    assert "the preheader tells of health: 'knee'" in words.problems(knee)


@pytest.mark.parametrize(
    ("kind", "part", "old", "new", "told"),
    [
        ("series", "html", 'lang="en-GB"', 'lang="de"', "its language is 'de'"),
        ("series", "html", "<title>Some", "<title>No", "its title is 'Nothing to try'"),
        ("series", "html", "<h1", "<h2", "not just one first heading"),
        ("series", "html", "<h2", "<h1", "not just one first heading"),
        ("series", "html", "<h2", "<h3", "skip a level"),
        ("series", "html", 'role="presentation" align', 'role="table" align', "read out"),
        ("series", "html", "1 Sample Street", "Nowhere", "HTML: '1 Sample Street"),
        ("series", "text", "1 Sample Street", "Nowhere", "text: '1 Sample Street"),
        ("series", "html", "Call 999 now", "Rest", "HTML: 'New numbness"),
        ("series", "text", "You get this because", "Well", "text: nothing says why"),
        ("series", "text", "Hello Ada", "Hello " + "Ada " * 20, "a long line"),
        ("series", "text", "Hello Ada", f"Hello {SITE}/x Ada", "shares its line"),
        ("series", "text", "Hello Ada", "<p>Hello Ada", "holds markup"),
        ("service", "text", "Hello Ada", f"{SITE}/unsubscribe/x", "is out of place"),
    ],
)
def test_a_mail_with_a_part_missing_is_stopped(
    kind: str, part: str, old: str, new: str, told: str, good: dict[str, Mail], catalog: Catalog
) -> None:
    spoilt = in_arrived(good[kind], part, old, new)
    assert told in "\n".join(structure.problems(spoilt, catalog))


def test_a_series_mail_without_a_way_to_leave_is_stopped(
    good: dict[str, Mail], catalog: Catalog
) -> None:
    gone = in_arrived(good["series"], "html", "/unsubscribe/", "/un/")
    assert "HTML: the link 'unsubscribe' is missing" in structure.problems(gone, catalog)
    gone = in_arrived(good["series"], "text", "/unsubscribe/", "/un/")
    assert "text: the link 'unsubscribe' is missing" in structure.problems(gone, catalog)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("-Unsubscribe: <", "-Unsubscribe:\r\n <", "its headers are"),
        ("/unsubscribe/", "/unsub\r\n scribe/", "List-Unsubscribe is folded"),
        ("List-Unsubscribe=One-Click", "One-Click", "List-Unsubscribe-Post is 'One"),
        ("<https://guide", "<http://guide", "List-Unsubscribe is '<http"),
        ("List-Id", "List-ID", "its headers are"),
        ("<series.mail", "<news.mail", "List-Id is '<news"),
        ("@mail.practice.example>\r\nList", "@x.example>\r\nList", "is not on the domain"),
        ("Message-ID: <", "Message-ID: <x", "Message-ID is '<x"),
        ("auto-generated", "no", "Auto-Submitted is 'no'"),
        (":email:funnel", ":email:", "Feedback-ID is 'drip"),
        (":email:funnel", ":knee-pain:funnel", "Feedback-ID tells of health"),
        ("Mon, 23", "Tue, 24", "the date is not when it was written"),
        ("08:10:00 +0000", "08:10 GMT", "Date is 'Mon"),
        ("To: ada", "To: eve", "goes to, or is answered to, somebody else"),
        ("Subject: Some", "Subject: No", "Subject is read as something else"),
        ("Subject: Some", "Subject: =?utf-8?B?U29tZQ==?=", "is encoded without need"),
        ("MIME-Version", f"X-Long: {'x' * 999}\r\nMIME-Version", "a line has 1007 octets"),
    ],
)
def test_a_mail_with_a_wrong_header_is_stopped(
    old: str, new: str, told: str, good: dict[str, Mail]
) -> None:
    assert told in "\n".join(headers.problems(in_bytes(good["series"], old, new)))


def test_a_service_mail_with_a_header_of_a_list_is_stopped(good: dict[str, Mail]) -> None:
    listed = in_bytes(good["service"], "MIME-Version", "List-Id: <x>\r\nMIME-Version")
    assert "its headers are" in "\n".join(headers.problems(listed))


def test_another_mail_for_sendgrid_than_for_smtp_is_stopped(good: dict[str, Mail]) -> None:
    mixed = replace(good["series"], email=good["service"].email)
    assert "SendGrid is given other headers" in headers.problems(mixed)
