"""What people put right about themselves: their name, and the clock they live by."""

from datetime import UTC, datetime, timedelta

import pytest

from funnel.domain.errors import LinkInvalid
from funnel.services import details
from funnel.services.details import PRINTS_A_DAY, NewPrint
from tests.support import make
from tests.support.house import House
from tests.support.steps import DRIP, drip_due

DAY = timedelta(days=1)


def rename(house: House, name: str | None, *, on_guide: bool = False) -> NewPrint:
    with house.rt.sessions.begin() as session:
        return details.change_name(
            session,
            make.person(house).public_id,
            name,
            on_guide=on_guide,
            now=house.clock.now(),
        )


def live_in(house: House, zone: str) -> None:
    with house.rt.sessions.begin() as session:
        details.change_zone(session, make.person(house).public_id, zone, now=house.clock.now())


def names_printed(house: House) -> list[object]:
    own = [each for each in house.press.documents if "first_name" in each]
    return [each["first_name"] for each in own if each["edition"] == "guide"]


def test_the_new_name_is_in_the_next_mail_and_the_guide_stays(house: House) -> None:
    make.confirmed(house, name="Ada")
    before = len(house.press.documents)
    assert rename(house, "Augusta") is NewPrint.NONE
    house.hop(DAY)
    assert "Hello Augusta," in house.mailer.accepted[-1].text
    assert len(house.press.documents) == before


def test_on_her_wish_the_guide_is_printed_with_it(each_house: House) -> None:
    house = each_house
    make.confirmed(house, name="Ada")
    assert rename(house, "Augusta", on_guide=True) is NewPrint.ANEW
    house.work()
    assert names_printed(house)[-1] == "Augusta"
    before = len(house.press.documents)
    assert rename(house, "Augusta", on_guide=True) is NewPrint.NONE, "it is on it already"
    house.work()
    assert len(house.press.documents) == before


def test_the_name_may_be_put_on_the_guide_later(house: House) -> None:
    make.confirmed(house, name=None)
    rename(house, "Augusta")
    assert rename(house, "Augusta", on_guide=True) is NewPrint.ANEW


def test_a_name_may_be_taken_away(house: House) -> None:
    make.confirmed(house, name="Ada")
    assert rename(house, None, on_guide=True) is NewPrint.ANEW
    house.work()
    assert names_printed(house)[-1] is None
    house.hop(DAY)
    assert "Ada" not in house.mailer.accepted[-1].text


def test_a_guide_is_printed_anew_a_few_times_a_day_and_the_name_is_kept_all_the_same(
    house: House,
) -> None:
    make.confirmed(house, name="Ada")
    made = [rename(house, f"Name {number}", on_guide=True) for number in range(PRINTS_A_DAY + 2)]
    assert made == [NewPrint.ANEW] * PRINTS_A_DAY + [NewPrint.TOMORROW] * 2
    assert make.person(house).first_name == f"Name {PRINTS_A_DAY + 1}"
    house.clock.advance(DAY)
    assert rename(house, "Augusta", on_guide=True) is NewPrint.ANEW


def test_a_mail_that_waits_follows_the_new_clock(each_house: House) -> None:
    house = each_house
    drip_due(house)  # 08:10 in London
    live_in(house, "America/New_York")
    house.work()
    assert house.mailer.offered == []
    house.hop(timedelta(hours=10))
    went = make.message(house, DRIP).accepted_at
    assert went == datetime(2026, 11, 24, 13, 10, tzinfo=UTC)


def test_living_where_one_lives_changes_nothing(house: House) -> None:
    make.confirmed(house)
    before = make.enrolment(house, "nurture")
    house.clock.advance(timedelta(hours=1))
    live_in(house, "Europe/London")
    after = make.enrolment(house, "nurture")
    assert (after.next_due_at, after.why) == (before.next_due_at, before.why)


def test_whoever_never_confirmed_puts_nothing_right(house: House) -> None:
    make.request(house)
    with pytest.raises(LinkInvalid):
        rename(house, "Mallory")
    with pytest.raises(LinkInvalid):
        live_in(house, "Asia/Tokyo")
