"""A move settles for a week: told beforehand, stopped or taken back from the old mailbox, and
until then nothing that opens what a person told us goes to the new one."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from funnel.db.mail import MailEvent, Message
from funnel.db.people import AddressChange, ConsentEvent, Subscriber, Suppression
from funnel.db.rights import DataRequest, ErasureJob
from funnel.domain.delivery import MessageState
from funnel.domain.errors import AddressTaken, LinkExpired, LinkInvalid
from funnel.domain.people import PersonState, SuppressionReason, fingerprint, parse_address
from funnel.services import (
    address_back,
    address_change,
    complaints,
    confirming,
    guides,
    mail_events,
    suppression,
)
from funnel.services.rights import requests
from tests.support import make
from tests.support.house import House, link_in
from tests.support.rights import dump, erase, hits
from tests.support.steps import drip_due

DAY = timedelta(days=1)
WEEK = 7 * DAY
OLD, NEW, OTHER = "ada@example.org", "mallory@example.net", "mallory@third.example.net"
ASKED, CHANGED = "Shall your emails go to another address?", "Your emails now go to another address"
SECOND = timedelta(seconds=1)


def newest(house: House) -> UUID:
    with house.rt.reading.begin() as session:
        query = select(AddressChange.public_id).order_by(AddressChange.id.desc())
        return session.scalars(query.limit(1)).one()


def take_back(house: House, handle: UUID | None = None) -> address_back.BackView:
    with house.rt.sessions.begin() as session:
        return address_back.take_back(
            session,
            handle or newest(house),
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )


def ask_for_data(house: House, handle: UUID) -> None:
    with house.rt.sessions.begin() as session:
        requests.ask_by_handle(session, handle, links=house.rt.links, now=house.clock.now())
    house.work()


def subjects(house: House, address: str) -> list[str]:
    return [email.subject for email in house.mailer.to(address)]


def reasons(house: House, email: str) -> set[str]:
    mark = fingerprint(email, house.rt.links.pepper)
    with house.rt.reading.begin() as session:
        query = select(Suppression.reason).where(Suppression.address_hash == mark)
        return set(session.scalars(query))


# --- what the new mailbox does not get -----------------------------------------------------------


def test_no_link_to_the_data_goes_to_an_address_before_it_has_settled(each_house: House) -> None:
    house = each_house
    done = make.confirmed(house, health=True)
    make.move(house, NEW)
    house.clock.advance(WEEK - SECOND)
    ask_for_data(house, done.subscriber_handle)
    with house.rt.sessions.begin() as session:
        requests.ask_by_address(
            session,
            parse_address(NEW),
            ip_key="x",
            links=house.rt.links,
            now=house.clock.now(),
        )
    house.work()
    assert "Your data" not in subjects(house, NEW)
    house.clock.advance(SECOND)
    ask_for_data(house, done.subscriber_handle)
    assert subjects(house, NEW)[-1] == "Your data"


def test_the_retention_rule_leaves_a_move_until_it_has_settled(house: House) -> None:
    make.confirmed(house)
    handle = make.ask_to_move(house, NEW)
    house.clock.advance(6 * DAY)
    make.press_move(house, handle)
    house.hop(6 * DAY)
    with house.rt.reading.begin() as session:
        assert session.scalars(select(AddressChange.public_id)).all() == [handle]
    house.hop(2 * DAY)
    with house.rt.reading.begin() as session:
        assert session.scalars(select(AddressChange)).all() == []


def test_a_guide_with_answers_is_shown_by_no_link_until_then(each_house: House) -> None:
    house = each_house
    done = make.confirmed(house, health=True)
    make.move(house, NEW)
    house.work()
    before = len(subjects(house, NEW))

    def view() -> guides.GuideView:
        with house.rt.reading.begin() as session:
            return guides.guide_view(session, done.guide_handle, now=house.clock.now())

    make.ask_again(house, NEW)
    make.request(house, NEW, health=True)
    make.confirm(house, NEW, with_answers=False)
    house.work()
    assert (view().is_expired, view().is_withheld) == (True, True)
    assert "Your guide is ready" not in subjects(house, NEW)[before:]
    house.clock.advance(WEEK)
    make.ask_again(house, NEW)
    assert (view().is_expired, view().is_withheld) == (False, False)


def test_a_guide_without_answers_stays_as_it_is(house: House) -> None:
    done = make.confirmed(house)
    make.move(house, NEW)
    with house.rt.reading.begin() as session:
        view = guides.guide_view(session, done.guide_handle, now=house.clock.now())
    assert not view.is_expired


def test_a_link_to_the_data_in_the_old_mailbox_ends_with_the_move(each_house: House) -> None:
    house = each_house
    done = make.confirmed(house)
    ask_for_data(house, done.subscriber_handle)
    with house.rt.reading.begin() as session:
        opened = session.scalars(select(DataRequest.public_id)).one()
    with house.rt.sessions.begin() as session:  # and one that waits to leave
        requests.ask_by_handle(
            session, done.subscriber_handle, links=house.rt.links, now=house.clock.now()
        )
    make.move(house, NEW)
    house.work()
    with house.rt.reading.begin() as session, pytest.raises(LinkExpired):
        requests.whose(session, opened, now=house.clock.now())
    assert subjects(house, OLD).count("Your data") == 1
    assert "Your data" not in subjects(house, NEW)


# --- what the old mailbox can do -----------------------------------------------------------------


def test_the_old_mailbox_is_told_when_it_is_asked_for_and_can_stop_it(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    handle = make.ask_to_move(house, NEW)
    house.work()
    mail = house.mailer.to(OLD)[-1]
    assert mail.subject == ASKED
    assert link_in(mail, "/keep-address/")
    assert NEW not in mail.text
    assert not take_back(house).is_left
    with pytest.raises(LinkExpired):
        make.press_move(house, handle)
    assert make.person(house).email == OLD


@pytest.mark.parametrize(("wait", "works"), [(WEEK - SECOND, True), (WEEK, False)])
def test_for_seven_days_the_old_mailbox_takes_it_back(
    each_house: House, wait: timedelta, works: bool
) -> None:
    house = each_house
    make.confirmed(house)
    make.move(house, NEW)
    handle = newest(house)
    house.work()
    assert [*subjects(house, OLD)[-2:]] == [ASKED, CHANGED]
    house.clock.advance(wait)
    if not works:
        with pytest.raises(LinkExpired):
            take_back(house, handle)
        return
    assert take_back(house, handle).is_left
    person = make.person(house)
    assert (person.email, person.email_key, person.state) == (OLD, OLD, PersonState.CONFIRMED)
    for again in (lambda: take_back(house, handle), lambda: make.press_move(house, handle)):
        with pytest.raises(LinkExpired):
            again()
    with house.rt.reading.begin() as session:
        query = select(ConsentEvent.action).where(ConsentEvent.purpose == "address")
        assert session.scalars(query.order_by(ConsentEvent.id)).all() == ["changed", "withdrawn"]
    ask_for_data(house, person.public_id)
    assert "Your data" in subjects(house, OLD)


def test_moves_that_followed_are_taken_back_with_it(house: House) -> None:
    make.confirmed(house)
    make.move(house, NEW)
    first = newest(house)
    house.clock.advance(DAY)
    make.move(house, OTHER, of=NEW)
    second = newest(house)
    make.ask_to_move(house, "yet@another.example", of=OTHER)
    take_back(house, first)
    assert make.person(house).email == OLD
    with pytest.raises(LinkExpired):
        take_back(house, second)
    with house.rt.reading.begin() as session:
        left = session.scalars(select(AddressChange)).all()
    assert left == []


def test_taking_one_move_back_does_not_settle_an_older_one(house: House) -> None:
    done = make.confirmed(house)
    make.move(house, NEW)
    house.clock.advance(DAY)
    make.move(house, OTHER, of=NEW)
    take_back(house)
    ask_for_data(house, done.subscriber_handle)
    assert make.person(house, NEW).email == NEW
    assert "Your data" not in subjects(house, NEW)


@pytest.mark.parametrize("news", [SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED])
def test_what_became_of_the_other_address_is_no_news_of_theirs(
    house: House, news: SuppressionReason
) -> None:
    make.confirmed(house)
    make.move(house, NEW)
    with house.rt.sessions.begin() as session:
        suppression.suppress_person(
            session,
            session.merge(make.person(house, NEW)),
            news,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    take_back(house)
    assert make.person(house).state == PersonState.UNSUBSCRIBED, "they choose anew"
    make.choose(house, series=True)
    assert make.person(house).state == PersonState.CONFIRMED
    assert (reasons(house, OLD), reasons(house, NEW)) == (set(), {news})


def test_a_sign_up_that_nobody_confirmed_keeps_no_address_from_its_owner(
    each_house: House,
) -> None:
    house = each_house
    make.confirmed(house)
    make.move(house, NEW)
    make.request(house, OLD, name="Mallory")
    house.work()
    assert take_back(house).is_left
    assert make.person(house).first_name == "Ada"
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Subscriber.first_name)).all() == ["Ada"]


def test_an_address_that_somebody_else_has_by_now_is_not_taken_back(house: House) -> None:
    make.confirmed(house)
    make.move(house, NEW)
    make.confirmed(house, OLD, name="Ben")
    with pytest.raises(AddressTaken):
        take_back(house)
    assert make.person(house, OLD).first_name == "Ben"


# --- what is handed over, and what is erased -----------------------------------------------------


@pytest.mark.parametrize("state", [MessageState.SENDING, MessageState.UNKNOWN])
def test_a_mail_in_doubt_is_asked_about_where_it_went(
    each_house: House, state: MessageState
) -> None:
    house = each_house
    drip_due(house)
    with house.rt.sessions.begin() as session:
        is_first = Message.mail_key == "service/guide_ready"
        session.execute(update(Message).where(is_first).values(state=state, closed_at=None))
    make.move(house, NEW)
    assert make.message(house, "service/guide_ready", NEW).to_address == OLD


def event(session_id: str, email: str) -> dict[str, object]:
    return {"sg_event_id": session_id, "event": "open", "email": email, "timestamp": 1}


def test_erasing_takes_every_address_they_had(each_house: House) -> None:
    house = each_house
    make.confirmed(house, OLD, health=True)
    make.complain(house, OLD)
    house.work()
    make.move(house, NEW)
    house.clock.advance(DAY)
    make.move(house, OTHER, of=NEW)
    house.clock.advance(DAY)
    make.confirmed(house, "bea@example.org", name="Bea")
    house.work()
    make.ask_to_move(house, "bea@example.org", of=OTHER)
    make.ask_to_move(house, "typo@example.org", of=OTHER)
    with house.rt.sessions.begin() as session:
        complaints.close(session, 1, links=house.rt.links, now=house.clock.now())
        mail_events.take_events(session, [event("e1", OLD)], now=house.clock.now())
    erase(house, OTHER)
    assert hits(dump(house), OLD, NEW, OTHER, "typo@example.org") == []
    assert [reasons(house, each) for each in (OLD, NEW, OTHER)] == [{"erased"}] * 3
    assert reasons(house, "typo@example.org") == set(), "it may be a stranger's"
    with house.rt.reading.begin() as session:
        sealed = session.scalars(select(ErasureJob.sealed_address)).all()
        assert session.scalar(select(func.count()).select_from(MailEvent)) == 0
    opened = sorted(house.rt.rights.eraser.vault.open(each).decode() for each in sealed)
    assert opened == sorted([OLD, NEW, OTHER, "typo@example.org"]), "and not Bea's"


def test_an_old_address_that_is_somebody_elses_now_is_left_to_them(house: House) -> None:
    make.confirmed(house)
    make.move(house, NEW)
    house.clock.advance(8 * DAY)
    make.confirmed(house, OLD, name="Ben")
    erase(house, NEW)
    assert make.person(house, OLD).first_name == "Ben"
    assert (reasons(house, OLD), reasons(house, NEW)) == (set(), {"erased"})


def test_an_erasure_that_no_key_of_this_process_opens_waits_for_one_that_does(
    house: House,
) -> None:
    make.confirmed(house)
    erase(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(ErasureJob).values(sealed_address=b"sealed with another key"))
    house.clock.advance(DAY)
    assert house.rt.rights.outside.erase_next()
    with house.rt.reading.begin() as session:
        job = session.scalars(select(ErasureJob)).one()
    assert "No key in SECRET_KEY" in job.why
    assert job.not_before > house.clock.machine()


# --- races with an erasure -----------------------------------------------------------------------


def test_a_link_whose_person_goes_at_this_very_moment_is_refused_kindly(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.confirmed(house)
    handle = make.ask_to_move(house, NEW)
    asked = make.newest_confirmation(house)
    with house.rt.reading.begin() as session:
        change = session.scalars(select(AddressChange)).one()
        confirmation = confirming._find_confirmation(session, asked)
    monkeypatch.setattr(address_change, "find", lambda *_: change)
    monkeypatch.setattr(confirming, "_find_confirmation", lambda *_: confirmation)
    erase(house)
    with house.rt.sessions.begin() as session:
        now = house.clock.now()
        acts: list[Callable[[], object]] = [
            lambda: address_change.change_view(session, handle, now=now),
            lambda: address_change.find_locked(session, handle),
            lambda: confirming.confirmation_view(session, asked, now=now, keeper=house.rt.keeper),
            lambda: make.confirm_handle(house, asked, session),
        ]
        for act in acts:
            with pytest.raises(LinkInvalid):
                act()
