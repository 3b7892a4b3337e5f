"""Seeing, taking away and erasing one's own data, by a link to one's own address (C34, C35)."""

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from funnel.db.people import Subscriber
from funnel.links import LinkPurpose
from funnel.services import suppression
from tests.support import make
from tests.support.front_door import Door, words_of
from tests.support.house import House, link_in
from tests.support.rights import dump, hits

ADA, BEA = "ada@example.org", "bea@example.org"


def people(house: House) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(Subscriber)) or 0


def ask(door: Door, email: str = ADA) -> tuple[int, str, bytes]:
    answer = door.press("/your-data", email=email)
    followed = door.client.get(answer.headers["Location"])
    return answer.status_code, answer.headers["Location"], followed.data


def mails(door: Door, email: str = ADA) -> int:
    door.house.work()
    return sum(mail.subject == "Your data" for mail in door.house.mailer.to(email))


def newest_link(door: Door, email: str = ADA) -> str:
    door.house.work()
    (*_, mail) = [each for each in door.house.mailer.to(email) if each.subject == "Your data"]
    return link_in(mail, "/your-data/open/")


@pytest.fixture
def opened(door: Door) -> str:
    """The path behind the mailed link of Ada, whose answers are kept; Bea is there as well."""
    make.confirmed(door.house, health=True)
    make.confirmed(door.house, BEA, name="Bea")
    ask(door)
    return newest_link(door)


def test_a_link_goes_to_the_address_on_file_and_to_no_other(door: Door, opened: str) -> None:
    assert opened.startswith("/your-data/open/")
    assert (mails(door), mails(door, BEA)) == (1, 0)


def test_the_answer_is_the_same_for_every_address(door: Door) -> None:
    make.confirmed(door.house)
    make.confirmed(door.house, BEA)
    make.request(door.house, "ben@example.org")
    with door.house.rt.sessions.begin() as session:
        suppression.bounce(
            session,
            make.person(door.house, BEA),
            links=door.rt.links,
            now=door.house.clock.now(),
        )
    known = ask(door, ADA)
    for email in (BEA, "ben@example.org", "nobody@example.org", "ADA@example.org"):
        assert ask(door, email) == known, email
    assert mails(door) == 2
    assert mails(door, BEA) == 0, "mail to it does not arrive"
    assert mails(door, "nobody@example.org") == 0


def test_who_has_unsubscribed_or_reported_us_still_gets_their_data(door: Door) -> None:
    make.confirmed(door.house)
    make.unsubscribed(door.house)
    ask(door)
    assert mails(door) == 1


def test_nobody_can_be_bombed_with_it(door: Door) -> None:
    make.confirmed(door.house)
    token = door.rt.links.token(LinkPurpose.PREFERENCES, make.person(door.house).public_id)
    for _ in range(10):
        ask(door)
        door.press(f"/your-data/{token}")
        door.house.clock.advance(timedelta(minutes=20))
    assert mails(door) == 3


def test_an_address_that_never_confirmed_gets_one_a_day_without_what_a_stranger_typed(
    door: Door,
) -> None:
    make.request(door.house, name="Buy-now")
    for _ in range(3):
        ask(door)
    assert mails(door) == 1
    assert "Buy-now" not in "".join(mail.html for mail in door.house.mailer.to(ADA))


def test_it_counts_with_the_confirm_mails_of_who_never_confirmed(door: Door) -> None:
    make.request(door.house)
    for _ in range(5):
        ask(door)
        door.house.clock.advance(timedelta(days=1, minutes=1))
        if mails(door) == 2:
            break
    assert mails(door) == 2, "with the confirm mail they are three in a month"
    make.confirmed(door.house, BEA)
    ask(door, BEA)
    assert mails(door, BEA) == 1


def test_one_visitor_may_ask_five_times_an_hour(door: Door) -> None:
    for number in range(8):
        make.confirmed(door.house, f"p{number}@example.org")
    for number in range(8):
        ask(door, f"p{number}@example.org")
    door.house.work()
    went = [mail for mail in door.house.mailer.accepted if mail.subject == "Your data"]
    assert len(went) == 5


@pytest.mark.parametrize("email", ["", "ada@", "a@b.c,d@e.f"])
def test_a_mistyped_address_is_told_beside_the_field(door: Door, email: str) -> None:
    answer = door.press("/your-data", email=email)
    assert answer.status_code == 422
    assert 'aria-describedby="email-error"' in answer.text


def test_a_machine_that_fills_in_everything_gets_the_same_answer_and_no_mail(door: Door) -> None:
    make.confirmed(door.house)
    answer = door.press("/your-data", email=ADA, website="https://spam.example")
    assert answer.headers["Location"] == "/your-data?sent=1"
    assert mails(door) == 0


def test_the_link_that_never_runs_out_shows_nothing_but_where_mail_would_go(door: Door) -> None:
    make.confirmed(door.house)
    handle = make.person(door.house).public_id
    token = door.rt.links.token(LinkPurpose.PREFERENCES, handle)
    page = door.get(f"/your-data/{token}")
    assert "a…@example.org" in page
    assert ADA not in page
    assert "Ada" not in page
    answer = door.press(f"/your-data/{token}")
    assert answer.headers["Location"] == f"/your-data/{token}?sent=1"
    assert mails(door) == 1
    assert f"/your-data/{token}" in door.get(f"/preferences/{token}")


def test_everything_can_be_read_and_taken_away(door: Door, opened: str) -> None:
    question = door.rt.catalog.self_check.questions[0]
    told = json.loads(door.get(f"{opened}/my-data.json"))
    assert told["subscriber"][0]["email"] == ADA
    assert told["self_check"][0][question.title] == question.answers[0].text
    page = words_of(door.get(f"{opened}/data"))
    for words in (ADA, question.answers[0].text, "Please confirm your email", "192.0.2.0"):
        assert words in page
    assert BEA not in page + json.dumps(told)


def test_the_receipt_can_be_read_and_taken_away(door: Door, opened: str) -> None:
    page = words_of(door.get(f"{opened}/receipt"))
    assert door.rt.catalog.wordings["health"].text in page
    told = json.loads(door.get(f"{opened}/consent-receipt.json"))
    assert {line["purpose"] for line in told["lines"]} == {"guide", "series", "health"}


PAGES = ("", "/data", "/my-data.json", "/receipt", "/consent-receipt.json", "/erase")


@pytest.mark.parametrize("page", PAGES)
def test_no_browser_and_no_search_engine_keeps_any_of_it(
    door: Door, opened: str, page: str
) -> None:
    answer = door.client.get(opened + page)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    named = re.findall(r'filename="([^"]+)"', answer.headers.get("Content-Disposition", ""))
    assert "ada" not in "".join(named).replace("data", "")


@pytest.mark.parametrize("page", PAGES)
def test_a_day_later_it_leads_nowhere(door: Door, opened: str, page: str) -> None:
    door.house.clock.advance(timedelta(hours=24))
    door.get(opened + page, 410)


@pytest.mark.parametrize("purpose", sorted(set(LinkPurpose) - {LinkPurpose.YOUR_DATA}))
def test_no_other_link_opens_it_and_it_opens_no_other_page(
    door: Door, opened: str, purpose: LinkPurpose
) -> None:
    handle = make.person(door.house).public_id
    token = door.rt.links.token(purpose, handle)
    for page in PAGES:
        door.get(f"/your-data/open/{token}{page}", 404)
    own = opened.rpartition("/")[2]
    for path in ("preferences", "unsubscribe", "guide", "challenge", "confirm", "your-data"):
        answer = door.client.get(f"/{path}/{own}")
        assert answer.status_code == 404, path
        assert ADA not in answer.text


def test_looking_changes_nothing(door: Door, opened: str) -> None:
    before = sorted(dump(door.house))
    for page in PAGES:
        door.get(opened + page)
        door.client.head(opened + page)
        door.client.options(opened + page)
    assert sorted(dump(door.house)) == before


def test_erasing_takes_a_tick_and_a_press(door: Door, opened: str) -> None:
    path = f"{opened}/erase"
    untouched = door.press(path)
    assert untouched.status_code == 422
    assert "Nothing is deleted yet" in untouched.text
    assert people(door.house) == 2
    done = door.press(path, sure="yes")
    assert done.status_code == 200
    assert "We have forgotten you" in done.text
    assert people(door.house) == 1
    assert hits(dump(door.house), ADA) == []
    for page in PAGES:
        door.get(opened + page, 404)


def test_pressing_it_twice_erases_nobody_else(door: Door, opened: str) -> None:
    path = f"{opened}/erase"
    fields = {"sure": "yes"}
    assert door.press(path, **fields).status_code == 200
    assert door.client.post(path, data=fields).status_code == 404
    assert people(door.house) == 1


def test_no_mail_follows_an_erasure(door: Door, opened: str) -> None:
    door.press(f"{opened}/erase", sure="yes")
    sent = len(door.house.mailer.to(ADA))
    door.house.live(timedelta(days=10), timedelta(days=1))
    assert len(door.house.mailer.to(ADA)) == sent


def test_a_box_that_somebody_made_up_counts_for_nothing(door: Door, opened: str) -> None:
    for sure in ("", "on", "YES", "no"):
        answer = door.client.post(f"{opened}/erase", data={"sure": sure})
        assert answer.status_code == 422
    assert people(door.house) == 2


def test_the_mail_says_nothing_of_health_and_advertises_nothing(door: Door, opened: str) -> None:
    (mail,) = [each for each in door.house.mailer.to(ADA) if each.subject == "Your data"]
    assert urlsplit(opened).query == ""
    assert mail.list_unsubscribe_url is None
    assert "24 hours" in mail.text
