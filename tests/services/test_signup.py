"""Asking for the guide, and confirming the address."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.mail import Enrolment, Message
from funnel.db.people import Confirmation, ConsentEvent, Subscriber
from funnel.domain.delivery import MessageState
from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.domain.people import PersonState, Purpose, SuppressionReason, parse_address
from funnel.services import confirming, signup, suppression
from tests.support import make
from tests.support.house import House
from tests.support.steps import CONFIRM

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ips = itertools.count()


def ask(house: House, email: str = "ada@example.org", **wishes: bool) -> None:
    """Ask from a network of one's own, so that only the address is limited."""
    make.request(house, email, ip_key=f"ip {next(ips)}", **wishes)  # type: ignore[arg-type]  # flags


def again(house: House, email: str = "ada@example.org") -> None:
    with house.rt.sessions.begin() as session:
        signup.resend_confirmation(
            session,
            parse_address(email),
            now=house.clock.now(),
            links=house.rt.links,
            ip_key=f"ip {next(ips)}",
        )


def look(house: House, session: Session, handle: UUID) -> confirming.ConfirmationView:
    return confirming.confirmation_view(
        session, handle, now=house.clock.now(), keeper=house.rt.keeper
    )


def confirm_handle(house: House, handle: UUID) -> confirming.Confirmed:
    with house.rt.sessions.begin() as session:
        return make.confirm_handle(house, handle, session)


def suppress(house: House, reason: SuppressionReason, email: str = "ada@example.org") -> None:
    with house.rt.sessions.begin() as session:
        suppression.suppress_address(
            session, email, reason, links=house.rt.links, now=house.clock.now()
        )


def count_of(house: House, table: type) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def confirm_mails(house: House) -> int:
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(Message.mail_key == CONFIRM)
        return session.scalar(query) or 0


# --- asking -------------------------------------------------------------------------------------


def test_fifty_posts_at_once_make_one_person_and_one_mail(each_house: House) -> None:
    house = each_house
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: ask(house), range(50)))
    assert count_of(house, Subscriber) == 1
    assert confirm_mails(house) == 1
    house.work()
    assert len(house.mailer.accepted) == 1


def test_posts_without_end_bring_one_mail_a_day_and_three_a_month(house: House) -> None:
    for _ in range(29 * 2):
        ask(house)
        house.clock.advance(12 * HOUR)
    assert confirm_mails(house) == 3
    first_three = [m.created_at for m in make.messages(house)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(first_three)]
    assert min(gaps) >= DAY


def test_send_it_again_adds_one_a_day(house: House) -> None:
    ask(house)
    for _ in range(5):
        house.clock.advance(timedelta(minutes=1))
        again(house)
    assert confirm_mails(house) == 2
    keys = {message.reference for message in make.messages(house)}
    assert len(keys) == 1, "the same link"


@pytest.mark.parametrize("state", ["nobody", "confirmed", "expired", "gone"])
def test_send_it_again_is_silent_where_there_is_nothing_to_send(house: House, state: str) -> None:
    if state == "confirmed":
        make.confirmed(house)
    elif state == "expired":
        ask(house)
        house.clock.advance(7 * DAY)
    elif state == "gone":
        ask(house)
        make.unsubscribed(house)
    before = count_of(house, Message)
    again(house)
    assert count_of(house, Message) == before


def test_one_visitor_asks_five_times_an_hour_and_twenty_a_day(house: House) -> None:
    for number in range(40):
        make.request(house, f"victim{number}@example.org", ip_key="one network")
    assert confirm_mails(house) == 5
    for number in range(400):
        if number % 20 == 0:
            house.clock.advance(HOUR)
        make.request(house, f"other{number}@example.org", ip_key="one network")
    assert confirm_mails(house) <= 20


def test_all_visitors_together_bring_sixty_mails_an_hour(house: House) -> None:
    for number in range(70):
        ask(house, f"victim{number}@example.org")
    house.work()
    assert len(house.mailer.accepted) == 60
    house.clock.advance(HOUR)
    house.work()
    assert len(house.mailer.accepted) == 70, "nobody is forgotten"


@pytest.mark.parametrize(
    "spellings",
    [
        ["ada@example.org", "ADA@Example.org", "ada+1@example.org", "ada+@example.org"],
        ["ada.l@gmail.com", "adal@gmail.com", "a.d.al@googlemail.com", "adal+x@gmail.com"],
        ["a@bücher.de", "a@BÜCHER.de", "a@xn--bcher-kva.de", "A+tag@xn--bcher-kva.de"],
    ],
    ids=["tags", "dots", "idn"],
)
def test_spellings_of_one_address_count_as_one(house: House, spellings: list[str]) -> None:
    for spelling in spellings:
        ask(house, spelling)
    assert confirm_mails(house) == 1


def test_a_key_is_one_person_and_mail_goes_to_the_address_first_typed(house: House) -> None:
    ask(house, "Ada@Example.org")
    house.clock.advance(DAY)
    ask(house, "ADA@example.org")
    house.work()
    assert count_of(house, Subscriber) == 1
    assert {email.to_address for email in house.mailer.accepted} == {"Ada@example.org"}


@pytest.mark.parametrize("reason", [SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED])
def test_a_bounced_or_complaining_address_gets_nothing(
    house: House, reason: SuppressionReason
) -> None:
    suppress(house, reason)
    ask(house)
    again(house)
    house.work()
    assert not house.mailer.offered
    assert count_of(house, Confirmation) == 0


def test_an_address_that_unsubscribed_may_ask_again(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    house.clock.advance(2 * DAY)
    ask(house, series=False)
    house.work()
    assert house.mailer.accepted[-1].subject == "Please confirm your email"


def test_someone_confirmed_who_asks_for_nothing_new_gets_the_guide_again(house: House) -> None:
    make.confirmed(house)
    for _ in range(3):
        ask(house)
    house.work()
    subjects = [email.subject for email in house.mailer.accepted]
    assert subjects == ["Please confirm your email", "Your guide is ready", "Your guide is ready"]


def test_someone_confirmed_who_asks_for_more_must_confirm_it(house: House) -> None:
    make.confirmed(house, series=False)
    house.clock.advance(DAY)
    ask(house, series=True)
    assert make.person(house).consents == []
    house.work()
    make.confirm(house)
    assert [row.purpose for row in make.person(house).consents] == [Purpose.SERIES]


def test_a_stranger_cannot_rename_someone_confirmed(house: House) -> None:
    make.confirmed(house, name="Ada")
    make.request(house, name="Mallory", ip_key="elsewhere")
    assert make.person(house).first_name == "Ada"


def test_a_lost_bell_loses_no_mail(house: House) -> None:
    ask(house)  # the quiet bell of the house rings nothing
    house.work()
    assert len(house.mailer.accepted) == 1


def test_nothing_is_kept_when_the_transaction_fails(each_house: House) -> None:
    house = each_house

    def ask_and_fail() -> None:
        asked = signup.SignupRequest(
            parse_address("ada@example.org"), None, True, False, make.TOUCH, None, make.EVIDENCE
        )
        with house.rt.sessions.begin() as session:
            signup.request_guide(
                session,
                asked,
                now=house.clock.now(),
                links=house.rt.links,
                keeper=house.rt.keeper,
                ip_key="ip",
            )
            raise KeyError

    with pytest.raises(KeyError):
        ask_and_fail()
    assert [count_of(house, table) for table in (Subscriber, Message, ConsentEvent)] == [0, 0, 0]


# --- confirming ---------------------------------------------------------------------------------


def test_twenty_confirms_at_once_start_one_series_and_one_guide(each_house: House) -> None:
    house = each_house
    ask(house)
    handle = make.newest_confirmation(house)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: confirm_handle(house, handle), range(20)))
    assert len(set(answers)) == 1, "everybody is told the same"
    assert [count_of(house, table) for table in (Enrolment, Guide)] == [1, 1]
    with house.rt.reading.begin() as session:
        query = select(ConsentEvent.purpose).where(ConsentEvent.action == "confirmed")
        assert sorted(session.scalars(query)) == ["guide", "series"]


def test_confirming_again_changes_nothing_even_months_later(house: House) -> None:
    first = make.confirmed(house)
    house.clock.advance(200 * DAY)
    before = count_of(house, ConsentEvent)
    assert make.confirm(house) == first
    assert count_of(house, ConsentEvent) == before


def test_the_guide_comes_without_the_series_and_no_series_mail_follows(house: House) -> None:
    make.confirmed(house, series=False)
    house.hop(30 * DAY)
    subjects = [email.subject for email in house.mailer.accepted]
    assert subjects == ["Please confirm your email", "Your guide is ready"]
    assert count_of(house, Enrolment) == 0


@pytest.mark.parametrize(
    ("wait", "works"),
    [(7 * DAY - timedelta(seconds=1), True), (7 * DAY, False), (30 * DAY, False)],
)
def test_a_confirm_link_lives_seven_days(house: House, wait: timedelta, works: bool) -> None:
    ask(house)
    house.clock.advance(wait)
    if works:
        make.confirm(house)
        assert make.person(house).state == PersonState.CONFIRMED
    else:
        with pytest.raises(LinkExpired):
            make.confirm(house)
        assert make.person(house).state == PersonState.PENDING


def test_an_old_link_does_not_bring_back_someone_who_left(each_house: House) -> None:
    house = each_house
    done = make.confirmed(house)
    old = make.newest_confirmation(house)
    make.unsubscribed(house)
    house.clock.advance(DAY)
    with pytest.raises(LinkExpired):
        confirm_handle(house, old)
    with pytest.raises(LinkExpired), house.rt.reading.begin() as session:
        look(house, session, old)
    assert make.person(house).state == PersonState.UNSUBSCRIBED
    house.clock.advance(2 * DAY)
    ask(house)
    assert make.confirm(house).subscriber_handle == done.subscriber_handle
    assert make.person(house).state == PersonState.CONFIRMED
    with pytest.raises(LinkExpired):
        confirm_handle(house, old)


def test_a_link_from_before_a_complaint_does_not_work(house: House) -> None:
    ask(house)
    with house.rt.sessions.begin() as session:
        suppression.suppress_person(
            session,
            session.merge(make.person(house)),
            SuppressionReason.COMPLAINED,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    with pytest.raises(LinkExpired):
        make.confirm(house)


def test_an_unknown_link_is_no_link(house: House) -> None:
    with pytest.raises(LinkInvalid):
        confirm_handle(house, uuid4())
    with pytest.raises(LinkInvalid), house.rt.reading.begin() as session:
        look(house, session, uuid4())


def test_the_confirm_page_shows_where_one_stands(house: House) -> None:
    ask(house)
    handle = make.newest_confirmation(house)
    with house.rt.reading.begin() as session:
        before = look(house, session, handle)
    assert before == confirming.ConfirmationView("Ada", True, False, None)
    done = make.confirm(house)
    with house.rt.reading.begin() as session:
        after = look(house, session, handle)
    assert after == confirming.ConfirmationView("Ada", True, True, done.guide_handle)


def test_looking_at_the_confirm_page_confirms_nothing(house: House) -> None:
    ask(house)
    handle = make.newest_confirmation(house)
    for _ in range(100):
        with house.rt.reading.begin() as session:
            look(house, session, handle)
    assert make.person(house).state == PersonState.PENDING


# --- the link to the challenge ------------------------------------------------------------------


@pytest.mark.parametrize(("state", "mails"), [("nobody", 0), ("pending", 0), ("confirmed", 2)])
def test_the_challenge_link_goes_to_confirmed_people_twice_a_day(
    house: House, state: str, mails: int
) -> None:
    if state == "pending":
        ask(house)
    elif state == "confirmed":
        make.confirmed(house)
    for number in range(4):
        with house.rt.sessions.begin() as session:
            signup.send_portal_link(
                session,
                parse_address("ada@example.org"),
                now=house.clock.now(),
                links=house.rt.links,
                ip_key=f"network {number}",
            )
        house.clock.advance(timedelta(seconds=1))
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(Message.mail_key == "service/challenge_link")
        assert session.scalar(query) == mails


def test_a_message_for_a_limited_visitor_is_never_made(house: House) -> None:
    for number in range(6):
        make.request(house, f"p{number}@example.org", ip_key="one network")
    assert count_of(house, Subscriber) == 5
    with house.rt.reading.begin() as session:
        assert set(session.scalars(select(Message.state))) == {MessageState.SCHEDULED}


def test_a_box_that_was_unticked_before_the_first_link_was_pressed_counts(house: House) -> None:
    make.request(house, series=True, health=True)
    first = make.newest_confirmation(house)
    make.request(house, series=False, health=True)
    with house.rt.sessions.begin() as session:
        done = make.confirm_handle(house, first, session)
    assert not done.has_series
    assert [row.purpose for row in make.person(house).consents] == ["health"]
