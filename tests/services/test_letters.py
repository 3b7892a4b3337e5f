"""From an outbox row to a finished email."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from funnel.adapters.mime import own_headers
from funnel.content.claims import label_of
from funnel.domain.ports import MailClass, OutgoingEmail
from funnel.links import LinkPurpose
from funnel.services.letters import UNSET_ADDRESS, Draft
from tests.support import make
from tests.support.front_door import copy_database
from tests.support.house import House, link_in, open_house, shipped_catalog
from tests.support.steps import drip_due, sender_of

DAY = timedelta(days=1)


def all_mails(house: House) -> list[OutgoingEmail]:
    """One of each kind: confirm, guide, series, challenge."""
    make.confirmed(house)
    house.hop(2 * DAY)
    make.join(house)
    house.hop(2 * DAY)
    return house.mailer.accepted


def test_every_mail_says_who_sends_it_and_to_whom(house: House) -> None:
    for email in all_mails(house):
        assert email.to_address == "ada@example.org"
        assert email.from_address == UNSET_ADDRESS
        assert email.from_name
        assert email.message_id_header == f"<{email.message_id}@practice.example>"
        assert "\n" not in email.subject
        assert house.rt.catalog.brand.shown.postal_address in " ".join(email.text.split())


def test_series_mail_can_be_left_with_one_click_and_service_mail_has_nothing_to_leave(
    house: House,
) -> None:
    for email in all_mails(house):
        is_series = email.mail_class is MailClass.DRIP
        assert (email.list_unsubscribe_url is not None) is is_series
        if email.list_unsubscribe_url is not None:
            token = email.list_unsubscribe_url.rpartition("/")[2]
            handle = house.rt.links.read(LinkPurpose.UNSUBSCRIBE, token)
            assert handle == make.person(house).public_id
            assert email.list_unsubscribe_url in email.text
            assert email.list_unsubscribe_url in email.html


def test_the_confirm_link_opens_the_confirmation_it_was_sent_for(house: House) -> None:
    make.request(house)
    house.work()
    token = link_in(house.mailer.accepted[0], "/confirm/").rpartition("/")[2]
    handle = house.rt.links.read(LinkPurpose.CONFIRM, token)
    assert handle == make.newest_confirmation(house)


def test_the_confirm_mail_holds_nothing_a_stranger_typed(house: House) -> None:
    make.request(house, name="Win a prize at evil example")
    house.work()
    email = house.mailer.accepted[0]
    for part in (email.subject, email.text, email.html):
        assert "prize" not in part


def test_the_guide_link_opens_the_persons_own_guide(house: House) -> None:
    done = make.confirmed(house)
    token = link_in(house.mailer.accepted[1], "/guide/").rpartition("/")[2]
    assert house.rt.links.read(LinkPurpose.GUIDE, token) == done.guide_handle


def test_every_mail_tells_why_it_comes(house: House) -> None:
    texts = {email.mail_class: " ".join(email.text.split()) for email in all_mails(house)[:3]}
    assert "one-off message about your request of 23 November 2026" in texts[MailClass.CONFIRM]
    assert "asked for the free guide on 23 November 2026" in texts[MailClass.DRIP]
    last = " ".join(house.mailer.accepted[-1].text.split())
    assert "because you joined the free challenge" in last


def test_the_day_of_the_request_is_the_readers_own(house: House) -> None:
    house.clock.advance(timedelta(hours=13, minutes=30))
    make.request(house, zone="Asia/Tokyo")
    house.work()
    assert "your request of 24 November 2026" in " ".join(house.mailer.accepted[0].text.split())


def test_the_same_draft_gives_the_same_letter_byte_for_byte(house: House) -> None:
    drip_due(house)
    drafts: list[Draft] = []
    sender_of(house, drafts.append).send_batch()
    writer = house.rt.worker.sender.writer
    house.clock.advance(30 * DAY)
    assert writer.write(drafts[0]) == writer.write(drafts[0]) == house.mailer.accepted[-1]


def test_d5_service_and_series_mail_are_streams_of_their_own(
    prepared_sqlite: Path, tmp_path: Path
) -> None:
    catalog, domains = shipped_catalog(), ("practice.co.uk", "mail.practice.co.uk")
    senders = [f"sam@{domain}" for domain in domains]
    brand = replace(catalog.brand, from_address=senders[1], service_from_address=senders[0])
    url = copy_database(prepared_sqlite, tmp_path)
    with open_house(url, tmp_path, catalog=replace(catalog, brand=brand)) as house:
        for email in all_mails(house):
            is_series = email.mail_class is MailClass.DRIP
            headers = dict(own_headers(email))
            assert email.from_address == senders[is_series]
            assert headers["Message-ID"] == f"<{email.message_id}@{domains[is_series]}>"
            assert headers["Feedback-ID"].startswith(f"{email.mail_class}:{domains[is_series]}:")
            assert headers.get("List-Id") == (f"<series.{domains[1]}>" if is_series else None)


def test_the_provider_knows_a_mail_by_its_key(house: House) -> None:
    labels = [email.label for email in all_mails(house)]
    assert labels[:3] == ["service/confirm", "service/guide_ready", "nurture/one-technique"]
    assert "challenge/day-1" in labels


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("nurture/one-technique", "nurture/one-technique"),
        ("nurture/two-paths.story", "nurture/two-paths.story"),
        ("service/guide_ready", "service/guide_ready"),
        ("nurture/why-hips", "nurture"),
        ("nurture/sciatica.plain", "nurture"),
        ("back-pain/day-1", "mail"),
        ("Knees/One", "mail"),
        ("nurture/Ada Lovelace", "nurture"),
        ("nurture/" + "x" * 300, "nurture"),
        ("nurture/one\n", "nurture"),
        ("", "mail"),
    ],
)
def test_c28_no_word_of_health_is_in_what_the_provider_knows_it_by(key: str, label: str) -> None:
    assert label_of(key) == label
