"""Moving to another address: by one's own link, confirmed in the new mailbox, told in the old."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from funnel.db.mail import Message
from funnel.db.people import AddressChange, Confirmation, ConsentEvent, Suppression
from funnel.domain.delivery import MessageState
from funnel.domain.errors import AddressTaken, LinkExpired
from funnel.domain.people import PersonState, SuppressionReason, fingerprint
from funnel.services import address_change, preferences, suppression
from tests.support import make
from tests.support.house import House, link_in
from tests.support.steps import DRIP, drip_due, sender_of

DAY = timedelta(days=1)
OLD, NEW, OTHER = "ada@example.org", "ada@new.example.org", "ada@third.example.org"
CONFIRM_CHANGE = "Is this your new address?"
CHANGED = "Your emails now go to another address"


def newest(house: House) -> UUID:
    with house.rt.reading.begin() as session:
        query = select(AddressChange.public_id).order_by(AddressChange.id.desc())
        return session.scalars(query.limit(1)).one()


def press(house: House, handle: UUID | None = None) -> address_change.ChangeView:
    return make.press_move(house, handle or newest(house))


def subjects(house: House, address: str) -> list[str]:
    return [email.subject for email in house.mailer.to(address)]


def suppress(house: House, email: str, reason: SuppressionReason) -> None:
    with house.rt.sessions.begin() as session:
        suppression.suppress_address(
            session, email, reason, links=house.rt.links, now=house.clock.now()
        )


def suppressed(house: House, email: str) -> set[str]:
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(Suppression)).all()
        key = fingerprint(email, house.rt.links.pepper)
        return {row.reason for row in rows if row.address_hash == key}


# --- the usual way ------------------------------------------------------------------------------


def test_the_new_mailbox_confirms_the_old_is_told_and_all_else_stays(each_house: House) -> None:
    house = each_house
    make.joined(house)
    before = make.person(house)
    make.ask_to_move(house, NEW)
    house.work()
    assert subjects(house, NEW) == [CONFIRM_CHANGE]
    assert make.person(house).email == OLD, "nothing changes before it is confirmed"
    (mail,) = house.mailer.to(NEW)
    assert link_in(mail, "/change-address/")
    assert "Ada" not in mail.text, "a stranger may read it"
    press(house)
    house.work()
    after = make.person(house, NEW)
    assert (after.id, after.public_id, after.email_key) == (before.id, before.public_id, NEW)
    assert [row.purpose for row in after.consents] == ["challenge", "series"]
    assert subjects(house, OLD)[-1] == CHANGED
    assert NEW not in house.mailer.to(OLD)[-1].text, "the old mailbox need not know it"
    house.hop(DAY)
    assert subjects(house, NEW)[-1].startswith("Day 2")


def test_the_change_leaves_a_line_of_evidence_with_its_wording(house: House) -> None:
    make.confirmed(house)
    make.move(house, NEW)
    with house.rt.reading.begin() as session:
        row = session.scalars(select(ConsentEvent).where(ConsentEvent.purpose == "address")).one()
        assert (row.action, row.is_granted, row.occurred_at) == (
            "changed",
            True,
            house.clock.now(),
        )


def test_pressing_it_twice_changes_nothing(house: House) -> None:
    make.confirmed(house)
    make.ask_to_move(house, NEW)
    first = press(house)
    house.clock.advance(3 * DAY)
    assert press(house) == first
    house.work()
    assert subjects(house, OLD).count(CHANGED) == 1
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(ConsentEvent.purpose == "address")
        assert session.scalar(query) == 1


def test_another_spelling_of_the_same_address_is_only_another_spelling(house: House) -> None:
    make.confirmed(house)
    make.move(house, "ADA@example.org")
    house.work()
    assert make.person(house, "ADA@example.org").email_key == OLD
    assert CHANGED not in subjects(house, OLD)


def test_the_links_of_older_mails_go_on_working(house: House) -> None:
    done = make.confirmed(house)
    make.move(house, NEW)
    with house.rt.reading.begin() as session:
        view = preferences.preferences_view(session, done.subscriber_handle, now=house.clock.now())
    assert view.masked_email == "a…@new.example.org"
    with house.rt.sessions.begin() as session:
        suppression.unsubscribe(
            session,
            done.subscriber_handle,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    assert make.person(house, NEW).state == PersonState.UNSUBSCRIBED
    assert suppressed(house, NEW) == {"unsubscribed"}


@pytest.mark.parametrize(
    ("wait", "works"), [(7 * DAY - timedelta(seconds=1), True), (7 * DAY, False)]
)
def test_the_link_lives_seven_days(house: House, wait: timedelta, works: bool) -> None:
    make.confirmed(house)
    handle = make.ask_to_move(house, NEW)
    house.clock.advance(wait)
    if works:
        assert press(house, handle).is_done
    else:
        with pytest.raises(LinkExpired):
            press(house, handle)
        assert make.person(house).email == OLD


def test_a_wish_that_ran_out_is_forgotten_and_its_link_says_so(house: House) -> None:
    make.confirmed(house)
    handle = make.ask_to_move(house, NEW)
    house.clock.advance(8 * DAY)
    house.work()
    with house.rt.reading.begin() as session:
        assert session.scalars(select(AddressChange)).all() == []
        with pytest.raises(LinkExpired):
            address_change.change_view(session, handle, now=house.clock.now())


# --- who may not have it ------------------------------------------------------------------------


def the_address_of_somebody_else(house: House) -> None:
    make.confirmed(house, NEW, name="Ben")


def pending_with_somebody_else(house: House) -> None:
    make.request(house, NEW, name="Ben")


def unsubscribed(house: House) -> None:
    suppress(house, NEW, SuppressionReason.UNSUBSCRIBED)


def erased(house: House) -> None:
    suppress(house, NEW, SuppressionReason.ERASED)


def bounced(house: House) -> None:
    suppress(house, NEW, SuppressionReason.BOUNCED)


def complained(house: House) -> None:
    suppress(house, NEW, SuppressionReason.COMPLAINED)


@pytest.mark.parametrize(
    "trouble",
    [the_address_of_somebody_else, pending_with_somebody_else, unsubscribed, erased, bounced],
)
def test_an_address_that_cannot_be_theirs_is_refused_and_nobody_is_merged(
    house: House, trouble: Callable[[House], None]
) -> None:
    make.confirmed(house)
    trouble(house)
    make.ask_to_move(house, NEW)
    with pytest.raises(AddressTaken):
        press(house)
    assert make.person(house).email == OLD
    house.work()
    assert CHANGED not in subjects(house, OLD)
    with pytest.raises(AddressTaken):
        press(house)


@pytest.mark.parametrize("trouble", [bounced, complained])
def test_no_mail_goes_to_an_address_that_is_to_be_left_alone(
    house: House, trouble: Callable[[House], None]
) -> None:
    make.confirmed(house)
    trouble(house)
    make.ask_to_move(house, NEW)
    house.work()
    assert house.mailer.to(NEW) == []


@pytest.mark.parametrize("trouble", [None, the_address_of_somebody_else, unsubscribed, bounced])
def test_the_page_looks_the_same_whoever_has_the_address(
    house: House, trouble: Callable[[House], None] | None
) -> None:
    make.confirmed(house)
    if trouble is not None:
        trouble(house)
    make.ask_to_move(house, NEW)
    with house.rt.reading.begin() as session:
        handle = make.person(house).public_id
        view = preferences.preferences_view(session, handle, now=house.clock.now())
    assert (view.masked_email, view.new_email) == ("a…@example.org", "a…@new.example.org")


def test_an_address_taken_between_asking_and_pressing_is_refused(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    make.ask_to_move(house, NEW)
    make.request(house, NEW, name="Ben")
    with pytest.raises(AddressTaken):
        press(house)
    assert make.person(house, NEW).first_name == "Ben"


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_sign_up_under_way_for_the_same_address_wins(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    make.ask_to_move(house, NEW)
    with ThreadPoolExecutor(1) as pool:
        with house.rt.sessions.begin() as theirs:
            theirs.execute(
                text(
                    "INSERT INTO subscriber (public_id, email, email_key, state, created_at,"
                    " source, is_test) VALUES (gen_random_uuid(), :email, :email, 'pending',"
                    " now(), 'direct', false)"
                ),
                {"email": NEW},
            )
            pressing = pool.submit(press, house)
            is_waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not pressing.done() and not theirs.scalar(is_waiting):
                time.sleep(0.01)
        with pytest.raises(AddressTaken):
            pressing.result()
    assert make.person(house).email == OLD


def test_two_people_who_want_one_address_do_not_both_get_it(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    make.confirmed(house, "ben@example.org", name="Ben")
    first = make.ask_to_move(house, NEW)
    house.clock.advance(timedelta(seconds=1))
    second = make.ask_to_move(house, NEW, of="ben@example.org")
    with ThreadPoolExecutor(2) as pool:
        pressing = [pool.submit(press, house, handle) for handle in (first, second)]
    troubles = [each.exception() for each in pressing]
    assert [type(each) for each in troubles if each is not None] == [AddressTaken]
    assert make.person(house, NEW).first_name in {"Ada", "Ben"}


# --- races --------------------------------------------------------------------------------------


def test_of_two_wishes_the_newer_counts_in_whatever_order_they_are_pressed(house: House) -> None:
    make.confirmed(house)
    older = make.ask_to_move(house, NEW)
    house.clock.advance(timedelta(minutes=1))
    make.ask_to_move(house, OTHER)
    with pytest.raises(LinkExpired):
        press(house, older)
    press(house)
    with pytest.raises(LinkExpired):
        press(house, older)
    assert make.person(house, OTHER).first_name == "Ada"


def test_twenty_presses_at_once_are_one(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    handle = make.ask_to_move(house, NEW)
    with ThreadPoolExecutor(8) as pool:
        views = list(pool.map(lambda _: press(house, handle), range(20)))
    assert len(set(views)) == 1
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(ConsentEvent.purpose == "address")
        assert session.scalar(query) == 1
        query = select(func.count()).where(Message.mail_key == "service/address_changed")
        assert session.scalar(query) == 1


def test_an_unsubscribe_in_between_ends_the_link(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    make.ask_to_move(house, NEW)
    house.clock.advance(timedelta(minutes=1))
    make.unsubscribed(house)
    with pytest.raises(LinkExpired):
        press(house)
    assert make.person(house).email == OLD


def test_whoever_had_stopped_all_mail_is_left_alone_at_the_new_address_too(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    house.clock.advance(timedelta(minutes=1))
    make.move(house, NEW)
    assert make.person(house, NEW).state == PersonState.UNSUBSCRIBED
    assert suppressed(house, NEW) == suppressed(house, OLD) == {"unsubscribed"}
    house.hop(20 * DAY)
    assert [s for s in subjects(house, NEW) if s != CONFIRM_CHANGE] == []


def test_choosing_again_at_the_new_address_leaves_the_old_one_alone(house: House) -> None:
    done = make.confirmed(house)
    make.unsubscribed(house)
    house.clock.advance(timedelta(minutes=1))
    make.move(house, NEW)
    with house.rt.sessions.begin() as session:
        preferences.set_preferences(
            session,
            done.subscriber_handle,
            series=True,
            challenge=False,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    assert (suppressed(house, NEW), suppressed(house, OLD)) == (set(), {"unsubscribed"})


def test_a_bounce_in_between_ends_the_link(house: House) -> None:
    make.confirmed(house)
    make.ask_to_move(house, NEW)
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        suppression.bounce(session, person, links=house.rt.links, now=house.clock.now())
    with pytest.raises(LinkExpired):
        press(house)


def test_a_mail_in_a_workers_hand_does_not_go_to_the_old_address(each_house: House) -> None:
    house = each_house
    drip_due(house)
    make.ask_to_move(house, NEW)
    before = iter([lambda: press(house)])
    sender_of(house, lambda _: next(before, lambda: None)()).send_batch()
    assert DRIP not in {m.mail_key for m in make.messages(house, NEW) if m.accepted_at}
    house.work()
    assert "One small thing to try today" in subjects(house, NEW)
    assert "One small thing to try today" not in subjects(house, OLD)


def test_a_confirm_link_in_the_old_mailbox_decides_nothing_for_the_new(house: House) -> None:
    make.confirmed(house, series=False)
    house.clock.advance(2 * DAY)
    make.request(house, series=True, health=True, ip_key="elsewhere")
    asked = make.newest_confirmation(house)
    make.move(house, NEW)
    with pytest.raises(LinkExpired), house.rt.sessions.begin() as session:
        make.confirm_handle(house, asked, session)
    assert make.person(house, NEW).consents == []
    with house.rt.reading.begin() as session:
        newest_one = session.scalars(
            select(Confirmation).where(Confirmation.public_id == asked)
        ).one()
        assert newest_one.sealed_answers is None
    (waiting,) = [m for m in make.messages(house, NEW) if m.state == MessageState.CANCELLED]
    assert waiting.mail_key == "service/confirm"
