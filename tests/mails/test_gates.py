"""Every mail is well built, worded and addressed; each gate stops what it is there to stop."""

from dataclasses import replace

import pytest

from funnel.content.catalog import Catalog
from tests.mails import build, headers, structure, words
from tests.mails.post import SITE, Mail, every_mail, shipped_brand

MAILS = every_mail()
SERIES = next(mail for mail in MAILS if mail.key == "nurture/one-technique")
SERVICE = next(mail for mail in MAILS if mail.key == "service/guide_ready")
ACCENTS = "Zoë Ångström, clinical massage and movement for Milton Keynes – Wolverton"

each_mail = pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.key)


@each_mail
def test_it_is_light_and_asks_nothing_of_a_third_party(mail: Mail, catalog: Catalog) -> None:
    assert build.problems(mail, catalog) == ()


@each_mail
def test_it_reads_easily_and_claims_nothing(mail: Mail) -> None:
    assert words.problems(mail) == ()


@each_mail
def test_it_is_whole_for_ears_and_eyes(mail: Mail, catalog: Catalog) -> None:
    assert structure.problems(mail, catalog) == ()


@each_mail
def test_its_headers_are_right_to_the_byte_on_either_way(mail: Mail) -> None:
    assert headers.problems(mail) == ()


def test_the_headers_are_as_right_for_a_practice_with_accents() -> None:
    accented = replace(shipped_brand(), from_name=ACCENTS, trading_name="Zoë’s")
    for mail in every_mail(brand=accented):
        assert headers.problems(mail) == ()
        assert ACCENTS not in mail.content.decode("ascii")


def test_the_name_of_the_list_is_one_for_all_series() -> None:
    names = {line for mail in MAILS for line in mail.arrived.lines_of("List-Id")}
    assert names == {"List-Id: <series.mail.practice.example>"}


def in_html(old: str, new: str, mail: Mail = SERIES) -> Mail:
    """The mail with other HTML."""
    assert old in mail.arrived.html
    return replace(mail, arrived=replace(mail.arrived, html=mail.arrived.html.replace(old, new, 1)))


def in_text(old: str, new: str, mail: Mail = SERIES) -> Mail:
    """The mail with another text part."""
    assert old in mail.arrived.text
    return replace(mail, arrived=replace(mail.arrived, text=mail.arrived.text.replace(old, new, 1)))


def in_bytes(old: str, new: str, mail: Mail = SERIES) -> Mail:
    """The mail with other bytes."""
    assert old.encode() in mail.content
    return replace(mail, content=mail.content.replace(old.encode(), new.encode(), 1))


def in_words(mail: Mail = SERIES, **changes: str) -> Mail:
    """The mail with other words."""
    return replace(mail, words=replace(mail.words, **changes))  # type: ignore[arg-type]  # by name


ANOTHERS = replace(SERIES, email=replace(SERIES.email, message_id=SERVICE.email.message_id))
LINK = f'href="{SITE}/safety"'


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (in_html(LINK, f'href="{SITE}/safety?id=7"'), "carries more than a path"),
        (in_html(LINK, f'href="{SITE}/back-pain"'), "tells of health: 'back'"),
        (in_html(LINK, 'href="http://guide.practice.example/x"'), "is not https"),
        (in_html(LINK, 'href="https://evil.example/x"'), "add its site to brand.yaml"),
        (in_html("<h1", '<img src="https://evil.example/p.gif"><h1'), "would fetch or run"),
        (in_html("<h1", "<img><h1"), "has no words in its place"),
        (in_html("<h1", '<img alt="">' * 3 + "<h1"), "pictures are many for its words"),
        (in_html("</body>", "x" * 60_000 + "</body>"), "the mail weighs"),
        (in_html("</style>", "x" * 16_000 + "</style>"), "styles weigh"),
        (in_text("https://", "http://"), "do not hold the same links"),
        (in_bytes("Hello Ada", "H" * 999), "longer than a mail server must take"),
        (in_bytes("Hello Ada", "Hello\nAda"), "does not end in CRLF"),
        (in_bytes("Hello Ada", "Hello Zoë"), "not ASCII"),
    ],
)
def test_a_badly_built_mail_is_stopped(mail: Mail, told: str, catalog: Catalog) -> None:
    assert told in "\n".join(build.problems(mail, catalog))


def test_the_weight_is_that_of_the_encoded_part(catalog: Catalog) -> None:
    encoded = build.html_octets(SERIES)
    assert len(SERIES.arrived.html.encode()) < encoded < len(SERIES.content)
    heavy = in_bytes("</body>", ("x" * 70 + "=\r\n") * 900 + "</body>")
    assert "octets encoded" in "\n".join(build.problems(heavy, catalog))


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (in_words(body="It cures back pain."), "'cures' is a claim"),
        (in_words(subject="Your back today"), "'back' in the subject tells of health"),
        (in_words(subject="x" * 45), "keep it under 45"),
        (in_words(preheader="Too short."), "make it 40 to 90"),
        (in_words(body="Biomechanical considerations necessitate interventions."), "at grade"),
        (in_words(body="Go on. " * 200), "it has 400 words"),
        (in_words(SERVICE, body="Join the challenge."), "a service mail may not advertise"),
        (in_text("Hello Ada", "A proven way, Ada"), "'proven' is a claim"),
        (in_html("A cushion, a minute", "Your knee, a minute"), "preheader tells of health"),
    ],
)
def test_a_badly_worded_mail_is_stopped(mail: Mail, told: str) -> None:
    assert told in "\n".join(words.problems(mail))


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (in_html('lang="en-GB"', 'lang="de"'), "its language is 'de'"),
        (in_html("<title>One", "<title>Two"), "its title is 'Two small thing"),
        (in_html("<h1", "<h2"), "not just one first heading"),
        (in_html("<h2", "<h1"), "not just one first heading"),
        (in_html("<h2", "<h3"), "skip a level"),
        (in_html('role="presentation" align', 'role="table" align'), "a table is read out"),
        (in_html("1 Sample Street", "Nowhere"), "HTML: '1 Sample Street"),
        (in_text("1 Sample Street", "Nowhere"), "text: '1 Sample Street"),
        (in_html("Call 999 now", "Rest"), "HTML: 'New numbness"),
        (in_text("You get this because", "Well"), "text: 'You get this because' is missing"),
        (in_text("Hello Ada", "Hello " + "Ada " * 20), "a long line"),
        (in_text("Hello Ada", f"Hello {SITE}/x Ada"), "shares its line"),
        (in_text("Hello Ada", "<p>Hello Ada"), "holds markup"),
        (in_text("Hello Ada", f"{SITE}/unsubscribe/x", SERVICE), "'unsubscribe' is out of place"),
    ],
)
def test_a_mail_with_a_part_missing_is_stopped(mail: Mail, told: str, catalog: Catalog) -> None:
    assert told in "\n".join(structure.problems(mail, catalog))


def test_a_series_mail_without_a_way_to_leave_is_stopped(catalog: Catalog) -> None:
    gone = in_text("/unsubscribe/", "/un/", in_html("/unsubscribe/", "/un/"))
    assert "the link 'unsubscribe' is missing" in "\n".join(structure.problems(gone, catalog))


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (in_bytes("-Unsubscribe: <", "-Unsubscribe:\r\n <"), "its headers are"),
        (in_bytes("/unsubscribe/", "/unsub\r\n scribe/"), "List-Unsubscribe is folded"),
        (in_bytes("List-Unsubscribe=One-Click", "One-Click"), "List-Unsubscribe-Post is 'One"),
        (in_bytes("<https://guide", "<http://guide"), "List-Unsubscribe is '<http"),
        (in_bytes("List-Id", "List-ID"), "its headers are"),
        (in_bytes("<series.mail", "<news.mail"), "List-Id is '<news"),
        (in_bytes("@mail.practice.example>\r\nList", "@x.example>\r\nList"), "is not on the dom"),
        (in_bytes("Message-ID: <", "Message-ID: <x"), "Message-ID is '<x"),
        (in_bytes("auto-generated", "no"), "Auto-Submitted is 'no'"),
        (in_bytes(":email:funnel", ":email:"), "Feedback-ID is 'drip"),
        (in_bytes(":email:funnel", ":knee-pain:funnel"), "Feedback-ID tells of health"),
        (in_bytes("Mon, 23", "Tue, 24"), "the date is not when it was written"),
        (in_bytes("08:10:00 +0000", "08:10 GMT"), "Date is 'Mon"),
        (in_bytes("To: ada", "To: eve"), "goes to, or is answered to, somebody else"),
        (in_bytes("Subject: One", "Subject: Two"), "Subject is read as something else"),
        (in_bytes("Subject: One", "Subject: =?utf-8?B?T25l?="), "is encoded without need"),
        (in_bytes("MIME-Version", f"X-Long: {'x' * 999}\r\nMIME-Version"), "a line has 1007"),
        (in_bytes("MIME-Version", "List-Id: <x>\r\nMIME-Version", SERVICE), "its headers are"),
        (ANOTHERS, "SendGrid is given other headers"),
    ],
)  # fmt: skip
def test_a_mail_with_a_wrong_header_is_stopped(mail: Mail, told: str) -> None:
    assert told in "\n".join(headers.problems(mail))
