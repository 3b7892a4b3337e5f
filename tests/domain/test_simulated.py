"""Invented people: the same for the same seed, and never ahead of what happened to them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.people import parse_address, parse_name
from funnel.domain.sequence import Fact
from funnel.domain.simulated import (
    CONFIRM_MAIL,
    GUIDE_MAIL,
    Act,
    ActKind,
    Persona,
    Plan,
    next_act,
    persona,
)

PLAN = Plan(seed=1, visitors=400, days=45, first_day=date(2026, 10, 5))
ARRIVAL = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def _people(count: int, plan: Plan = PLAN) -> list[Persona]:
    return list(islice(plan.people(), count))


def _who_would(kind: ActKind) -> Persona:
    return next(each for each in PLAN.people() if kind in {want.kind for want in each.intents})


def _life(person: Persona, answer_after: timedelta = timedelta(minutes=1)) -> list[Act]:
    """All that a person does when every mail is accepted as soon as it can be."""
    seen: dict[str, datetime] = {}
    acts = []
    while act := next_act(person, seen):
        acts.append(act)
        want = next(w for w in person.intents if w.kind is act.kind and w.day == act.day)
        seen[want.done] = act.at
        mails = [trigger for w in person.intents for trigger in w.triggers if "/" in trigger]
        seen |= {mail: act.at + answer_after for mail in mails if mail not in seen}
    return acts


def test_the_same_seed_and_number_give_the_same_person() -> None:
    assert _people(300) == _people(300)


def test_another_seed_gives_other_people() -> None:
    other = Plan(2, PLAN.visitors, PLAN.days, PLAN.first_day)
    assert _people(50) != _people(50, other)


def test_a_restart_meets_the_same_people_in_the_same_order() -> None:
    everyone = _people(200)
    for after in (0, 1, 57, 199):
        assert list(islice(PLAN.people(after), 200 - after)) == everyone[after:]


def test_the_planned_visitors_come_within_the_planned_days() -> None:
    everyone = _people(401)
    assert everyone[0].arrives_at >= PLAN.starts_at()
    assert everyone[399].arrives_at < PLAN.ends_at() <= everyone[400].arrives_at


def test_people_come_in_the_order_of_their_numbers_by_day_and_not_by_night() -> None:
    everyone = _people(400)
    arrivals = [each.arrives_at for each in everyone]
    assert arrivals == sorted(arrivals)
    assert [each.number for each in everyone] == list(range(1, 401))
    assert all(5 <= arrival.hour < 24 for arrival in arrivals)


def test_fewer_come_at_weekends() -> None:
    plan = Plan(1, 7_000, 70, date(2026, 10, 5))
    days = Counter(each.arrives_at.weekday() for each in _people(7_000, plan))
    assert days[5] < days[2]
    assert days[6] < days[2]


def test_every_name_and_address_is_one_that_the_form_takes() -> None:
    for each in _people(400):
        assert parse_address(each.address).key == each.address
        assert each.first_name is None or parse_name(each.first_name) == each.first_name


def test_names_are_of_many_kinds() -> None:
    names = {each.first_name for each in _people(400)}
    assert None in names
    assert any(name and not name.isascii() for name in names)
    assert any(name and len(name) > 40 for name in names)


def test_about_as_many_ask_as_ask_a_practice_known_to_them() -> None:
    asked = sum(bool(each.intents) for each in _people(5_000))
    assert 0.25 < asked / 5_000 < 0.31


def test_someone_who_only_looks_never_acts() -> None:
    looker = next(each for each in PLAN.people() if not each.intents)
    assert next_act(looker, {}) is None


def test_nobody_acts_before_coming() -> None:
    for each in _people(400):
        act = next_act(each, {})
        assert act is None or (act.kind is ActKind.REQUEST and act.at > each.arrives_at)


def test_nobody_confirms_before_the_mail_was_accepted() -> None:
    person = _who_would(ActKind.CONFIRM)
    asked = {Fact.REQUESTED.value: person.arrives_at}
    accepted_at = person.arrives_at + 2 * DAY
    assert next_act(person, asked) is None
    act = next_act(person, {**asked, CONFIRM_MAIL: accepted_at})
    assert act is not None
    assert act.kind is ActKind.CONFIRM
    assert act.at > accepted_at


def test_nobody_opens_a_guide_whose_mail_was_not_accepted() -> None:
    person = _who_would(ActKind.DOWNLOAD)
    opens = next(want for want in person.intents if want.kind is ActKind.DOWNLOAD)
    reader = replace(person, intents=(opens,))
    seen = {Fact.CONFIRMED.value: ARRIVAL}
    accepted_at = person.arrives_at + 20 * DAY
    assert next_act(reader, seen) is None
    act = next_act(reader, {**seen, GUIDE_MAIL: accepted_at})
    assert act == Act(ActKind.DOWNLOAD, accepted_at + opens.after)


def test_what_is_done_is_not_done_again() -> None:
    for each in _people(400):
        acts = [(act.kind, act.day) for act in _life(each)]
        assert len(acts) == len(set(acts))


def test_someone_who_unsubscribed_does_nothing_more() -> None:
    for each in _people(400):
        assert next_act(each, {Fact.UNSUBSCRIBED.value: ARRIVAL, CONFIRM_MAIL: ARRIVAL}) is None


def test_a_day_is_ticked_only_after_the_day_before() -> None:
    for each in _people(1_500):
        ticks = [act for act in _life(each) if act.kind is ActKind.TICK]
        assert [act.day for act in ticks] == list(range(1, len(ticks) + 1))
        assert [act.at for act in ticks] == sorted(act.at for act in ticks)


@given(seed=st.integers(), number=st.integers(1, 10**6), wait=st.integers(1, 10**6))
def test_acts_follow_each_other_and_what_set_them_off(seed: int, number: int, wait: int) -> None:
    person = persona(seed, number, ARRIVAL)
    acts = _life(person, timedelta(seconds=wait))
    assert all(act.at > ARRIVAL for act in acts)
    assert [act.at for act in acts] == sorted(act.at for act in acts)
    assert not acts or acts[0].kind is ActKind.REQUEST
