"""The one decision, case by case: what happens next to a person in a sequence, and why."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from funnel.domain.decision import next_step
from funnel.domain.schedule import Delay, Window
from funnel.domain.sequence import (
    Condition,
    Decision,
    Fact,
    Finish,
    Halt,
    House,
    Place,
    Send,
    Skip,
    Step,
    Wait,
    WaitFor,
    Way,
)
from funnel.domain.versions import with_history
from tests.support.sequences import FIRST, NOW, SECOND, at_start, series

DUE = datetime(2026, 11, 24, 8, 10, tzinfo=UTC)
OPENED = frozenset({Fact.DOWNLOADED})
BOUGHT = frozenset({Fact.PURCHASED})
DAY = timedelta(days=1)


def decided(step: Step, place: Place, now: datetime = DUE) -> Decision:
    return next_step(series(step, SECOND), place, now)


# --- the end of it ------------------------------------------------------------------------------


def test_a_goal_ends_a_sequence_even_for_someone_who_must_not_be_mailed() -> None:
    sequence = series(FIRST, exits_on=frozenset({Fact.JOINED}))
    place = at_start(facts=frozenset({Fact.JOINED}), refusal="Mail to this address bounced.")
    decision = next_step(sequence, place, NOW)
    assert decision == Finish("They joined the challenge, so these mails stop.", is_exit=True)


def test_on_a_second_round_only_goals_of_this_round_end_it() -> None:
    sequence = series(FIRST, exits_on=BOUGHT)
    before = at_start(facts=BOUGHT, goals=frozenset())
    assert isinstance(next_step(sequence, before, NOW), Wait)
    anew = replace(before, goals=BOUGHT)
    assert isinstance(next_step(sequence, anew, NOW), Finish)


def test_a_refusal_halts_before_anything_else_is_looked_at() -> None:
    place = at_start(refusal="They asked for no more emails.")
    assert next_step(series(FIRST), place, NOW) == Halt("They asked for no more emails.")


def test_the_end_is_not_an_exit() -> None:
    decision = next_step(series(FIRST), at_start(last_step="first"), NOW)
    assert decision == Finish("Every mail of this sequence has been dealt with.")


def test_a_step_that_was_never_known_ends_the_sequence() -> None:
    assert isinstance(next_step(series(FIRST), at_start(last_step="unheard-of"), NOW), Finish)


def test_a_sequence_without_steps_is_over_at_once() -> None:
    assert isinstance(next_step(series(), at_start(), NOW), Finish)


# --- when ---------------------------------------------------------------------------------------


def test_a_mail_waits_for_its_local_hour() -> None:
    decision = next_step(series(FIRST), at_start(zone="America/New_York"), NOW)
    assert decision == Wait(
        FIRST, datetime(2026, 11, 24, 13, 10, tzinfo=UTC), "It is not due before then."
    )


@pytest.mark.parametrize(
    ("delay", "days"), [(Delay(minutes=5), 0), (Delay(days=21), 21), (Delay(days=366), 366)]
)
def test_a_delay_is_minutes_or_weeks(delay: Delay, days: int) -> None:
    decision = decided(Step("first", delay), at_start(), NOW)
    assert isinstance(decision, Wait)
    assert (decision.until.date() - NOW.date()).days == days


def test_an_expired_step_is_skipped_and_one_just_in_time_goes() -> None:
    step = replace(FIRST, expires_after=timedelta(hours=5))
    assert isinstance(decided(step, at_start(), DUE + timedelta(hours=5)), Send)
    late = decided(step, at_start(), DUE + timedelta(hours=5, seconds=1))
    assert late == Skip(step, "Skipped: its time had passed.")


def test_a_step_has_hours_of_its_own() -> None:
    step = replace(FIRST, window=Window(time(18), time(19)))
    decision = decided(step, at_start())
    evening = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
    assert decision == Wait(step, evening, "Held: quiet hours until 18:00.")


# --- whom it is for -----------------------------------------------------------------------------


def test_a_step_is_skipped_for_a_fact_only_once_it_is_due() -> None:
    step = replace(FIRST, skip_if=OPENED)
    assert isinstance(decided(step, at_start(facts=OPENED), NOW), Wait)
    assert decided(step, at_start(facts=OPENED)) == Skip(step, "Skipped: they opened the guide.")


@pytest.mark.parametrize(
    ("condition", "fits", "fails", "told"),
    [
        (
            Condition(has=OPENED),
            {"facts": OPENED | BOUGHT},
            {"facts": BOUGHT},
            "only for people who opened the guide",
        ),
        (
            Condition(lacks=OPENED),
            {"facts": BOUGHT},
            {"facts": OPENED},
            "not for people who opened the guide",
        ),
        (
            Condition(source=frozenset({"leaflet", "google"})),
            {"source": "google"},
            {"source": "bing"},
            "only for people who came from google or leaflet",
        ),
        (
            Condition(pattern=frozenset({"desk-hips"})),
            {"pattern": "desk-hips"},
            {"pattern": None},
            "for another result of the self-check",
        ),
        (
            Condition(days_done=3),
            {"days_done": 3},
            {"days_done": 2},
            "only for people who did at least 3 days of the challenge",
        ),
        (
            Condition(days_done=1),
            {"days_done": 5},
            {},
            "only for people who did at least 1 day of the challenge",
        ),
    ],
)
def test_a_step_is_for_those_who_meet_its_condition(
    condition: Condition, fits: dict[str, object], fails: dict[str, object], told: str
) -> None:
    step = replace(FIRST, only_if=condition)
    assert isinstance(decided(step, at_start(**fits)), Send)
    assert decided(step, at_start(**fails)) == Skip(step, f"Skipped: it was {told}.")


def test_every_part_of_a_condition_must_hold() -> None:
    step = replace(FIRST, only_if=Condition(has=OPENED, days_done=2))
    assert isinstance(decided(step, at_start(facts=OPENED, days_done=1)), Skip)
    assert isinstance(decided(step, at_start(facts=BOUGHT, days_done=2)), Skip)
    assert isinstance(decided(step, at_start(facts=OPENED, days_done=2)), Send)


# --- waiting for something ----------------------------------------------------------------------

WAITING = Step("first", Delay(days=1), wait_for=WaitFor(OPENED, Delay(days=5)))
IN_VAIN = NOW + timedelta(days=5)


def test_a_mail_waits_for_what_they_do_and_goes_at_once_then() -> None:
    day_two = NOW + timedelta(days=2)
    assert decided(WAITING, at_start(), day_two) == Wait(
        WAITING,
        IN_VAIN,
        "It waits for this: they opened the guide. Without it, it goes all the same then.",
    )
    assert isinstance(decided(WAITING, at_start(facts=OPENED), day_two), Send)


def test_what_they_did_already_does_not_make_a_mail_early() -> None:
    decision = decided(WAITING, at_start(facts=OPENED), NOW)
    assert decision == Wait(WAITING, NOW + timedelta(days=1), "It is not due before then.")


def test_a_wait_in_vain_ends_with_the_mail_or_without_it() -> None:
    skipping = replace(WAITING, wait_for=WaitFor(OPENED, Delay(days=5), or_skip=True))
    assert isinstance(decided(WAITING, at_start(), IN_VAIN), Send)
    assert decided(skipping, at_start(), IN_VAIN) == Skip(
        skipping, "Skipped: it waited in vain for this: they opened the guide."
    )
    assert isinstance(decided(skipping, at_start(facts=OPENED), IN_VAIN), Send)


def test_a_mail_that_waits_expires_only_after_the_wait_is_over() -> None:
    step = replace(WAITING, expires_after=DAY)
    for facts in (OPENED, frozenset[Fact]()):
        assert isinstance(decided(step, at_start(facts=facts), IN_VAIN + DAY), Send)
        late = decided(step, at_start(facts=facts), IN_VAIN + DAY + timedelta(minutes=1))
        assert late.why == "Skipped: its time had passed."


def test_on_a_second_round_only_what_they_do_in_it_ends_a_wait() -> None:
    day_two = NOW + timedelta(days=2)
    before = at_start(facts=OPENED, goals=frozenset())
    assert isinstance(decided(WAITING, before, day_two), Wait)
    assert isinstance(decided(WAITING, replace(before, goals=OPENED), day_two), Send)


def test_a_mail_that_will_be_passed_over_says_so_while_it_waits() -> None:
    both = frozenset({Fact.DOWNLOADED, Fact.JOINED})
    skipping = replace(WAITING, wait_for=WaitFor(both, Delay(days=5), or_skip=True))
    assert decided(skipping, at_start(), NOW).why == (
        "It waits for this: they opened the guide or joined the challenge. "
        "Without it, it is passed over then."
    )


# --- forks and jumps ----------------------------------------------------------------------------

LAST = Step("last", Delay(days=1), time(8, 10))
FORK = Step(
    "fork",
    Delay(),
    ways=(Way("last", Condition(has=BOUGHT)), Way("second", Condition(has=OPENED))),
)
FORKED = series(FIRST, FORK, SECOND, LAST)
AT_FORK = at_start(last_step="first")


@pytest.mark.parametrize(
    ("facts", "onto"),
    [(BOUGHT, "last"), (OPENED, "second"), (BOUGHT | OPENED, "last"), (frozenset(), None)],
)
def test_a_fork_leads_on_by_the_first_way_that_fits(
    facts: frozenset[Fact], onto: str | None
) -> None:
    decision = next_step(FORKED, replace(AT_FORK, facts=facts), NOW)
    assert isinstance(decision, Skip)
    assert (decision.step, decision.onto) == (FORK, onto)


def test_a_fork_waits_for_its_time() -> None:
    later = replace(FORK, delay=Delay(days=2))
    decision = next_step(series(FIRST, later, SECOND, LAST), AT_FORK, NOW)
    assert decision == Wait(later, NOW + timedelta(days=2), "The ways part then.")


def test_the_step_they_were_led_to_comes_next_whatever_was_last() -> None:
    decision = next_step(FORKED, at_start(last_step="fork", onto="last"), DUE)
    assert isinstance(decision, Send)
    assert decision.step == LAST


def test_a_step_led_to_that_was_deleted_gives_way_to_the_one_after_it() -> None:
    sequence = replace(FORKED, gone={"removed": "fork"})
    decision = next_step(sequence, at_start(last_step="first", onto="removed"), NOW)
    assert decision.why == "It is not due before then."
    assert isinstance(decision, Wait)
    assert decision.step == SECOND


@pytest.mark.parametrize("last", ["fork", "first"])
def test_a_step_led_to_that_was_deleted_at_the_end_sends_no_other_branch(last: str) -> None:
    led = at_start(last_step=last, onto="last", facts=BOUGHT)
    shorter = with_history([FORKED, replace(FORKED, steps=(FIRST, replace(FORK, ways=()), SECOND))])
    assert isinstance(next_step(shorter, led, DUE), Finish)


# --- what they had, what they are owed ----------------------------------------------------------


def test_a_mail_they_had_is_not_sent_again() -> None:
    decision = decided(FIRST, at_start(had=frozenset({"first"})), NOW)
    assert decision == Skip(FIRST, "Skipped: this mail has gone to them before.")


def test_what_they_are_owed_comes_first_and_at_once() -> None:
    place = at_start(last_step="second", owed=frozenset({"first", "second"}))
    decision = next_step(FORKED, place, NOW)
    assert isinstance(decision, Send)
    assert decision.step == FIRST


def test_what_they_are_owed_comes_before_the_step_they_were_led_to() -> None:
    place = at_start(last_step="fork", onto="last", owed=frozenset({"first"}))
    decision = next_step(FORKED, place, DUE)
    assert isinstance(decision, Send)
    assert decision.step == FIRST


def test_what_they_are_owed_does_not_expire_but_keeps_its_hours_and_its_condition() -> None:
    place = at_start(last_step="second", owed=frozenset({"first"}))
    step = replace(FIRST, expires_after=timedelta(hours=1), only_if=Condition(lacks=OPENED))
    month = NOW + timedelta(days=30)
    assert isinstance(decided(step, place, month), Send)
    assert isinstance(decided(step, place, month + timedelta(hours=12)), Wait)
    assert isinstance(decided(step, replace(place, facts=OPENED), month), Skip)


# --- at once, because she asked -----------------------------------------------------------------


def test_asked_for_it_goes_at_once_whatever_holds_it() -> None:
    night = datetime(2026, 12, 25, 2, 0, tzinfo=UTC)
    step = replace(FIRST, wait_for=WaitFor(OPENED, Delay(50), or_skip=True), expires_after=DAY)
    place = at_start(send_now="first", last_drip_at=night, recent=(night,), ahead=night)
    house = House(weekly_cap=1, closed=frozenset({night.date()}))
    decision = next_step(series(step), place, night, house)
    assert decision == Send(step, "You asked to send it now.", "first")


@pytest.mark.parametrize("now", [NOW, DUE])
def test_asked_for_it_a_mail_that_is_not_for_them_is_still_passed_over(now: datetime) -> None:
    place = at_start(send_now="first", facts=OPENED)
    skipped = decided(replace(FIRST, skip_if=OPENED), place, now)
    assert skipped.why == "Skipped: they opened the guide."
    unfit = decided(replace(FIRST, only_if=Condition(has=BOUGHT)), place, now)
    assert unfit.why == "Skipped: it was only for people who bought the programme."


def test_what_was_asked_for_one_step_makes_no_other_early() -> None:
    place = at_start(send_now="second")
    assert isinstance(decided(FIRST, place, NOW), Wait)
    fork = replace(FORK, delay=Delay(days=2))
    forked = series(FIRST, fork, SECOND, LAST)
    assert isinstance(next_step(forked, replace(AT_FORK, send_now="last"), NOW), Wait)


def test_asked_for_it_still_needs_consent_and_an_open_goal() -> None:
    place = at_start(send_now="first", facts=BOUGHT)
    assert isinstance(next_step(series(FIRST, exits_on=BOUGHT), place, NOW), Finish)
    refused = replace(place, refusal="They asked for no more emails.")
    assert isinstance(next_step(series(FIRST), refused, NOW), Halt)
    had = replace(place, had=frozenset({"first"}))
    assert isinstance(next_step(series(FIRST), had, NOW), Skip)


def test_a_mail_with_arms_goes_in_the_words_of_one_of_them() -> None:
    step = replace(FIRST, variants=(("plain", 1), ("story", 1)))
    decision = decided(step, at_start())
    assert isinstance(decision, Send)
    assert decision.variant in {"plain", "story"}
    assert decision.mail == f"first.{decision.variant}"


def test_a_mail_without_arms_goes_in_its_own_words() -> None:
    assert decided(FIRST, at_start()) == Send(FIRST, "It is due.", "first", None)
