"""The nightly look at the provider's lists: the second way to hear of bounces and complaints."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from funnel.adapters.sendgrid_lists import PAGE
from funnel.db.mail import MailEvent, Message
from funnel.db.people import Subscriber, Suppression
from funnel.domain.delivery import EventKind
from funnel.domain.mail_account import ListName
from funnel.domain.people import PersonState, fingerprint
from funnel.domain.ports import MailClass
from funnel.services import brake, control, list_pull, proof
from funnel.services.list_pull import ListPull, Progress
from funnel.services.proof import SENTENCE
from tests.support import make
from tests.support.events import about, tell
from tests.support.fake_sendgrid import BROKEN, THROTTLED
from tests.support.front_door import copy_database
from tests.support.house import House
from tests.support.live import Live, open_live
from tests.support.steps import CONFIRM

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOUNCES, INVALID = ListName.BOUNCES, ListName.INVALID_EMAILS
SPAM, UNSUBSCRIBES = ListName.SPAM_REPORTS, ListName.UNSUBSCRIBES


@pytest.fixture
def live(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Live]:
    with open_live(copy_database(prepared_sqlite, tmp_path), tmp_path) as opened:
        opened.set_up()
        yield opened


@pytest.fixture
def each_live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with open_live(database_url, tmp_path) as opened:
        opened.set_up()
        yield opened


def next_night(live: Live) -> None:
    """Work in the morning of the next day, at three."""
    clock = live.house.clock
    clock.move_to((clock.now() + DAY).replace(hour=3, minute=0))
    live.house.work()
    live.house.work()


def pull_of(live: Live) -> ListPull:
    errands = live.house.rt.worker.errands
    assert errands is not None
    assert errands.pull is not None
    return errands.pull


def list_it(live: Live, name: ListName, *addresses: str, ago: timedelta = HOUR) -> None:
    """Put addresses on one of SendGrid's lists."""
    stamp = int((live.house.clock.machine() - ago).timestamp())
    live.sendgrid.account.lists.setdefault(name, []).extend((each, stamp) for each in addresses)


def pulls(live: Live) -> int:
    """How often the first page of the first list was asked for."""
    asked = live.sendgrid.account.asked
    return sum("/suppression/bounces" in each and "offset=0" in each for each in asked)


def progress(live: Live) -> Progress:
    with live.house.rt.reading.begin() as session:
        return list_pull.progress(session)


def reasons(house: House, email: str) -> set[str]:
    mark = fingerprint(email, house.rt.links.pepper)
    with house.rt.reading.begin() as session:
        query = select(Suppression.reason).where(Suppression.address_hash == mark)
        return set(session.scalars(query))


def test_h7_with_the_webhook_down_for_a_whole_run_the_lists_alone_suppress(
    each_live: Live,
) -> None:
    live, house = each_live, each_live.house
    cast = {
        "ada@example.org": (BOUNCES, PersonState.BOUNCED),
        "ben@example.org": (INVALID, PersonState.BOUNCED),
        "cleo@example.org": (SPAM, PersonState.COMPLAINED),
        "dan@example.org": (UNSUBSCRIBES, PersonState.UNSUBSCRIBED),
        "eve@example.org": (None, PersonState.CONFIRMED),
    }
    for email in cast:
        make.confirmed(house, email)
    for email, (name, _) in cast.items():
        if name is not None:
            list_it(live, name, email.upper() if name is SPAM else email)
    next_night(live)
    assert {email: make.person(house, email).state for email in cast} == {
        email: state for email, (_, state) in cast.items()
    }
    house.mailer.offered.clear()
    house.hop(3 * DAY)
    assert {mail.to_address for mail in house.mailer.offered} == {"eve@example.org"}
    with house.rt.reading.begin() as session:
        posted = select(func.count()).where(MailEvent.id.not_like("list-%"))
        assert session.scalar(posted) == 0


def test_what_a_list_tells_counts_for_the_brake(live: Live) -> None:
    house = live.house
    readers = [f"reader{number}@example.org" for number in range(3)]
    for email in readers:
        make.confirmed(house, email)
    house.hop(2 * DAY)
    list_it(live, SPAM, *readers)
    next_night(live)
    house.clock.advance(timedelta(minutes=1))
    house.work()
    with house.rt.reading.begin() as session:
        told = session.scalars(
            select(Message.mail_class).where(Message.delivery == EventKind.COMPLAINED)
        ).all()
        assert told == [MailClass.DRIP] * 3, "the last mail that had gone by then"
        assert control.sending_state(session).braked is not None


def test_what_the_webhook_told_already_does_not_count_twice(each_live: Live) -> None:
    live, house = each_live, each_live.house
    make.confirmed(house)
    house.hop(2 * DAY)
    first = make.message(house, CONFIRM)
    tell(house, about(first, "spamreport"))
    list_it(live, SPAM, "ada@example.org")
    next_night(live)
    with house.rt.reading.begin() as session:
        told = session.scalars(select(Message.id).where(Message.delivery == EventKind.COMPLAINED))
        assert list(told) == [first.id]
        listed = select(MailEvent.message_id).where(MailEvent.id.like("list-%"))
        assert session.scalars(listed).all() == [first.id]
        assert brake.tally(session).reports == 1
    assert reasons(house, "ada@example.org") == {"complained"}


def test_it_is_looked_at_once_a_night_by_one_worker(live: Live) -> None:
    house = live.house
    house.work()
    assert pulls(live) == 1, "at once on the first day"
    for nights in (2, 3, 4):
        next_night(live)
        for _ in range(3):
            house.clock.advance(HOUR)
            house.work()
        assert pulls(live) == nights


def test_the_night_begins_at_two_and_a_night_missed_is_made_up_for(live: Live) -> None:
    house, pull = live.house, pull_of(live)
    pull.pull()

    def is_due() -> bool:
        with house.rt.reading.begin() as session:
            return pull.is_due(session)

    assert not is_due()
    house.clock.move_to(house.clock.now().replace(hour=1, minute=59) + DAY)
    assert not is_due()
    house.clock.advance(timedelta(minutes=1))
    assert is_due()
    house.clock.advance(5 * DAY)
    assert is_due()
    pull.pull()
    assert not is_due()


def test_a_look_repeated_changes_nothing(each_live: Live) -> None:
    live, house = each_live, each_live.house
    make.confirmed(house)
    list_it(live, BOUNCES, "ada@example.org", "stranger@example.org")
    for _ in range(3):
        pull_of(live).pull()
        house.work()
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.count()).select_from(MailEvent)) == 1
    assert reasons(house, "ada@example.org") == {"bounced"}
    assert reasons(house, "stranger@example.org") == {"bounced"}


def test_of_a_stranger_nothing_but_the_hash_is_kept(live: Live) -> None:
    house = live.house
    list_it(live, SPAM, "Stranger@Example.org")
    pull_of(live).pull()
    assert reasons(house, "stranger@example.org") == {"complained"}
    with house.rt.reading.begin() as session:
        assert session.scalars(select(MailEvent)).all() == []
        assert session.scalars(select(Subscriber)).all() == []


def test_blocks_are_not_read_for_they_are_no_reason_to_stop(live: Live) -> None:
    live.sendgrid.account.lists["blocks"] = [("ada@example.org", 1_795_428_000)]
    pull_of(live).pull()
    assert not [each for each in live.sendgrid.account.asked if "blocks" in each]


@pytest.mark.parametrize("fault", [THROTTLED, BROKEN], ids=["429", "503"])
def test_a_look_that_was_broken_off_goes_on_from_where_it_was(live: Live, fault: object) -> None:
    house, pull = live.house, pull_of(live)
    readers = [f"reader{number}@example.org" for number in range(PAGE + 5)]
    list_it(live, BOUNCES, *readers)
    live.sendgrid.account_faults.extend([None, fault])  # type: ignore[list-item]
    broken_off = pull.pull()
    assert (broken_off.is_under_way, broken_off.offset, broken_off.seen) == (True, PAGE, PAGE)
    assert broken_off.why is not None
    assert reasons(house, readers[0]) == {"bounced"}
    asked = len(live.sendgrid.account.asked)
    done = pull.pull()
    assert (done.is_under_way, done.seen, done.why) == (False, PAGE + 5, None)
    assert f"offset={PAGE}" in live.sendgrid.account.asked[asked]
    assert reasons(house, readers[-1]) == {"bounced"}
    assert done.done_until == broken_off.until, "what was listed meanwhile is read next night"


def test_a_broken_look_is_tried_again_within_the_hour_and_the_mail_goes_on(live: Live) -> None:
    house = live.house
    house.work()
    live.sendgrid.account_faults.extend([BROKEN] * 4)
    house.clock.advance(DAY)
    make.request(house)
    house.work()
    assert progress(live).is_under_way
    assert len(house.mailer.accepted) == 1
    house.clock.advance(HOUR)
    house.work()
    assert not progress(live).is_under_way


def test_a_list_that_may_not_be_read_keeps_no_other_from_being_read(live: Live) -> None:
    house = live.house
    live.sendgrid.account.forbidden.add("/v3/suppression/bounces")
    make.confirmed(house)
    list_it(live, SPAM, "ada@example.org")
    done = pull_of(live).pull()
    house.work()
    assert done.refused == (BOUNCES,)
    assert make.person(house).state == PersonState.COMPLAINED


def test_only_what_is_new_is_read_and_a_little_before_it(live: Live) -> None:
    house, pull = live.house, pull_of(live)
    list_it(live, BOUNCES, "old@example.org", ago=400 * DAY)
    first = pull.pull()
    assert (first.since, first.seen) == (None, 1)
    house.clock.advance(DAY)
    list_it(live, BOUNCES, "new@example.org")
    second = pull.pull()
    assert first.until is not None
    assert second.since == first.until - list_pull.OVERLAP
    assert second.seen == 1


def test_an_address_that_cannot_be_one_is_passed_over(live: Live) -> None:
    list_it(live, BOUNCES, "nobody", "a\u202eb@x.org", "a@[127.0.0.1]", "", "ada@example.org")
    assert pull_of(live).pull().seen == 5
    assert reasons(live.house, "ada@example.org") == {"bounced"}


def test_whoever_was_listed_while_mail_was_let_go_anyway_is_left_alone_too(live: Live) -> None:
    house = live.house
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        proof.send_anyway(session, SENTENCE, by="Dr Reyes", now=house.clock.machine())
    list_it(live, UNSUBSCRIBES, "ada@example.org")
    pull_of(live).pull()
    house.hop(10 * DAY)
    assert [mail.mail_class for mail in house.mailer.accepted if mail.mail_class == "drip"] == []
