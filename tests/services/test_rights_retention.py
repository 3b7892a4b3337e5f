"""What is kept too long goes by itself, and not a day too early (C10, C37, C38)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from funnel.cli import cli
from funnel.content.retention import Retention
from funnel.db.desk import AuditEntry
from funnel.db.mail import Attempt, MailEvent, Message
from funnel.db.offers import Purchase
from funnel.db.people import Confirmation, ConsentEvent, KeptAnswers, Subscriber
from funnel.db.rights import DataRequest
from funnel.domain.sequence import Fact
from funnel.services import guides, mail_events, offers, people, staff
from funnel.services.reports import cohort, weeks
from funnel.services.rights import requests, retention
from funnel.services.rights.retention import Due
from funnel.services.work import drain
from tests.support import make
from tests.support.house import House
from tests.support.rows import add_staff

ADA, BEA = "ada@example.org", "bea@example.org"
DAY = timedelta(days=1)
YEAR = timedelta(days=366)
TWO_YEARS = timedelta(days=365 + 366)  # from November 2026 on: 2028 has a leap day
KEPT = Retention()


def count(house: House, table: type) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def names(house: House) -> set[str]:
    with house.rt.reading.begin() as session:
        return set(session.scalars(select(Subscriber.email)))


def due(house: House) -> dict[str, Due]:
    with house.rt.reading.begin() as session:
        return {each.rule.key: each for each in house.rt.rights.timers.due(session)}


def run(house: House) -> None:
    """Every timer, until nothing of it is over."""
    timers = house.rt.rights.timers
    for rule in timers.rules:
        drain(lambda rule=rule: timers.let_go(rule))  # type: ignore[misc]


def goes_after(house: House, key: str, span: timedelta, is_there: Callable[[], object]) -> None:
    """It is there up to the last hour of `span`, foretold by the dry run, and then it is gone."""
    house.clock.advance(span - timedelta(hours=1))
    assert due(house)[key].count == 0
    run(house)
    assert is_there()
    house.clock.advance(timedelta(hours=2))
    foretold = due(house)[key]
    assert foretold.count >= 1
    assert foretold.oldest is not None
    assert is_there(), "looking changes nothing"
    run(house)
    assert not is_there()
    assert due(house)[key].count == 0


def test_details_that_were_never_confirmed_go_after_seven_days(each_house: House) -> None:
    house = each_house
    make.confirmed(house, BEA)
    make.request(house)
    goes_after(house, "unconfirmed", timedelta(days=7), lambda: ADA in names(house))
    assert names(house) == {BEA}
    with house.rt.reading.begin() as session:
        stones = list(session.scalars(select(ConsentEvent).order_by(ConsentEvent.id.desc())))
    assert {e.subscriber_id for e in stones[:3]} == {None}


def test_whoever_asks_again_has_seven_days_more(house: House) -> None:
    make.request(house)
    house.clock.advance(6 * DAY)
    make.request(house)
    house.clock.advance(6 * DAY)
    run(house)
    assert names(house) == {ADA}
    house.clock.advance(2 * DAY)
    run(house)
    assert names(house) == set()


def test_a_confirm_link_that_is_still_open_always_finds_its_person(house: House) -> None:
    make.request(house)
    house.clock.advance(7 * DAY - timedelta(minutes=1))
    run(house)
    make.confirm(house)
    assert make.person(house).state == "confirmed"


def test_the_desk_still_counts_those_who_asked_and_never_confirmed(each_house: House) -> None:
    house = each_house
    make.confirmed(house, BEA)
    make.request(house)
    house.clock.advance(8 * DAY)

    def figures() -> tuple[object, ...]:
        with house.rt.reading.begin() as session:
            now = house.clock.now()
            report = cohort.funnel(session, now=now)
            (source,) = cohort.sources(session, now=now)
            week = weeks.week_counts(session, now=now)[Fact.REQUESTED]
            new = weeks.new_people(session, now=now)
        return report.asked, report.steps[0].rate, source, week, new

    before = figures()
    run(house)
    assert names(house) == {BEA}
    assert figures() == before
    assert before[0] == 2


def test_answers_go_with_the_days_people_agreed_to(house: House) -> None:
    make.confirmed(house, health=True)
    span = timedelta(days=house.rt.catalog.self_check.keep_days, minutes=-2)
    goes_after(house, "answers", span, lambda: count(house, KeptAnswers))


def test_what_the_provider_told_goes_after_thirty_days(each_house: House) -> None:
    house = each_house
    events = [{"sg_event_id": str(n), "event": "delivered", "timestamp": 1} for n in range(3)]
    with house.rt.sessions.begin() as session:
        mail_events.take_events(session, list(events), now=house.clock.now())
    goes_after(house, "raw-events", timedelta(days=30), lambda: count(house, MailEvent))


def test_single_tries_go_after_a_year_and_their_number_stays(each_house: House) -> None:
    house = each_house
    make.confirmed(house, series=False)
    tries = count(house, Attempt)
    assert tries == 2
    goes_after(house, "attempts", timedelta(days=365, minutes=2), lambda: count(house, Attempt))
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.sum(Message.attempt))) == tries


def test_a_mail_that_is_still_open_keeps_its_tries(house: House) -> None:
    make.confirmed(house, series=False)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(state="unknown"))
    house.clock.advance(YEAR + 30 * DAY)
    run(house)
    assert count(house, Attempt) == 2


def test_people_who_left_go_after_two_years_and_their_address_stays_left_alone(
    each_house: House,
) -> None:
    house = each_house
    make.confirmed(house, series=False)
    make.confirmed(house, BEA)
    make.unsubscribed(house, BEA)
    goes_after(house, "evidence", TWO_YEARS, lambda: BEA in names(house))
    with house.rt.reading.begin() as session:
        assert None in set(session.scalars(select(ConsentEvent.subscriber_id)))
    make.request(house, BEA)
    assert make.person(house, BEA).state == "pending"
    with house.rt.sessions.begin() as session:
        standing = people.standings(
            session, [make.person(house, BEA)], pepper=house.rt.links.pepper
        )
    assert [set(each.suppressions) for each in standing.values()] == [{"unsubscribed"}]


def test_whoever_left_and_still_uses_the_guide_stays(house: House) -> None:
    done = make.confirmed(house)
    make.unsubscribed(house)
    house.clock.advance(YEAR)
    with house.rt.sessions.begin() as session:
        guides.send_again(session, done.guide_handle, now=house.clock.now())
        guides.count_download(session, done.guide_handle, now=house.clock.now())
    house.clock.advance(YEAR)
    run(house)
    assert names(house) == {ADA}
    house.clock.advance(YEAR)
    run(house)
    assert names(house) == set()


def test_silent_people_without_a_series_go_and_those_with_one_are_only_counted(
    each_house: House,
) -> None:
    house = each_house
    make.confirmed(house, series=False)
    make.confirmed(house, BEA)
    house.clock.advance(2 * YEAR)
    assert due(house)["inactive"].count == 1
    run(house)
    assert names(house) == {BEA}
    with house.rt.reading.begin() as session:
        months = KEPT.inactive_months
        assert retention.silent_readers(session, months, now=house.clock.now()) == 1
        assert retention.silent_readers(session, 100, now=house.clock.now()) == 0


@pytest.mark.parametrize("sign", ["download", "join", "ask", "choose", "pay", "wait"])
def test_any_sign_of_life_counts(house: House, sign: str) -> None:
    done = make.confirmed(house, series=False)
    house.clock.advance(YEAR)
    now, whose = house.clock.now(), done.subscriber_handle
    with house.rt.sessions.begin() as session:
        match sign:
            case "download":
                guides.send_again(session, done.guide_handle, now=now)
                guides.count_download(session, done.guide_handle, now=now)
            case "ask":
                requests.ask_by_handle(session, whose, links=house.rt.links, now=now)
            case "pay":
                add_staff(session)
                offers.mark_paid(
                    session, make.person(house).id, "lower-back-programme", staff_id=1, now=now
                )
            case "wait":
                offers.join_waitlist(session, whose, "lower-back-programme", now=now)
    if sign == "join":
        make.join(house)
        make.choose(house, series=False, challenge=False)
        house.clock.advance(timedelta(seconds=1))
    if sign == "choose":
        make.choose(house, series=True)
        make.choose(house, series=False, challenge=True)
    with house.rt.sessions.begin() as session:  # whatever they agreed to, it is the sign we try
        session.execute(update(Subscriber).values(state="confirmed"))
    house.clock.advance(YEAR)
    before = due(house)
    assert (before["inactive"].count, before["evidence"].count) == (0, 0)
    run(house)
    assert names(house) == {ADA}


def test_the_record_of_the_desk_goes_after_two_years(each_house: House) -> None:
    with each_house.rt.sessions.begin() as session:
        staff.note(session, None, "looked", "person 1", now=each_house.clock.machine())
    house = each_house
    goes_after(house, "audit", TWO_YEARS, lambda: count(house, AuditEntry))


def test_what_was_paid_goes_after_six_years(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        add_staff(session)
        whose, now = make.person(house).id, house.clock.now()
        offers.mark_paid(session, whose, "lower-back-programme", staff_id=1, now=now)
    end = now.replace(year=now.year + KEPT.accounting_years)
    goes_after(house, "accounting", end - now, lambda: count(house, Purchase))


def test_links_to_ones_own_data_go_a_week_after_they_ran_out(house: House) -> None:
    done = make.confirmed(house)
    with house.rt.sessions.begin() as session:
        requests.ask_by_handle(
            session, done.subscriber_handle, links=house.rt.links, now=house.clock.now()
        )
    goes_after(house, "data-requests", timedelta(days=8), lambda: count(house, DataRequest))


def test_the_worker_does_it_every_hour_and_one_bad_rule_stops_no_other(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_now: datetime) -> None:
        raise ValueError

    make.request(house)
    house.clock.advance(8 * DAY)
    first, *others = house.rt.rights.timers.rules
    bad = replace(first, key="bad", due=fail)  # type: ignore[arg-type]
    timers = replace(house.rt.rights.timers, rules=(bad, first, *others))
    worker = replace(house.rt.worker, timers=timers)
    worker.tick()
    assert names(house) == set()
    assert "the next round comes" in caplog.text


def test_many_go_in_batches(house: House) -> None:
    events = [{"sg_event_id": str(n), "event": "delivered", "timestamp": 1} for n in range(25)]
    with house.rt.sessions.begin() as session:
        mail_events.take_events(session, list(events), now=house.clock.now())
    house.clock.advance(31 * DAY)
    timers = house.rt.rights.timers
    rule = replace(next(r for r in timers.rules if r.key == "raw-events"), at_once=10)
    went = []
    while timers.let_go(rule):
        went.append(count(house, MailEvent))
    assert went == [15, 5, 0]


def test_the_command_tells_what_would_go_and_lets_nothing_go(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.request(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Subscriber).values(created_at=house.clock.now() - YEAR))
        session.execute(update(Confirmation).values(created_at=house.clock.now() - YEAR))
    settings = house.rt.settings
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "MAIL_URL": settings.mail_url,
        "STORAGE_URL": settings.storage_url,
        "SECRET_KEY": settings.secret_keys[0],
        "BASE_URL": settings.base_url,
    }.items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(cli, ["retention"])
    assert answer.exit_code == 0, answer.output
    line = "1  Details that were never confirmed (kept 7 days), the oldest from 2025-11-22"
    assert line in answer.output
    assert names(house) == {ADA}
