"""The shipped words themselves: complete, honest, plain, and safe where they speak of legs."""

import re
from pathlib import Path

import pytest

from funnel.content.catalog import Catalog
from funnel.content.lint import lint_all
from funnel.content.mails import MailText, parse_mail
from funnel.content.sequences import parse_sequence
from funnel.content.shipped import ShippedText, shipped_texts
from tests.content.reading import grade
from tests.content.samples import TEMPLATES, is_marketing, shipped_mails

MAILS = {text.key: parse_mail(text.source, text.where) for text in shipped_mails()}
MARKETING = {text.key: MAILS[text.key] for text in shipped_mails() if is_marketing(text)}


def test_the_shipped_words_have_no_findings() -> None:
    assert lint_all(TEMPLATES) == ()


def test_every_mail_and_sequence_is_shipped_under_its_key() -> None:
    assert [text.key for text in shipped_texts(TEMPLATES)] == [
        "service/address_changed", "service/challenge_link", "service/complaint_received",
        "service/confirm", "service/confirm_change", "service/confirm_reminder",
        "service/guide_ready", "service/waitlist_joined", "service/your_data",
        "challenge", *(f"challenge/day-{number}" for number in range(1, 6)),
        "nurture", "nurture/one-technique", "nurture/why-hips", "nurture/desk-reset",
        "nurture/wake-up", "nurture/two-paths", "nurture/five-days", "nurture/good-questions",
        "nurture/what-next",
        "programme", "programme/keep-going", "programme/deeper", "programme/your-choice",
    ]  # fmt: skip


def test_each_text_is_the_whole_file_it_came_from() -> None:
    for text in shipped_texts(TEMPLATES):
        path = TEMPLATES.parent / text.where
        assert text.source == path.read_text("utf-8")


def test_the_steps_of_each_sequence_are_its_mails_in_order() -> None:
    texts = shipped_texts(TEMPLATES)
    for text in (each for each in texts if each.kind == "sequence"):
        steps = [step.key for step in parse_sequence(text.source, text.where).steps]
        mails = [
            each.key.partition("/")[2]
            for each in texts
            if each.kind == "mail" and each.key.startswith(f"{text.key}/")
        ]
        assert steps == mails


@pytest.mark.parametrize("key", MARKETING)
def test_every_series_mail_points_to_the_warning_signs(key: str) -> None:
    words = MARKETING[key]
    assert "(link:safety)" in words.body or (words.cta and words.cta.link == "safety")


@pytest.mark.parametrize("key", MARKETING)
def test_a_mail_that_speaks_of_legs_or_nerves_says_what_to_watch_for(key: str) -> None:
    words = MARKETING[key]
    if re.search(r"down (?:a|the) leg|nerve|sciatica", words.body):
        assert words.red_flags or re.search(r"numb|weakness", words.body)


def test_the_mail_on_nerves_carries_the_whole_urgent_list() -> None:
    assert MAILS["nurture/two-paths"].red_flags


def test_the_words_beside_the_mails_read_easily(catalog: Catalog) -> None:
    offer = catalog.offers["lower-back-programme"]
    days = [
        " ".join((day.why, *day.steps, day.you_should_feel, day.stop_if, day.easier))
        for day in catalog.challenge.days
    ]
    assert max(map(grade, days)) <= 7
    assert grade(". ".join((offer.promise, *offer.includes, *offer.for_whom))) <= 8


def test_hard_text_is_told_from_easy_text() -> None:
    hard = "Biomechanical considerations necessitate individualised rehabilitative interventions."
    assert grade("Lie down. Bend your knees. Breathe out.") < 2
    assert grade(hard) > 20


@pytest.mark.parametrize("number", range(1, 6))
def test_each_challenge_mail_opens_its_own_day(number: int, catalog: Catalog) -> None:
    words = MAILS[f"challenge/day-{number}"]
    assert words.cta is not None
    assert words.cta.link == f"day-{number}"
    assert words.heading == catalog.challenge.days[number - 1].title


def test_the_invitation_names_the_days_as_the_pages_do(catalog: Catalog) -> None:
    body = MAILS["nurture/five-days"].body
    assert all(day.title in body for day in catalog.challenge.days)


def test_the_programme_mails_know_no_price_no_date_and_no_hurry() -> None:
    for key in ("keep-going", "deeper", "your-choice"):
        body = MAILS[f"programme/{key}"].body
        pressed = re.search(r"£|\d{4}|january|deadline|soon|spots|places|today only", body, re.I)
        assert pressed is None
        assert "wait" in body


def test_no_mail_names_another_practice_or_invents_a_person() -> None:
    for words in MAILS.values():
        assert "{{ brand.therapist_name }}" in words.body.rstrip().splitlines()[-1]


@pytest.mark.parametrize("key", [key for key in MAILS if key.startswith("service/")])
def test_a_service_mail_has_at_most_one_link_in_its_body(key: str) -> None:
    words: MailText = MAILS[key]
    assert "(link:" not in words.body
    assert "(https:" not in words.body


def test_the_confirm_mail_shows_nothing_a_stranger_typed() -> None:
    source = next(text.source for text in shipped_mails() if text.key == "service/confirm")
    assert "first_name" not in source


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "email" / "confirm"
    folder.mkdir(parents=True)
    (folder / "mail.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Exception, match=r"templates/email/confirm/mail\.md:1: .* UTF-8"):
        shipped_texts(tmp_path / "templates")


def test_a_shipped_text_knows_where_it_came_from() -> None:
    confirm = next(text for text in shipped_mails() if text.key == "service/confirm")
    assert isinstance(confirm, ShippedText)
    assert confirm.where == "templates/email/confirm/mail.md"
