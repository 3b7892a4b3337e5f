"""Whole lives on a moved clock: what came, in which order, at which local hour."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import OPEN_STATES
from funnel.domain.enrolment import EnrolmentState
from funnel.services import challenge
from tests.support import make
from tests.support.house import House, open_house

DAY = timedelta(days=1)
LONDON = ZoneInfo("Europe/London")

CONFIRM = "Please confirm your email"
GUIDE = "Your guide is ready"
NURTURE = [
    "nurture/one-technique",
    "nurture/why-hips",
    "nurture/desk-reset",
    "nurture/wake-up",
    "nurture/two-paths",
    "nurture/five-days",
    "nurture/good-questions",
    "nurture/what-next",
]


def diary(house: House, email: str = "ada@example.org", zone: ZoneInfo = LONDON) -> list[str]:
    """Each mail that was accepted: local time and name."""
    sent = sorted(
        (message.accepted_at, message.mail_key)
        for message in make.messages(house, email)
        if message.accepted_at is not None
    )
    return [f"{at.astimezone(zone):%a %d %b %H:%M} {mail_key}" for at, mail_key in sent]


def nothing_is_left(house: House) -> bool:
    with house.rt.reading.begin() as session:
        states = set(session.scalars(select(Message.state)))
    return not states & OPEN_STATES


def tick_off(house: House, *days: int) -> None:
    for day in days:
        with house.rt.sessions.begin() as session:
            challenge.mark_day(
                session,
                make.person(house).public_id,
                day,
                is_done=True,
                challenge=house.rt.catalog.challenge,
                now=house.clock.now(),
            )


def test_ada_lives_forty_five_days_over_the_october_clock_change(
    database_url: str, tmp_path: Path
) -> None:
    start = datetime(2026, 10, 12, 17, 30, tzinfo=UTC)
    with open_house(database_url, tmp_path, start=start) as house:
        make.confirmed(house)
        house.hop(13 * DAY)
        make.join(house)
        house.hop(timedelta(days=4, hours=8))
        tick_off(house, 1, 2, 3, 4, 5)
        house.hop(45 * DAY - (house.clock.now() - start))
        assert diary(house) == [
            "Mon 12 Oct 18:30 service/confirm",
            "Mon 12 Oct 18:32 service/guide_ready",
            "Tue 13 Oct 08:10 nurture/one-technique",
            "Thu 15 Oct 08:10 nurture/why-hips",
            "Sat 17 Oct 08:10 nurture/desk-reset",
            "Mon 19 Oct 08:10 nurture/wake-up",
            "Wed 21 Oct 08:10 nurture/two-paths",
            "Fri 23 Oct 08:10 nurture/five-days",
            "Sun 25 Oct 08:10 nurture/good-questions",  # the clocks went back in this night
            "Sun 25 Oct 17:32 challenge/day-1",
            "Mon 26 Oct 07:30 challenge/day-2",
            "Tue 27 Oct 07:30 challenge/day-3",
            "Wed 28 Oct 07:30 challenge/day-4",
            "Thu 29 Oct 07:30 challenge/day-5",
            "Fri 30 Oct 08:10 programme/keep-going",
            "Mon 02 Nov 08:10 programme/deeper",
            "Thu 05 Nov 08:10 programme/your-choice",
        ]
        assert nothing_is_left(house)
        assert {email.to_address for email in house.mailer.accepted} == {"ada@example.org"}


@pytest.mark.parametrize(
    ("zone", "start", "dates"),
    [
        (
            "Europe/London",
            datetime(2026, 12, 30, 10, 0, tzinfo=UTC),
            ["31 Dec", "02 Jan", "04 Jan", "06 Jan", "08 Jan", "10 Jan", "12 Jan", "15 Jan"],
        ),
        (
            "America/New_York",
            datetime(2026, 12, 31, 4, 0, tzinfo=UTC),  # still the thirtieth there
            ["31 Dec", "02 Jan", "04 Jan", "06 Jan", "08 Jan", "10 Jan", "12 Jan", "15 Jan"],
        ),
        (
            "Pacific/Auckland",
            datetime(2026, 12, 30, 12, 0, tzinfo=UTC),  # already the thirty-first there
            ["01 Jan", "03 Jan", "05 Jan", "07 Jan", "09 Jan", "11 Jan", "13 Jan", "16 Jan"],
        ),
        (
            "Europe/London",
            datetime(2027, 3, 27, 12, 0, tzinfo=UTC),  # the clocks go forward on the 28th
            ["28 Mar", "30 Mar", "01 Apr", "03 Apr", "05 Apr", "07 Apr", "09 Apr", "12 Apr"],
        ),
        (
            "Europe/London",
            datetime(2028, 2, 27, 12, 0, tzinfo=UTC),  # a leap year
            ["28 Feb", "01 Mar", "03 Mar", "05 Mar", "07 Mar", "09 Mar", "11 Mar", "14 Mar"],
        ),
    ],
)
def test_the_series_keeps_the_readers_own_morning(
    tmp_path: Path, zone: str, start: datetime, dates: list[str]
) -> None:
    with open_house(f"sqlite:///{tmp_path}/funnel.db", tmp_path, start=start) as house:
        make.confirmed(house, zone=zone)
        house.hop(30 * DAY)
        times = [line[4:] for line in diary(house, zone=ZoneInfo(zone))[2:]]
        assert times == [f"{date} 08:10 {key}" for date, key in zip(dates, NURTURE, strict=True)]
        assert make.enrolment(house, "nurture").state == EnrolmentState.FINISHED


def test_ben_never_confirms_and_gets_one_mail_only(database_url: str, tmp_path: Path) -> None:
    with open_house(database_url, tmp_path) as house:
        make.request(house, "ben@example.org", name="Ben")
        house.hop(45 * DAY)
        assert [email.subject for email in house.mailer.accepted] == [CONFIRM]
        with house.rt.reading.begin() as session:  # and his details went after seven days
            assert session.scalars(select(Subscriber)).all() == []


def test_cleo_leaves_midway_and_nothing_follows(database_url: str, tmp_path: Path) -> None:
    with open_house(database_url, tmp_path) as house:
        make.confirmed(house, "cleo@example.org", name="Cleo")
        house.hop(5 * DAY)
        make.unsubscribed(house, "cleo@example.org")
        house.hop(40 * DAY)
        assert [line.split()[-1] for line in diary(house, "cleo@example.org")] == [
            "service/confirm",
            "service/guide_ready",
            *NURTURE[:3],
        ]
        assert nothing_is_left(house)


def test_an_outage_of_three_days_slides_the_rest_and_never_bursts(
    database_url: str, tmp_path: Path
) -> None:
    with open_house(database_url, tmp_path) as house:
        for name in ("ada", "ben"):
            make.confirmed(house, f"{name}@example.org")
        house.hop(timedelta(days=2, hours=12))
        house.clock.move_to(datetime(2026, 11, 29, 3, 0, tzinfo=UTC))  # back in the night
        house.hop(20 * DAY)
        moments = [line[:16] for line in diary(house)[2:]]
        # Due since Thursday: it waits for the morning, and goes within half an hour of eight.
        assert "Sun 29 Nov 08:00" <= moments.pop(1) <= "Sun 29 Nov 08:30"
        assert moments == [
            "Tue 24 Nov 08:10",
            "Tue 01 Dec 08:10",
            "Thu 03 Dec 08:10",
            "Sat 05 Dec 08:10",
            "Mon 07 Dec 08:10",
            "Wed 09 Dec 08:10",
            "Sat 12 Dec 08:10",
        ]
        for name in ("ada", "ben"):
            sent = [m.accepted_at for m in make.messages(house, f"{name}@example.org")[2:]]
            assert all(b - a >= timedelta(hours=20) for a, b in pairwise(filter(None, sent)))


def test_everybody_lives_at_once_and_nobody_gets_anothers_mail(tmp_path: Path) -> None:
    with open_house(f"sqlite:///{tmp_path}/funnel.db", tmp_path) as house:
        make.confirmed(house)
        make.request(house, "ben@example.org", name="Ben")
        make.confirmed(house, "cleo@example.org", name="Cleo")
        house.hop(3 * DAY)
        make.unsubscribed(house, "cleo@example.org")
        make.join(house)
        house.hop(20 * DAY)
        assert len(house.mailer.to("ada@example.org")) == 2 + 2 + 5 + 3
        assert len(house.mailer.to("ben@example.org")) == 1
        assert len(house.mailer.to("cleo@example.org")) == 2 + 2
        for email in house.mailer.accepted:
            others = {"Ada", "Ben", "Cleo"} - {email.to_address.partition("@")[0].title()}
            assert not any(f"Hello {name}" in email.text for name in others)


def test_a_guide_alone_brings_two_mails_in_forty_five_days(tmp_path: Path) -> None:
    with open_house(f"sqlite:///{tmp_path}/funnel.db", tmp_path) as house:
        make.confirmed(house, series=False)
        house.hop(45 * DAY)
        assert [email.subject for email in house.mailer.accepted] == [CONFIRM, GUIDE]
