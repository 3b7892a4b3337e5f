"""Events that come early, again, out of order or in vain, and what is done with them later."""

from datetime import timedelta
from itertools import permutations

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from funnel.cli import cli
from funnel.db.mail import Enrolment, MailEvent, Message
from funnel.domain.delivery import EventKind, MessageState, later, suppression_for
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import InvalidInput
from funnel.domain.people import PersonState
from funnel.services import blocks, enrolment, mail_events, quarantine, steering, texts
from tests.support import make
from tests.support.events import about, handle, sent_drip, take, tell
from tests.support.house import SECRET, House
from tests.support.steps import DRIP

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SIX = (
    EventKind.PROCESSED,
    EventKind.DEFERRED,
    EventKind.DELIVERED,
    EventKind.BOUNCED,
    EventKind.UNSUBSCRIBED,
    EventKind.COMPLAINED,
)


def test_h3_every_order_of_six_events_ends_alike() -> None:
    ends = set()
    for order in permutations(SIX):
        known: EventKind | None = None
        reasons = set()
        for kind in order:
            known = later(known, kind)
            reasons.add(suppression_for(kind))
        ends.add((known, frozenset(reasons)))
    assert len(ends) == 1
    assert ends.pop()[0] is EventKind.COMPLAINED


@pytest.mark.parametrize("order", range(4))
def test_h3_a_bounce_after_the_delivery_counts_and_a_late_delivery_takes_nothing_back(
    each_house: House, order: int
) -> None:
    house = each_house
    message = sent_drip(house)
    names = ["processed", "delivered", "bounce", "deferred"]
    for name in names[order:] + names[:order]:
        tell(house, about(message, name))
    assert make.message(house, DRIP).delivery == EventKind.BOUNCED
    assert make.person(house).state == PersonState.BOUNCED


# H2: an event before we know the provider's handle ----------------------------------------------


def early(house: House) -> Message:
    """A mail whose handle at the provider was recorded only after its events had been handled."""
    message = sent_drip(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(provider_id=None))
    event = about(message, "delivered")
    del event["send_id"], event["smtp-id"]
    tell(house, event)
    with house.rt.sessions.begin() as session:
        session.execute(
            update(Message).where(Message.id == message.id).values(provider_id=message.provider_id)
        )
    return message


def match_again(house: House) -> int:
    with house.rt.sessions.begin() as session:
        return mail_events.match_again(session, clock=house.clock)


def test_h2_an_event_that_came_too_early_finds_its_mail_later(each_house: House) -> None:
    house = each_house
    message = early(house)
    assert make.message(house, DRIP).delivery is None
    assert match_again(house) == 1
    assert make.message(house, DRIP).delivery == EventKind.DELIVERED
    with house.rt.reading.begin() as session:
        assert session.scalars(select(MailEvent.message_id)).all() == [message.id]
    assert match_again(house) == 0, "once found it is looked for no more"


def test_h2_the_worker_looks_again_by_itself(house: House) -> None:
    early(house)
    house.clock.advance(HOUR)
    house.work()
    assert make.message(house, DRIP).delivery == EventKind.DELIVERED


def test_h2_what_never_finds_a_mail_is_let_be_after_two_days_and_gone_after_thirty(
    house: House,
) -> None:
    early(house)
    house.clock.advance(3 * DAY)
    assert match_again(house) == 0
    house.clock.advance(28 * DAY)
    house.rt.worker.tick()
    with house.rt.reading.begin() as session:
        assert session.scalars(select(MailEvent)).all() == []


def test_a_late_bounce_without_a_mail_of_ours_suppressed_at_once(house: House) -> None:
    message = sent_drip(house)
    event = about(message, "bounce", sg_message_id="strange.filter")
    del event["send_id"], event["smtp-id"]
    tell(house, event)
    assert make.person(house).state == PersonState.BOUNCED


# H5: turned away again and again ----------------------------------------------------------------


def blocked_mails(house: House, many: int, email: str = "ada@example.org") -> None:
    """So many series mails, a few days apart, each turned away by the reader's server."""
    known: set[object] = set()
    while len(known) < many:
        house.hop(DAY)
        for message in make.messages(house, email):
            is_new = message.mail_key.startswith("nurture/") and message.id not in known
            if is_new and message.state == MessageState.ACCEPTED:
                known.add(message.id)
                tell(house, about(message, "bounce", type="blocked", email=email))


def place(house: House) -> Enrolment:
    return make.enrolment(house, "nurture")


def test_h5_three_blocks_within_thirty_days_hold_the_series_until_somebody_looks(
    each_house: House,
) -> None:
    house = each_house
    make.confirmed(house)
    blocked_mails(house, 2)
    assert place(house).state == EnrolmentState.ACTIVE
    blocked_mails(house, 3)
    assert (place(house).state, place(house).why) == (EnrolmentState.HELD, blocks.WHY)
    assert make.person(house).state == PersonState.CONFIRMED, "nobody is left alone for it"
    house.mailer.offered.clear()
    house.hop(10 * DAY)
    assert house.mailer.offered == []
    with house.rt.sessions.begin() as session:
        enrolment.release(session, make.person(house).id, now=house.clock.now())
    house.hop(2 * DAY)
    assert house.mailer.offered


def test_h5_what_begins_while_they_are_held_is_held_beside(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    blocked_mails(house, 3)
    house.mailer.offered.clear()
    make.join(house)
    new = make.enrolment(house, "challenge")
    assert (new.state, new.why) == (EnrolmentState.HELD, blocks.WHY)
    house.hop(10 * DAY)
    assert house.mailer.offered == []
    with house.rt.sessions.begin() as session:
        assert enrolment.release(session, make.person(house).id, now=house.clock.now()) == 1
    assert make.enrolment(house, "challenge").state == EnrolmentState.ACTIVE


def test_h5_a_place_that_was_paused_stays_so_while_the_others_are_held(house: House) -> None:
    make.confirmed(house)
    blocked_mails(house, 3)
    now = house.clock.now()
    with house.rt.sessions.begin() as session:
        challenge = texts.sequences(session)["challenge"]
        enrolment.enrol(session, make.person(house).id, challenge, now=now)
    paused = make.enrolment(house, "challenge").id
    with house.rt.sessions.begin() as session:
        steering.pause(session, paused, by="Dr Reyes", now=now)
    with house.rt.sessions.begin() as session, pytest.raises(InvalidInput, match="Try that mail"):
        steering.resume(session, paused, by="Dr Reyes", now=now)
    assert make.enrolment(house, "challenge").state == EnrolmentState.PAUSED
    with house.rt.sessions.begin() as session:
        enrolment.release(session, make.person(house).id, now=now)
        steering.resume(session, paused, by="Dr Reyes", now=now)
    assert make.enrolment(house, "challenge").state == EnrolmentState.ACTIVE


def test_h5_mended_words_let_nobody_go_whose_server_turns_mails_away(house: House) -> None:
    make.confirmed(house)
    blocked_mails(house, 3)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(state=MessageState.FAILED))
        enrolment.release_all_of(session, "nurture/one-technique", now=house.clock.now())
    assert place(house).state == EnrolmentState.HELD


def test_h5_blocks_of_long_ago_hold_nobody(house: House) -> None:
    make.confirmed(house)
    blocked_mails(house, 2)
    with house.rt.sessions.begin() as session:
        session.execute(
            update(Message)
            .where(Message.delivery == EventKind.BLOCKED)
            .values(created_at=house.clock.now() - 31 * DAY)
        )
        assert not blocks.hold_if_often(session, make.person(house).id, now=house.clock.now())
    assert place(house).state == EnrolmentState.ACTIVE


def test_h5_the_same_block_told_three_times_is_one(house: House) -> None:
    message = sent_drip(house)
    for number in range(3):
        event = about(message, "bounce", type="blocked", sg_event_id=f"again-{number}")
        tell(house, event)
    assert place(house).state == EnrolmentState.ACTIVE


# Quarantine and replay --------------------------------------------------------------------------


def put_aside(house: House) -> None:
    """A bounce whose row was damaged, as a fault of ours would leave it."""
    message = sent_drip(house)
    take(house, about(message, "bounce"))
    with house.rt.sessions.begin() as session:
        session.execute(update(MailEvent).values(kind="no such kind"))
    handle(house)


def mend(house: House) -> None:
    with house.rt.sessions.begin() as session:
        session.execute(update(MailEvent).values(kind="bounced"))


def test_an_event_put_aside_is_shown_without_anything_personal(each_house: House) -> None:
    put_aside(each_house)
    with each_house.rt.reading.begin() as session:
        (shown,) = quarantine.quarantined(session)
        assert quarantine.counts(session) == quarantine.EventCounts(waiting=0, put_aside=1)
    assert shown.problem == "ValueError"
    assert "ada" not in repr(shown)
    assert make.person(each_house).state == PersonState.CONFIRMED


def test_an_event_put_aside_is_handled_once_what_was_wrong_is_mended(each_house: House) -> None:
    house = each_house
    put_aside(house)
    mend(house)
    with house.rt.sessions.begin() as session:
        assert quarantine.replay(session) == 1
    house.work()
    assert make.person(house).state == PersonState.BOUNCED
    with house.rt.reading.begin() as session:
        assert quarantine.quarantined(session) == []
    with house.rt.sessions.begin() as session:
        assert quarantine.replay(session) == 0


def test_an_event_that_is_still_wrong_comes_back_and_stops_no_other(house: House) -> None:
    put_aside(house)
    for _ in range(3):
        with house.rt.sessions.begin() as session:
            quarantine.replay(session)
        house.work()
    with house.rt.reading.begin() as session:
        assert quarantine.counts(session) == quarantine.EventCounts(waiting=0, put_aside=1)


def run(house: House, *words: str) -> str:
    env = {
        "DATABASE_URL": house.rt.settings.database_url,
        "STORAGE_URL": house.rt.settings.storage_url,
        "MAIL_URL": house.rt.settings.mail_url,
        "SECRET_KEY": SECRET,
    }
    done = CliRunner().invoke(cli, words, env=env)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_lists_what_was_put_aside_and_plays_it_again(house: House) -> None:
    put_aside(house)
    assert run(house, "events") == "0 wait to be handled, 1 are put aside.\n"
    listed = run(house, "events", "--quarantined")
    assert "ValueError" in listed
    assert "ada" not in listed
    mend(house)
    assert run(house, "events", "--replay") == (
        "1 put back to be handled.\n1 wait to be handled, 0 are put aside.\n"
    )
    house.work()
    assert make.person(house).state == PersonState.BOUNCED
