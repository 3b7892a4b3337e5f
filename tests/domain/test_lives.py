"""Any person in any sequence, however time jumps and the sequence is edited: what always holds."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from funnel.domain.decision import next_step, upcoming
from funnel.domain.people import Purpose
from funnel.domain.schedule import due_after, zone_of
from funnel.domain.sequence import Fact, House, Place, Send, Sequence, Skip, Step, Wait
from funnel.domain.versions import with_history
from tests.support.sequences import (
    FIRST,
    ZONES,
    Life,
    at_start,
    houses,
    instants,
    places,
    sequences,
    series,
    spans,
    steps_of,
)

A_WEEK = timedelta(days=7)
KEYS = [f"step-{number}" for number in range(6)]


@given(sequence=sequences(), place=places(), passed=spans, data=st.data())
def test_every_decision_has_a_reason_and_a_wait_lies_ahead(
    sequence: Sequence, place: Place, passed: timedelta, data: st.DataObject
) -> None:
    now = place.anchor_at + passed
    house = data.draw(houses(around=now))
    decision = next_step(sequence, place, now, house)
    assert decision.why.endswith(".")
    assert decision.why[0].isupper()
    if isinstance(decision, Wait):
        assert now < decision.until < now + timedelta(days=60)


@given(sequence=sequences(), place=places(), passed=spans, data=st.data())
def test_a_mail_goes_only_when_everything_allows_it(
    sequence: Sequence, place: Place, passed: timedelta, data: st.DataObject
) -> None:
    now = place.anchor_at + passed
    house = data.draw(houses(around=now))
    decision = next_step(sequence, place, now, house)
    if isinstance(decision, Send):
        judge(sequence, place, decision, now, house)


def judge(sequence: Sequence, place: Place, sent: Send, now: datetime, house: House) -> None:
    """Every rule that a mail must keep, each told in its own way."""
    step = sent.step
    goals = place.facts if place.goals is None else place.goals
    assert not sequence.exits_on & goals
    assert place.refusal is None
    assert step.key not in place.had
    assert not step.ways
    assert sent.mail == step.key + (f".{sent.variant}" if sent.variant else "")
    assert not step.skip_if & place.facts
    assert place.paused_until is None or now >= place.paused_until
    if place.send_now == step.key:
        return
    zone = zone_of(place.zone)
    assert (step.window or sequence.window).holds(now.astimezone(zone).time())
    assert place.last_drip_at is None or now >= place.last_drip_at + sequence.min_gap
    if house.weekly_cap is not None:
        assert len([at for at in place.recent if at > now - A_WEEK]) < house.weekly_cap
    if place.weekly_cap is not None and sequence.purpose is not Purpose.CHALLENGE:
        assert len([at for at in place.recent if at > now - A_WEEK]) < place.weekly_cap
    if sequence.keeps_clinic_days:
        day = now.astimezone(zone_of(house.zone)).date()
        assert day not in house.closed
        assert not any(each.first <= day <= each.last for each in house.absences)
    if place.ahead is not None:
        assert not place.ahead - sequence.min_gap < now < place.ahead
    if step.key not in place.owed:
        _judge_time(step, place, now)


def _judge_time(step: Step, place: Place, now: datetime) -> None:
    zone = zone_of(place.zone)
    goals = place.facts if place.goals is None else place.goals
    due = due_after(place.anchor_at, step.delay, zone, at=step.at, weekdays=step.weekdays)
    over = due
    if step.wait_for:
        longest = step.wait_for.at_most
        waited = due_after(place.anchor_at, longest, zone, at=step.at, weekdays=step.weekdays)
        over = max(due, waited)
    if step.wait_for and not step.wait_for.facts & goals:
        assert not step.wait_for.or_skip
        due = over
    assert now >= due
    assert step.expires_after is None or now <= over + step.expires_after


@st.composite
def lives(draw: st.DrawFn) -> Life:
    place = at_start(
        zone=draw(st.sampled_from(ZONES)),
        handle=UUID(int=draw(st.integers(0, 9))),
        source=draw(st.sampled_from(["direct", "leaflet"])),
    )
    start = draw(instants)
    place = replace(place, anchor_at=start)
    return Life(draw(sequences()), place, start, draw(houses(around=start)))


jumps = st.sampled_from(
    [timedelta(hours=1), timedelta(hours=13), timedelta(days=1), timedelta(days=30)]
)


@settings(max_examples=150)
@given(life=lives(), data=st.data())
def test_a_life_with_facts_jumps_edits_and_wishes_keeps_every_rule(
    life: Life, data: st.DataObject
) -> None:
    versions = [life.sequence]
    for _ in range(data.draw(st.integers(0, 6))):
        _something_happens(life, versions, data)
    life.live_until(life.now + timedelta(days=500))

    assert life.end is not None, "it comes to an end"
    keys = [decision.step.key for _, _, decision, _ in life.sent]
    assert len(keys) == len(set(keys)), "no step is sent twice"
    for place, sequence, decision, at in life.sent:
        judge(sequence, place, decision, at, life.house)


def _something_happens(life: Life, versions: list[Sequence], data: st.DataObject) -> None:
    key = st.sampled_from(KEYS)
    happenings = ["time", "asleep", "fact", "edit", "now", "move", "owe", "quiet"]
    match data.draw(st.sampled_from(happenings)):
        case "time":
            life.live_until(life.now + data.draw(jumps))
        case "asleep":  # nobody wakes the worker meanwhile
            life.now += data.draw(jumps)
        case "fact":
            fact = data.draw(st.sampled_from(Fact))
            life.place = replace(life.place, facts=life.place.facts | {fact})
        case "edit":
            order = data.draw(st.lists(key, unique=True))
            steps = data.draw(steps_of(order))
            versions.append(replace(life.sequence, steps=steps, gone={}))
            life.sequence = with_history(versions)
        case "now":
            life.place = replace(life.place, send_now=data.draw(key))
        case "quiet":
            until, cap = life.now + data.draw(jumps), data.draw(st.none() | st.just(1))
            life.place = replace(life.place, paused_until=until, weekly_cap=cap)
        case "move":
            life.place = replace(life.place, onto=data.draw(key))
        case _:
            life.place = replace(life.place, owed=life.place.owed | {data.draw(key)})


@given(
    order=st.permutations(KEYS),
    deleted=st.lists(st.sets(st.sampled_from(KEYS), max_size=3), max_size=4),
    last=st.none() | st.sampled_from(KEYS),
)
def test_whoever_stands_on_a_deleted_step_goes_on_with_the_next_one_kept(
    order: list[str], deleted: list[set[str]], last: str | None
) -> None:
    whole = series_of(order)
    versions, kept = [whole], list(order)
    for keys in deleted:
        kept = [key for key in kept if key not in keys]
        versions.append(series_of(kept))

    ahead = order if last is None else order[order.index(last) + 1 :]
    expected = next((key for key in ahead if key in kept), None)
    step = upcoming(with_history(versions), at_start(last_step=last))
    assert (step.key if step else None) == expected


def series_of(keys: list[str]) -> Sequence:
    return series(*(replace(FIRST, key=key) for key in keys))


@given(life=lives())
def test_without_edits_each_step_is_sent_or_skipped_with_a_reason_or_led_past(life: Life) -> None:
    life.live_until(life.now + timedelta(days=500))
    dealt = [decision.step.key for _, _, decision, _ in life.sent]
    dealt += [skip.step.key for skip in life.skipped]
    assert len(dealt) == len(set(dealt))
    led_past = _led_past(life.sequence, life.skipped)
    if life.sequence.steps and not life.sequence.exits_on & life.place.facts:
        assert set(dealt) | led_past == {step.key for step in life.sequence.steps}


def _led_past(sequence: Sequence, skipped: list[Skip]) -> set[str]:
    keys = [step.key for step in sequence.steps]
    return {
        key
        for skip in skipped
        if skip.onto
        for key in keys[keys.index(skip.step.key) + 1 : keys.index(skip.onto)]
    }
