"""The shipped series is edited in the middle of a run: what was told is what then happens."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from funnel.content.shipped import ShippedText
from funnel.domain.delivery import MessageState
from funnel.services import texts
from funnel.services.impact import Impact
from tests.support import make
from tests.support.editing import Kind, publish
from tests.support.house import House, open_house

DAY = timedelta(days=1)
FIVE = ["a@example.org", "b@example.org", "c@example.org", "d@example.org", "e@example.org"]
EXTRA = '  - key: extra\n    after: 1 day\n    at: "08:10"\n'
TOLD = (
    (
        "“Two minutes for people who sit” is taken out: 2 people who had it to come will not get "
        "it. 1 of them stood right before it: D; they go on with “Now for the quiet ones”."
    ),
    (
        "“Extra Good questions about the five days” is new: 1 person not there yet get it, "
        "4 past it will not: A, B, C and 1 more."
    ),
    (
        "“Five days, one small task a day” stands in another place: "
        "1 person who had it to come will not get it: A."
    ),
    (
        "“Two things that feel alike” stands in another place, "
        "and all who had it to come still get it."
    ),
    (
        "“Two weeks on: three things to notice” has another time. "
        "Nobody stands right before it, so no mail moves yet."
    ),
    (
        "“Good questions about the five days” has new words: "
        "5 people who have not had it get them; nobody had the old."
    ),
)
Source = tuple[Kind, str, str]


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


def source(house: House, kind: Kind, key: str) -> str:
    with house.rt.reading.begin() as session:
        return texts.require(session, kind, key).source


def step(plan: str, key: str) -> str:
    """The lines of one step in the plan."""
    start = plan.index(f"  - key: {key}")
    end = plan.find("  - key: ", start + 1)
    return plan[start:] if end < 0 else plan[start:end]


def edited(plan: str) -> str:
    """One step put in, one taken out, two in another order, and one delay changed."""
    changed = plan.replace(step(plan, "desk-reset"), "")
    swapped = step(plan, "five-days") + step(plan, "two-paths")
    changed = changed.replace(step(plan, "two-paths") + step(plan, "five-days"), swapped)
    changed = changed.replace(step(plan, "why-hips"), EXTRA + step(plan, "why-hips"))
    last = step(plan, "what-next")
    return changed.replace(last, last.replace("3 days", "5 days"))


def preview(house: House, *wanted: Source) -> Impact:
    new = [ShippedText(kind, key, text, key) for kind, key, text in wanted]
    with house.rt.reading.begin() as session:
        return house.rt.editor.preview(session, new, now=house.clock.now())


def got(house: House, email: str) -> list[str]:
    return [
        each.mail_key.partition("/")[2]
        for each in make.messages(house, email)
        if each.mail_key.startswith("nurture/") and each.state == MessageState.ACCEPTED
    ]


def test_the_shipped_series_is_edited_in_the_middle_of_a_run(house: House) -> None:
    for email in FIVE:
        make.confirmed(house, email, name=email[0].upper())
        house.hop(2 * DAY)
    before = {email: got(house, email) for email in FIVE}
    assert [len(each) for each in before.values()] == [5, 4, 3, 2, 1]
    plan = edited(source(house, "sequence", "nurture"))
    words = source(house, "mail", "nurture/good-questions")
    wanted: list[Source] = [
        ("sequence", "nurture", plan),
        ("mail", "nurture/extra", words.replace("subject: ", "subject: Extra ", 1)),
        ("mail", "nurture/good-questions", words.replace("\n\n", "\n\nA better beginning.\n\n", 1)),
    ]
    told = preview(house, *wanted)
    assert told.sentences == TOLD
    publish(house, *wanted, include_past=["nurture/extra"])
    house.hop(40 * DAY)
    rest = ["five-days", "two-paths", "good-questions", "what-next"]
    after = {email[0]: got(house, email)[len(before[email]) :] for email in FIVE}
    assert after == {
        "a": ["extra", "good-questions", "what-next"],
        "b": ["extra", *rest],
        "c": ["extra", "wake-up", *rest],
        "d": ["extra", "wake-up", *rest],
        "e": ["extra", "why-hips", "wake-up", *rest],
    }
    letters = [mail for mail in house.mailer.accepted if "A better beginning." in mail.text]
    assert len(letters) == len(FIVE)
