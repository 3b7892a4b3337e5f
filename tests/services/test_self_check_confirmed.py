"""Answers of the self-check and the confirm link: whoever opens the mailbox decides."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel.db.people import KeptAnswers
from funnel.domain.guides import GUIDE_LINK_LIFE
from tests.support import make
from tests.support.answers import confirm_mails, kept, press, shown, told_lines, waiting
from tests.support.house import House
from tests.support.prints import personal, press_button, ready_mails, view

DAY = timedelta(days=1)


@pytest.fixture
def answers(house: House) -> dict[str, str]:
    return make.some_answers(house)


def test_somebody_confirmed_minutes_ago_still_gets_the_mail_for_her_answers(
    house: House, answers: dict[str, str]
) -> None:
    make.confirmed(house, series=False)
    house.clock.advance(timedelta(minutes=10))
    make.request(house, series=False, health=True, answers=answers)
    house.work()
    assert confirm_mails(house) == 2
    make.confirm(house)
    house.work()
    assert personal(house)[-1]["told"] == told_lines(house, answers)


def test_whoever_may_get_no_more_confirm_mails_gets_the_way_to_her_guide(
    house: House, answers: dict[str, str]
) -> None:
    make.confirmed(house, series=False)
    for _ in range(3):
        house.clock.advance(timedelta(minutes=10))
        make.request(house, series=False, health=True, answers=answers)
        house.work()
    assert confirm_mails(house) == 2
    assert ready_mails(house) == 2


def test_the_only_mail_of_the_day_leads_to_the_newest_answers(
    house: House, answers: dict[str, str]
) -> None:
    make.request(house, series=False)
    house.work()
    link = make.newest_confirmation(house)
    for place in (1, 0):
        house.clock.advance(timedelta(minutes=5))
        make.request(house, series=False, health=True, answers=make.some_answers(house, place))
        house.work()
    assert confirm_mails(house) == 1
    assert shown(house, link) == told_lines(house, answers)
    press(house, link)
    assert personal(house)[-1]["told"] == told_lines(house, answers)
    assert waiting(house) == 0


def test_a_strangers_answers_are_shown_before_they_are_kept_and_can_be_refused(
    house: House, answers: dict[str, str]
) -> None:
    make.request(house, health=True, answers=answers, name="Mallory", ip_key="stranger")
    house.work()
    link = make.newest_confirmation(house)
    assert shown(house, link) == told_lines(house, answers)
    press(house, link, with_answers=False)
    assert kept(house) == 0
    assert waiting(house) == 0
    assert "health" not in [row.purpose for row in make.person(house).consents]
    assert "pattern" not in personal(house)[-1]


def test_an_older_link_does_not_bring_older_answers_back(
    house: House, answers: dict[str, str]
) -> None:
    make.confirmed(house, series=False)
    links = []
    for place in (1, 0):
        house.clock.advance(2 * DAY)
        make.request(house, series=False, health=True, answers=make.some_answers(house, place))
        links.append(make.newest_confirmation(house))
    press(house, links[1])
    assert shown(house, links[0]) == []
    press(house, links[0])
    assert personal(house)[-1]["told"] == told_lines(house, answers)


def test_the_days_are_counted_from_the_answers(house: House, answers: dict[str, str]) -> None:
    make.request(house, health=True, answers=answers)
    house.work()
    given = house.clock.now()
    house.clock.advance(6 * DAY)
    make.confirm(house)
    with house.rt.reading.begin() as session:
        row = session.scalars(select(KeptAnswers)).one()
    assert row.delete_at == given + timedelta(days=house.rt.catalog.self_check.keep_days)


def test_confirming_new_answers_after_a_month_renews_the_link(
    house: House, answers: dict[str, str]
) -> None:
    handle = make.confirmed(house, series=False).guide_handle
    house.clock.advance(GUIDE_LINK_LIFE)
    assert view(house, handle).is_expired
    make.request(house, series=False, health=True, answers=answers)
    house.work()
    make.confirm(house)
    assert not view(house, handle).is_expired
    house.work()
    assert press_button(house, handle)
    assert ready_mails(house) == 2
