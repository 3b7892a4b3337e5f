"""One person's page: what was, what they agreed to, and what comes next."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from funnel.db.mail import Enrolment, MailEvent, Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.errors import NotFound
from funnel.domain.ports import Outcome
from funnel.services import challenge, guides, offers, staff, steering, suppression, timeline
from funnel.services.reports.past import PastKind
from funnel.services.reports.people import Whereabouts
from tests.support import make
from tests.support.house import House

OFFER = "lower-back-programme"
HOUR = timedelta(hours=1)


def _view(house: House, email: str = "ada@example.org") -> timeline.PersonView:
    subscriber_id = make.person(house, email).id
    with house.rt.reading.begin() as session:
        return timeline.person(
            session,
            subscriber_id,
            offer_keys=(OFFER,),
            engine=house.rt.sequences,
            now=house.clock.now(),
        )


def _said(view: timeline.PersonView) -> list[str]:
    return [item.what for item in view.past]


def test_nobody_by_that_number_is_not_found(house: House) -> None:
    with house.rt.reading.begin() as session, pytest.raises(NotFound):
        timeline.person(
            session, 99, offer_keys=(), engine=house.rt.sequences, now=house.clock.now()
        )


def test_someone_who_only_asked_waits_for_their_own_click(house: House) -> None:
    make.request(house)
    house.work()
    view = _view(house)
    assert view.where is Whereabouts.PENDING
    assert view.upcoming == ()
    assert _said(view)[-1] == "Asked for the guide"
    assert [word.is_standing for word in view.agreements if word.purpose == "series"] == [False]


def test_next_mail_tells_the_exact_time_and_why_then(house: House) -> None:
    make.confirmed(house)
    mail = _view(house).upcoming[0]
    # Confirmed on a Monday at 10:02: the first mail goes on Tuesday at 08:10 in London.
    assert mail.at is not None
    assert mail.at.isoformat() == "2026-11-24T08:10:00+00:00"
    assert mail.why == "It comes 1 day after the series began, at 08:10 their time."
    assert (mail.sequence_key, mail.after) == ("nurture", 7)


def test_next_mail_follows_the_one_that_was_sent(house: House) -> None:
    make.confirmed(house)
    house.hop(timedelta(days=1))
    view = _view(house)
    first = next(item for item in view.past if item.kind is PastKind.MAIL)
    assert view.upcoming[0].why.startswith(f"It comes 2 days after {first.what.split(' was')[0]}")


def test_a_mail_that_was_passed_over_is_not_told_as_one_that_went(house: House) -> None:
    make.confirmed(house)
    place = make.enrolment(house, "nurture").id
    with house.rt.sessions.begin() as session:
        engine, now = house.rt.sequences, house.clock.now()
        steering.skip_next(session, place, "one-technique", engine=engine, by="Dr Reyes", now=now)
    assert re.search(r"days? after “.+” was passed over", _view(house).upcoming[0].why)


def test_engine_keeps_its_own_word_when_a_due_mail_is_held(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Enrolment).values(why="Held: quiet hours."))
    assert _view(house).upcoming[0].why == "Held: quiet hours."


def test_agreements_show_the_exact_wording_and_its_version(house: House) -> None:
    make.confirmed(house)
    view = _view(house)
    series = next(word for word in view.agreements if word.purpose == "series")
    assert series.is_standing
    assert series.wording_version == 1
    assert series.wording == house.rt.catalog.wordings["series"].text
    assert view.has_series


def test_unsubscribing_ends_the_series_and_the_page_says_so(house: House) -> None:
    done = make.confirmed(house)
    house.clock.advance(HOUR)
    with house.rt.sessions.begin() as session:
        suppression.unsubscribe(
            session,
            done.subscriber_handle,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    view = _view(house)
    assert view.where is Whereabouts.LEFT
    assert view.upcoming == ()
    assert not view.has_series
    assert {"Unsubscribed", "Took back what they agreed to"} <= set(_said(view)[:4])


def test_path_runs_from_newest_to_oldest(each_house: House) -> None:
    house = each_house
    done = make.joined(house)
    house.clock.advance(HOUR)
    with house.rt.sessions.begin() as session:
        guides.count_download(session, done.guide_handle, now=house.clock.now())
        challenge.mark_day(
            session,
            done.subscriber_handle,
            1,
            is_done=True,
            challenge=house.rt.catalog.challenge,
            now=house.clock.now(),
        )
    view = _view(house)
    assert [item.at for item in view.past] == sorted((item.at for item in view.past), reverse=True)
    said = _said(view)
    assert said[0] == "Ticked day 1 as done"
    assert said.index("Joined the challenge") < said.index("Confirmed the address")
    assert said[-1] == "Asked for the guide"
    assert "“The follow-up series” ended" in said


def test_failed_mail_says_why_and_holds_the_place(house: House) -> None:
    make.confirmed(house)
    house.mailer.script = [Outcome.REFUSED]
    house.hop(timedelta(days=1))
    view = _view(house)
    failed = next(item for item in view.past if item.kind is PastKind.FAILED)
    assert failed.why == "The fake said refused."
    assert view.upcoming[0].is_held


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MessageState.SCHEDULED, "is waiting to go"),
        (MessageState.UNKNOWN, "was handed over, and no answer has come yet"),
        (MessageState.UNCONFIRMED, "may or may not have arrived"),
        (MessageState.CANCELLED, "was held back"),
    ],
)
def test_every_state_of_a_mail_has_its_own_words(
    house: House, state: MessageState, words: str
) -> None:
    make.request(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(state=state))
    assert any(what.endswith(words) for what in _said(_view(house)))


def test_news_of_the_provider_stands_in_the_path(house: House) -> None:
    make.request(house)
    house.work()
    with house.rt.sessions.begin() as session:
        message = session.query(Message).one()
        for number, kind in enumerate([EventKind.DELIVERED, EventKind.BOUNCED, EventKind.IGNORED]):
            session.add(
                MailEvent(
                    id=f"event {number}",
                    received_at=house.clock.now(),
                    occurred_at=house.clock.now() + number * HOUR,
                    kind=kind,
                    body={"reason": "550 no such user"} if kind is EventKind.BOUNCED else {},
                    message_id=message.id,
                )
            )
    past = _view(house).past
    assert past[0].what.endswith("bounced: the address does not work")
    assert (past[0].kind, past[0].why) == (PastKind.FAILED, "550 no such user")
    assert past[1].what.endswith("arrived")
    assert past[1].kind is PastKind.MACHINE


def test_waiting_list_and_paid_stand_with_their_offer(house: House) -> None:
    done = make.confirmed(house)
    now = house.clock.now()
    with house.rt.sessions.begin() as session:
        token = staff.make_setup_link(session, now=now) or ""
        account = staff.new_account(
            name="Dr Reyes", email="r@example.org", password="kettle lamp otter"
        )
        staff.set_up(session, token, account, now=now)
        offers.join_waitlist(session, done.subscriber_handle, OFFER, now=now)
    assert _view(house).offers == (timeline.OfferStanding(OFFER, now, None),)
    subscriber_id = make.person(house).id
    with house.rt.sessions.begin() as session:
        offers.mark_paid(session, subscriber_id, OFFER, staff_id=1, now=now + HOUR)
    view = _view(house)
    assert view.offers[0].bought_at == now + HOUR
    assert view.where is Whereabouts.BOUGHT
    assert "Was marked as paid" in _said(view)[:3]
    with house.rt.sessions.begin() as session:
        offers.void_purchase(session, subscriber_id, OFFER, now=now + 2 * HOUR)
    assert _said(_view(house))[0] == "The mark “paid” was taken back"


def test_merge_fields_never_show_in_a_title(house: House) -> None:
    make.confirmed(house, name="Ada")
    house.hop(timedelta(days=17))
    assert not any("{{" in what for what in _said(_view(house)))


def test_someone_else_s_path_stays_out(house: House) -> None:
    make.confirmed(house, "ada@example.org")
    make.request(house, "ben@example.org", name="Ben")
    view = _view(house, "ben@example.org")
    assert "Confirmed the address" not in _said(view)
    with house.rt.reading.begin() as session:
        assert session.query(Subscriber).count() == 2
