"""Reading a mail: what may stand in it, and how a mistake is told."""

import pytest

from funnel.content.mails import Cta, parse_mail
from tests.content.samples import HEAD, findings, mail

HOSTILE = (
    "{{ ''.__class__.__mro__ }}",
    "{{ first_name.__class__ }}",
    "{{ first_name.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ self.__dict__ }}",
    "{{ brand.__class__ }}",
    "{{ brand.pain_steps }}",
    "{{ brand['trading_name'] }}",
    "{{ brand.trading_name.upper() }}",
    "{{ brand.trading_name | upper }}",
    "{{ brand }}",
    "{{ config }}",
    "{{ request.application }}",
    "{{ 7*7 }}",
    "{{ range(10**9) }}",
    "{{ 'x' * 10**9 }}",
    "{{ first_name }}",
    "{{ first_name | safe }}",
    "{{ first_name or brand.town }}",
    "{{ first_name or '<b>' }}",
    "{{ first_name or 'https://evil.example' }}",
    "{{ first_name or 'there' or 'x' }}",
    "{{ name or 'there' }}",
    "{{ namespace() }}",
    "{{ [1, 2] }}",
    "{{ {'a': 1} }}",
    "{{ 1 if 1 else 2 }}",
    "{{",
    "{{ first_name or 'there'",
    "{{ }}",
    "{{ ( }}",
    "{{" + "(" * 60 + "}}",
    "{% for x in range(10**9) %}x{% endfor %}",
    "{% include 'layout.mjml' %}",
    "{% import 'layout.txt' as x %}",
    "{% set x = 1 %}",
    "{% raw %}{{ x }}{% endraw %}",
    "{% if first_name %}x{% endif %}",
    "{% macro m() %}{{ m() }}{% endmacro %}",
    "{%",
    "{# a note #}",
    "{#",
)
SPOTS = {
    "subject": '---\nsubject: {0}\npreheader: "p"\n---\nHello.\n',
    "preheader": '---\nsubject: "s"\npreheader: {0}\n---\nHello.\n',
    "heading": '---\nsubject: "s"\npreheader: "p"\nheading: {0}\n---\nHello.\n',
    "body": '---\nsubject: "s"\npreheader: "p"\n---\nHello.\n\n{1}\n',
}


@pytest.mark.parametrize("spot", SPOTS)
@pytest.mark.parametrize("expression", HOSTILE)
def test_only_known_merge_fields_may_stand_anywhere(expression: str, spot: str) -> None:
    quoted = "'" + expression.replace("'", "''") + "'"
    source = SPOTS[spot].format(quoted, expression)
    line = {"subject": 2, "preheader": 3, "heading": 4, "body": 7}[spot]

    told = findings(parse_mail, source, "mail.md")

    assert all(finding.startswith(f"mail.md:{line}: only {{{{ first_name") for finding in told)


@pytest.mark.parametrize(
    "field", ['{{ first_name or "there" }}', "{{ brand.therapist_name }}", "{{brand.town}}"]
)
def test_a_known_merge_field_may_stand_in_subject_and_body(field: str) -> None:
    read = parse_mail(SPOTS["body"].format("", field), "mail.md")
    assert field in read.body
    assert field in parse_mail(SPOTS["subject"].format(f"'{field}'", ""), "mail.md").subject


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#115;cript:alert(1)", "vbscript:x",
        "data:text/html,x", "data:text/html;base64,PHNjcmlwdD4=", "file:///etc/passwd",
        "http://www.nhs.uk/", "//evil.example/", "/\\evil.example", "https:evil.example",
        "https://www.nhs.uk@evil.example/", "https://www.nhs.uk:8443/", "https://[::1", "https://",
        "https://пример.example/", "mailto:a@b.example", "tel:0800", "#top", "guide", "",
        "link:", "link:admin", "link:unsubscribe", "link:day-6", "link:guide/../desk",
        "link:{{ brand.town }}", "LINK:guide", "ftp://www.nhs.uk/", "<https://x y>",
    ],
)  # fmt: skip
def test_a_link_goes_to_a_named_page_or_a_plain_https_address(target: str) -> None:
    told = findings(parse_mail, f"{HEAD}Hello.\n\nSee [this]({target}).\n", "mail.md")
    assert all(finding.startswith("mail.md:7: ") for finding in told)


@pytest.mark.parametrize("target", ["link:guide", "link:day-5", "https://www.nhs.uk/a?b=c&d=e"])
def test_a_good_link_is_let_through(target: str) -> None:
    assert target in mail(f"See [this]({target}).").body


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("A <b>bold</b> word.", "HTML is not used"),
        ("<script>alert(1)</script>", "HTML is not used"),
        ("<!-- note -->", "HTML is not used"),
        ("<style>@import 'https://evil.example'</style>", "HTML is not used"),
        ("See https://evil.example now.", "a bare address"),
        ("See www.evil.example now.", "a bare address"),
        ("See <https://evil.example>.", "a bare address"),
        ("See [www.nhs.uk](https://evil.example).", "a bare address"),
        ("![a picture](https://evil.example/pixel.gif)", "pictures are not used"),
        ("[](link:guide)", "a link needs words"),
        ("# Big\n\nText.", "begin with ##"),
        ("- a\n\n  > b", "may not stand inside"),
        ("Text.\n\n---\n\nText.\n\n---\n", "keep only one"),
        ("", "says nothing"),
        ("   \n\n", "says nothing"),
        ("Bell \x07 rings.", "control character"),
        ("Null \x00 byte.", "control character"),
        ("Private \ue000 use.", "control character"),
        ("**a " * 300 + "b" + " c**" * 300, "nested too deeply"),
    ],
)
def test_a_form_that_mails_do_without_is_named_with_its_mend(body: str, told: str) -> None:
    assert any(told in finding for finding in findings(parse_mail, HEAD + body, "mail.md"))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "begins with its subject"),
        ("Hello.", "begins with its subject"),
        ("---\nsubject: a\npreheader: b\nHello.", "begins with its subject"),
        ("---\n---\nHello.", "'subject' is missing"),
        ("---\nsubject: a\n---\nHello.", "mail.md:2: 'preheader' is missing"),
        (
            "---\nsubject: a\npreheader: b\nsubject: c\n---\nHello.",
            "mail.md:4: 'subject' is here twice",
        ),
        ("---\nsubject: a\npreheader: b\nbcc: x\n---\nHello.", "mail.md:4: 'bcc' is not known"),
        ("---\nsubject: [a]\npreheader: b\n---\nHello.", "mail.md:2: 'subject' does not fit"),
        ("---\nsubject: ''\npreheader: b\n---\nHello.", "mail.md:2: 'subject' does not fit"),
        ('---\nsubject: "a\\nBcc: b"\npreheader: b\n---\nHello.', "keep this on one line"),
        ('---\nsubject: "a\\u2028b"\npreheader: b\n---\nHello.', "keep this on one line"),
        (
            "---\nsubject: a\npreheader: b\ncta: {label: Go, link: admin}\n---\nHello.",
            "mail.md:4: there is no page named 'admin'",
        ),
        ("---\nsubject: a\npreheader: b\ncta: {label: Go}\n---\nHi.", "'cta.link' is missing"),
        ("---\nsubject: a: b\npreheader: b\n---\nHello.", "not readable YAML"),
        ("x" * 5_000_000, "over 32 KB"),
        (HEAD + "word " * 1_000_000, "over 32 KB"),
    ],
)
def test_a_mistake_in_the_front_matter_is_told_with_its_line(source: str, told: str) -> None:
    assert any(told in finding for finding in findings(parse_mail, source, "mail.md"))


def test_all_problems_of_a_mail_are_told_at_once() -> None:
    source = (
        "---\nsubject: '{{ 7*7 }}'\nbcc: x\ncta: {label: Go, link: nowhere}\n---\n"
        "Hello {{ first_name }},\n\n<b>see</b> [this](javascript:x).\n"
    )

    told = findings(parse_mail, source, "mail.md")

    assert [int(finding.split(":")[1]) for finding in told] == [2, 2, 3, 4, 6, 8, 8]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    source = HEAD + 'Hello {{ first_name or "there" }},\n\nSee [this](link:guide).\n'
    assert parse_mail("\ufeff" + source.replace("\n", "\r\n"), "a") == parse_mail(source, "b")


def test_a_mail_keeps_every_part_of_its_front_matter() -> None:
    read = mail("Hello.", "kicker: Day 1\nheading: Begin\ncta: {label: Go, link: day-1}\n"
                          "red_flags: true\nasked_for: [challenge]\n")  # fmt: skip

    assert (read.kicker, read.heading, read.red_flags) == ("Day 1", "Begin", True)
    assert (read.cta, read.asked_for) == (Cta("Go", "day-1"), ("challenge",))
