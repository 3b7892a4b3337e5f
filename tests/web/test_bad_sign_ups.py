"""Corpus S-bad-1: what is typed or sent into a sign-up is refused kindly, or kept as letters."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from funnel.db.people import Subscriber
from funnel.domain.people import MAX_NAME_CHARACTERS, parse_address
from tests.support.corpora import sign_up
from tests.support.hostile import Siege, changed, rows, under_siege
from tests.support.house import House

REFUSED = {400, 413, 422}


@pytest.fixture
def siege(
    prepared_sqlite: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Siege]:
    with under_siege(prepared_sqlite, tmp_path, caplog) as begun:
        yield begun


def form(siege: Siege, email: str, name: str = "Ada") -> bytes:
    return sign_up.body(email=email, name=name, stamp=siege.stamp, series="yes")


def people(house: House) -> list[Subscriber]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(Subscriber)))


def test_nothing_comes_of_what_is_no_address(siege: Siege) -> None:
    before = rows(siege.house)
    for email in sign_up.NO_ADDRESS:
        answer = siege.post("/signup", form(siege, email), sign_up.FORM)
        assert answer.status_code in REFUSED, repr(email)
        assert not any(part in answer.text for part in _live(email)), repr(email)
    assert changed(before, rows(siege.house)) == {}


def _live(text: str) -> list[str]:
    """What of a text would act if it stood in a page as it is."""
    return [part for part in ("<script>", "<svg ", "<img ", "<iframe ") if part in text]


def test_every_odd_address_is_one_mailbox_and_one_person(siege: Siege) -> None:
    for email in sign_up.ODD_ADDRESSES:
        assert siege.post("/signup", form(siege, email), sign_up.FORM).status_code == 303, email
    kept = {person.email for person in people(siege.house)} - {"ada@example.org"}
    keys = {parse_address(email).key for email in sign_up.ODD_ADDRESSES}
    assert {parse_address(email).key for email in kept} == keys
    assert all(email.isascii() and email.isprintable() and " " not in email for email in kept)
    siege.house.hop(timedelta(hours=1))
    reached = {mail.to_address for mail in siege.house.mailer.accepted} - {"ada@example.org"}
    assert reached <= kept, "spellings of one mailbox share one mail"
    assert len(reached) > 25


def test_every_name_is_letters_wherever_it_is_shown(siege: Siege) -> None:
    for number, name in enumerate(sign_up.NAMES):
        answer = siege.post("/signup", form(siege, f"p{number}@example.org", name), sign_up.FORM)
        assert answer.status_code in {303, 422}, repr(name)
        assert not any(part in answer.text for part in _live(name)), repr(name)
    kept = [person.first_name for person in people(siege.house) if person.first_name]
    assert len(kept) > 100
    assert max(map(len, kept)) <= MAX_NAME_CHARACTERS
    assert all(name.isprintable() for name in kept)
    siege.house.hop(timedelta(hours=4))
    mails = siege.house.mailer.accepted
    assert len(mails) > 150
    for mail in mails:
        parse_address(mail.to_address)
        assert mail.subject.isprintable()
        assert not _live(mail.html)
        assert "q@q.example" not in mail.subject + mail.to_address


def test_no_body_that_we_did_not_ask_for_makes_a_person(siege: Siege) -> None:
    for kind, raw in sign_up.BODIES:
        sent = raw.replace(b"{stamp}", siege.stamp.encode())
        for path in ("/signup", "/self-check/send"):
            answer = siege.post(path, sent, kind)
            assert answer.status_code in REFUSED, (kind, raw[:80], answer.status_code)
        siege.post("/challenge", sent, kind)
    assert len(people(siege.house)) == 1


def test_a_name_that_is_no_text_is_kept_as_letters_or_asked_for_again(siege: Siege) -> None:
    for raw in sign_up.UNREADABLE_NAMES:
        sent = raw.replace(b"{stamp}", siege.stamp.encode())
        assert siege.post("/signup", sent, sign_up.FORM).status_code in {303, 422}, raw
    names = [person.first_name or "" for person in people(siege.house)]
    assert all(name.isprintable() and "<" not in name for name in names)
