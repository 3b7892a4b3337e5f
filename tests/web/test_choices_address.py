"""Another address, behind the link in their mails: asked for, confirmed, stopped, taken back."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from funnel.db.mail import Message
from funnel.db.people import AddressChange, ConsentEvent
from funnel.domain.people import SuppressionReason
from funnel.links import LinkPurpose
from funnel.services import suppression
from tests.support import make
from tests.support.front_door import Door, Outline, words_of
from tests.support.house import link_in
from tests.web.test_choices import act, told

OLD, NEW = "ada@example.org", "ada@new.example.org"


def test_a_new_address_is_confirmed_by_a_button_in_its_own_mailbox(door: Door) -> None:
    make.confirmed(door.house)
    words = told(door, act(door, "address", email=NEW))
    assert "a short email is on its way" in words
    assert "We wait for a…@new.example.org to be confirmed." in words
    door.house.work()
    link = link_in(door.house.mailer.to(NEW)[0], "/change-address/")
    page = words_of(door.get(link))
    assert door.rt.catalog.wordings["address"].text in page
    assert make.person(door.house).email == OLD, "looking changes nothing"
    assert door.client.head(link).status_code == 200
    assert make.person(door.house).email == OLD
    done = told(door, door.press(link))
    assert "We write to you here now" in done
    assert "a…@new.example.org" in done
    assert make.person(door.house, NEW).first_name == "Ada"
    assert "We write to you here now" in told(door, door.press(link)), "and pressing again is kind"


def test_the_evidence_of_a_change_names_its_page(door: Door) -> None:
    make.confirmed(door.house)
    act(door, "address", email=NEW)
    door.house.work()
    door.press(link_in(door.house.mailer.to(NEW)[0], "/change-address/"))
    with door.rt.reading.begin() as session:
        row = session.scalars(select(ConsentEvent).where(ConsentEvent.purpose == "address")).one()
    assert (row.form_version, row.page_url) == ("change-address-1", "choices.confirm_change")
    assert row.seconds_on_page is not None


def test_the_mail_to_the_old_mailbox_leads_to_a_button_that_takes_it_back(door: Door) -> None:
    make.confirmed(door.house)
    act(door, "address", email=NEW)
    door.house.work()
    link = link_in(door.house.mailer.to(OLD)[-1], "/keep-address/")
    assert "Then your emails go on coming to a…@example.org." in words_of(door.get(link))
    done = told(door, door.press(link_in(door.house.mailer.to(NEW)[0], "/change-address/")))
    assert "For 7 days your old mailbox can take this back." in done
    door.house.work()
    assert link_in(door.house.mailer.to(OLD)[-1], "/keep-address/") == link
    assert "Then your emails come to a…@example.org again." in words_of(door.get(link))
    assert make.person(door.house, NEW).first_name == "Ada", "looking changes nothing"
    answer = door.press(link)
    assert "You keep your address" in words_of(answer.text)
    assert "/preferences/" not in answer.text
    assert make.person(door.house).first_name == "Ada"
    assert door.client.post(link).status_code == 410
    assert door.client.get(link).status_code == 410


def test_a_link_of_another_kind_keeps_no_address(door: Door) -> None:
    make.confirmed(door.house)
    handle = make.ask_to_move(door.house, NEW)
    make.press_move(door.house, handle)
    for purpose in set(LinkPurpose) - {LinkPurpose.KEEP_ADDRESS}:
        token = door.rt.links.token(purpose, handle)
        assert door.client.post(f"/keep-address/{token}").status_code == 404
    assert make.person(door.house, NEW).first_name == "Ada"


def test_a_used_link_opens_nothing_once_the_address_is_another(door: Door) -> None:
    make.confirmed(door.house)
    act(door, "address", email=NEW)
    door.house.work()
    link = link_in(door.house.mailer.to(NEW)[0], "/change-address/")
    assert "/preferences/" in door.get(door.press(link).headers["Location"])
    make.move(door.house, "ada@third.example.org", of=NEW)
    for answer in (door.client.get(link), door.client.post(link)):
        assert answer.status_code == 410
        assert "This link was used, or has run out" in words_of(answer.text)
        assert "/preferences/" not in answer.text


def nobody(_: Door) -> None:
    """Nobody has it."""


def somebody_else(door: Door) -> None:
    make.confirmed(door.house, NEW, name="Ben")


def left_alone(door: Door) -> None:
    with door.rt.sessions.begin() as session:
        suppression.suppress_address(
            session,
            NEW,
            SuppressionReason.BOUNCED,
            links=door.rt.links,
            now=door.house.clock.now(),
        )


@pytest.mark.parametrize("whose", [nobody, somebody_else, left_alone])
def test_asking_is_answered_alike_whoever_has_the_address(
    door: Door, whose: Callable[[Door], None]
) -> None:
    make.confirmed(door.house)
    whose(door)
    answer = act(door, "address", email=NEW)
    assert urlsplit(answer.headers["Location"]).query == "done=address"
    words = told(door, answer)
    assert "If that address can receive our mail" in words
    assert "We wait for a…@new.example.org to be confirmed." in words


def test_an_address_of_somebody_else_is_refused_kindly_and_tells_nothing(door: Door) -> None:
    make.confirmed(door.house)
    somebody_else(door)
    act(door, "address", email=NEW)
    door.house.work()
    link = link_in(door.house.mailer.to(NEW)[-1], "/change-address/")
    answer = door.press(link)
    assert answer.status_code == 409
    words = words_of(answer.text)
    assert "This address cannot be used" in words
    assert "Ben" not in words
    assert NEW not in answer.text
    assert make.person(door.house).first_name == "Ada"


@pytest.mark.parametrize("email", ["", "ada", "ada@new", "a@x.com, b@y.com", "ada@[127.0.0.1]"])
def test_an_address_that_is_none_is_told_beside_its_field(door: Door, email: str) -> None:
    make.confirmed(door.house)
    answer = act(door, "address", email=email)
    assert answer.status_code == 422
    outline = Outline(answer.text)
    (field,) = [tag for tag in outline.all("input") if tag.get("id") == "email"]
    assert (field["aria-describedby"], field["value"]) == ("email-error", email)
    (fold,) = [tag for tag in outline.all("details") if tag.get("id") == "your-address"]
    assert "open" in fold


def test_a_machine_that_fills_the_trap_is_answered_alike_and_sends_nothing(door: Door) -> None:
    make.confirmed(door.house)
    answer = act(door, "address", email=NEW, website="x")
    assert urlsplit(answer.headers["Location"]).query == "done=address"
    with door.rt.reading.begin() as session:
        assert session.scalars(select(AddressChange)).all() == []
        keys = set(session.scalars(select(Message.mail_key)))
    assert "service/confirm_change" not in keys


def test_a_wish_for_another_address_can_be_taken_back(door: Door) -> None:
    make.confirmed(door.house)
    act(door, "address", email=NEW)
    door.house.work()
    words = told(door, act(door, "keep-address"))
    assert "Everything stays at the address you have." in words
    assert "We wait for" not in words
    link = link_in(door.house.mailer.to(NEW)[0], "/change-address/")
    for answer in (door.client.get(link), door.client.post(link)):
        assert answer.status_code == 410
        assert "your emails go on to the address you have" in words_of(answer.text)
        assert "/#guide" not in answer.text, "asking for the guide there would make two of them"


def test_a_link_of_another_kind_confirms_no_address(door: Door) -> None:
    make.confirmed(door.house)
    handle = make.ask_to_move(door.house, NEW)
    for purpose in set(LinkPurpose) - {LinkPurpose.CHANGE}:
        token = door.rt.links.token(purpose, handle)
        assert door.client.post(f"/change-address/{token}").status_code == 404
    assert make.person(door.house).email == OLD
