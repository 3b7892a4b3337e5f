"""From the inbox to the guide: check your inbox, confirm, thanks, download."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from funnel.domain.errors import GuideFailed
from funnel.domain.guides import GUIDE_LINK_LIFE, MAX_GUIDE_ATTEMPTS, Edition
from funnel.domain.people import PersonState
from funnel.domain.self_check import told
from funnel.links import LinkPurpose
from funnel.web.guide import LOOK_AGAIN_SECONDS, PDF_NAMES
from tests.support import make
from tests.support.front_door import Door, words_of
from tests.support.house import link_in

ADA = "ada@example.org"
A_WEEK = timedelta(days=7)
PDF_NAME = PDF_NAMES[Edition.GUIDE]


@dataclass(frozen=True)
class Confirmed:
    """Ada's pages after she pressed the button."""

    confirm: str
    thanks: str
    guide: str


def confirm_by_page(door: Door, **fields: str) -> Confirmed:
    door.ask(ADA, name="Ada", **fields)
    door.house.work()
    link = link_in(door.house.mailer.to(ADA)[-1], "/confirm/")
    answer = door.press(link)
    assert answer.status_code == 303
    thanks = answer.headers["Location"]
    return Confirmed(link, thanks, thanks.replace("/thank-you/", "/guide/"))


def test_the_inbox_page_names_the_sender_and_subject_of_the_mail_that_comes(door: Door) -> None:
    words = words_of(door.get(door.ask(ADA).headers["Location"]))
    door.house.work()
    mail = door.house.mailer.to(ADA)[0]
    assert ADA in words
    assert mail.subject in words
    assert mail.from_name in words


def test_the_inbox_page_hides_the_address_from_its_link(door: Door) -> None:
    assert "ada" not in door.ask(ADA).headers["Location"]


def test_a_tampered_inbox_link_no_longer_works(door: Door) -> None:
    page = door.get("/check-your-inbox/gAAAAA-not-ours", 410)
    assert "This link no longer works" in words_of(page)


def test_the_inbox_page_knows_common_webmail_but_sends_nobody_there(door: Door) -> None:
    gmail = door.get(door.ask("ada@gmail.com").headers["Location"])
    assert "Open Gmail" in words_of(gmail)
    assert "Open Yahoo" not in words_of(gmail)
    other = door.get(door.ask(ADA).headers["Location"])
    assert all(f"Open {name}" in words_of(other) for name in ("Gmail", "Outlook", "Yahoo"))


def test_sending_it_again_sends_one_more_mail(door: Door) -> None:
    inbox = door.ask(ADA).headers["Location"]
    door.house.work()
    door.house.clock.advance(timedelta(minutes=5))
    answer = door.press(f"{inbox}/resend", page=inbox)
    assert answer.status_code == 303
    assert "Asked for once more" in words_of(door.get(answer.headers["Location"]))
    door.house.work()
    assert len(door.house.mailer.to(ADA)) == 2


def test_opening_the_confirm_link_confirms_nothing(door: Door) -> None:
    door.ask(ADA)
    door.house.work()
    link = link_in(door.house.mailer.to(ADA)[0], "/confirm/")
    assert "One press, and the guide is yours" in words_of(door.get(link))
    assert make.person(door.house).state == PersonState.PENDING


def test_second_click_on_confirm_changes_nothing_and_shows_the_same_page(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    mails = len(door.house.mailer.to(ADA))
    again = door.press(ada.confirm)
    assert (again.status_code, again.headers["Location"]) == (303, ada.thanks)
    assert "You have confirmed already" in words_of(door.get(ada.confirm))
    door.house.work()
    assert len(door.house.mailer.to(ADA)) == mails


def test_an_old_confirm_link_offers_a_new_one(door: Door) -> None:
    door.ask(ADA)
    door.house.work()
    link = link_in(door.house.mailer.to(ADA)[0], "/confirm/")
    door.house.clock.advance(A_WEEK)
    assert 'href="/#guide"' in door.get(link, 410)
    assert door.client.post(link).status_code == 410


def test_the_thank_you_page_waits_for_the_guide_and_then_offers_it(door: Door) -> None:
    ada = confirm_by_page(door)
    waiting = door.client.get(ada.thanks)
    assert waiting.headers["Refresh"] == str(LOOK_AGAIN_SECONDS)
    assert "We are making your guide, Ada" in words_of(waiting.get_data(as_text=True))
    door.house.work()
    ready = door.client.get(ada.thanks)
    assert "Refresh" not in ready.headers
    assert "It is ready, Ada" in words_of(ready.get_data(as_text=True))
    assert "Would you like company" in words_of(ready.get_data(as_text=True))


@pytest.mark.parametrize(
    ("ticks", "words"),
    [
        ({"series": "yes"}, "The follow-up emails come over the next days."),
        ({}, "You did not ask for the follow-up emails, so there are none."),
    ],
)
def test_the_thank_you_page_says_which_mail_to_expect(
    door: Door, ticks: dict[str, str], words: str
) -> None:
    ada = confirm_by_page(door, **ticks)
    assert words in words_of(door.get(ada.thanks))


def test_the_download_button_counts_and_hands_out_the_file(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    answer = door.press(f"{ada.guide}/download", page=ada.guide)
    assert answer.status_code == 303
    with door.client.get(answer.headers["Location"]) as pdf:
        assert pdf.mimetype == "application/pdf"
        assert pdf.headers["Content-Disposition"] == f"attachment; filename={PDF_NAME}"
        assert "no-store" in pdf.headers["Cache-Control"]
        assert pdf.data.startswith(b"%PDF")
        assert pdf.data.endswith(b"%%EOF\n")
        whole = pdf.data
    with door.client.get(f"{ada.guide}/{PDF_NAME}", headers={"Range": "bytes=5-9"}) as part:
        assert (part.status_code, part.data) == (206, whole[5:10])


def test_a_guide_not_made_yet_leads_back_to_its_page(door: Door) -> None:
    ada = confirm_by_page(door)
    answer = door.client.get(f"{ada.guide}/{PDF_NAME}")
    assert (answer.status_code, answer.headers["Location"]) == (303, ada.guide)
    assert "Just a moment" in words_of(door.get(ada.guide))


def test_a_guide_that_cannot_be_printed_comes_without_the_name_and_says_so(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.press.failure = GuideFailed()
    for _ in range(MAX_GUIDE_ATTEMPTS):
        door.house.work()
        door.house.clock.advance(timedelta(hours=12))
    page = words_of(door.get(ada.guide))
    assert "this is the guide without your name" in page
    answer = door.press(f"{ada.guide}/download", page=ada.guide)
    with door.client.get(answer.headers["Location"]) as pdf:
        assert pdf.mimetype == "application/pdf"
        assert b"Ada" not in pdf.data


def test_with_nothing_to_fall_back_on_the_page_says_so_kindly(door: Door) -> None:
    door.house.press.failure = GuideFailed()
    ada = confirm_by_page(door)
    for _ in range(4 * MAX_GUIDE_ATTEMPTS):
        door.house.work()
        door.house.clock.advance(timedelta(hours=12))
    answer = door.client.get(ada.guide)
    assert "Your guide is taking longer" in words_of(answer.get_data(as_text=True))
    assert "Refresh" not in answer.headers


@pytest.mark.parametrize(
    ("edition", "label"),
    [(Edition.TRACKER, "Download the tracker"), (Edition.LARGE, "Download large print")],
)
def test_the_companions_of_the_guide_come_by_a_button_each(
    door: Door, edition: Edition, label: str
) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    door.press(f"{ada.guide}/download", page=ada.guide, edition=edition)
    door.house.work()
    assert label in words_of(door.get(ada.guide))
    answer = door.press(f"{ada.guide}/download", page=ada.guide, edition=edition)
    with door.client.get(answer.headers["Location"]) as pdf:
        assert pdf.headers["Content-Disposition"] == f"attachment; filename={PDF_NAMES[edition]}"
        assert f"'{edition}'".encode() in pdf.data


def test_large_print_is_made_when_asked_for_and_the_page_waits(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    assert "Make it for me" in words_of(door.get(ada.guide))
    door.press(f"{ada.guide}/download", page=ada.guide, edition="large")
    waiting = door.client.get(ada.guide)
    assert waiting.headers["Refresh"] == str(LOOK_AGAIN_SECONDS)
    assert "Being made" in words_of(waiting.get_data(as_text=True))
    door.house.work()
    assert "Refresh" not in door.client.get(ada.guide).headers


def test_a_reader_without_a_pattern_is_shown_the_way_to_one(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    assert 'href="/self-check"' in door.get(ada.guide)
    assert "Delete my answers" not in words_of(door.get(ada.guide))


def test_a_reader_with_answers_can_delete_them_on_the_page_of_her_guide(door: Door) -> None:
    done = make.confirmed(door.house, health=True)
    page = f"/guide/{door.rt.links.token(LinkPurpose.GUIDE, done.guide_handle)}"
    assert 'href="/self-check"' not in door.get(page)
    assert "Delete my answers" in words_of(door.get(page))
    answer = door.press(f"{page}/forget-answers", page=page)
    assert "Your answers are deleted" in words_of(door.get(answer.headers["Location"]))
    door.house.work()
    answer = door.press(f"{page}/download", page=page)
    with door.client.get(answer.headers["Location"]) as pdf:
        assert b"'pattern'" not in pdf.data


def test_the_confirm_page_shows_the_answers_that_came_with_her_address(door: Door) -> None:
    make.request(door.house, ADA, health=True)
    door.house.work()
    link = link_in(door.house.mailer.to(ADA)[-1], "/confirm/")
    words = words_of(door.get(link))
    for line in told(door.rt.catalog.self_check, make.some_answers(door.house)):
        assert line in words
    assert "Are these not your answers?" in words
    door.press(link, answers="no")
    assert [row.purpose for row in make.person(door.house).consents] == ["series"]


@pytest.mark.parametrize(("said", "has_health"), [("yes", True), ("no", False), ("", False)])
def test_answers_are_kept_only_by_the_button_that_says_so(
    door: Door, said: str, has_health: bool
) -> None:
    make.request(door.house, ADA, health=True)
    door.house.work()
    link = link_in(door.house.mailer.to(ADA)[-1], "/confirm/")
    door.press(link, **({"answers": said} if said else {}))
    kept = "health" in [row.purpose for row in make.person(door.house).consents]
    assert kept is has_health


@pytest.mark.parametrize("edition", ["", "pocket", "guide ", "../large"])
def test_an_edition_that_does_not_exist_is_refused(door: Door, edition: str) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    answer = door.press(f"{ada.guide}/download", page=ada.guide, edition=edition)
    assert answer.status_code == 400
    assert door.client.get(f"{ada.guide}/pain-relief-{edition}.pdf").status_code == 404


def test_an_expired_guide_link_offers_a_new_one_to_the_address_on_file(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    door.house.clock.advance(GUIDE_LINK_LIFE)
    assert "This link has run out" in words_of(door.get(ada.guide))
    assert door.client.get(f"{ada.guide}/{PDF_NAME}").headers["Location"] == ada.guide
    assert door.client.get(ada.thanks).headers["Location"] == ada.guide
    before = len(door.house.mailer.to(ADA))
    answer = door.press(f"{ada.guide}/again", page=ada.guide)
    assert "A new link is on its way" in words_of(door.get(answer.headers["Location"]))
    door.house.work()
    assert len(door.house.mailer.to(ADA)) == before + 1
    assert "Download your guide" in words_of(door.get(ada.guide))


def test_no_page_behind_a_guide_link_opens_the_email_choices(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    for page in (door.get(ada.guide), door.get(ada.thanks)):
        assert "/challenge/" in page
        assert "/preferences/" not in page


def test_an_expired_guide_link_opens_nothing_personal(door: Door) -> None:
    ada = confirm_by_page(door)
    door.house.work()
    door.house.clock.advance(GUIDE_LINK_LIFE)
    page = door.get(ada.guide)
    handle = make.person(door.house).public_id
    for purpose in LinkPurpose:
        assert door.rt.links.token(purpose, handle) not in page


def test_a_printed_guide_leads_to_the_page_that_is_open_to_all(door: Door) -> None:
    confirm_by_page(door)
    door.house.work()
    printed = door.house.press.documents
    assert {each["challenge_url"] for each in printed} == {"http://localhost/challenge"}


def test_a_long_name_fits_the_greeting_and_stays_off_the_small_cover(door: Door) -> None:
    name = "Maximiliana-Alexandrina"
    door.ask(ADA, name=name)
    make.confirm(door.house)
    door.house.work()
    token = door.rt.links.token(LinkPurpose.GUIDE, make.confirm(door.house).guide_handle)
    words = words_of(door.get(f"/thank-you/{token}"))
    assert f"It is ready, {name}" in words
    assert "Made for you" in words
