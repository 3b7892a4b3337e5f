"""The life of one message: answers, backoff, doubt, events."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.delivery import (
    BACKOFF_CAP,
    BACKOFF_FIRST,
    GIVE_UP_AFTER,
    GIVE_UP_TRIES,
    SETTLE_WINDOW,
    EventKind,
    MessageState,
    Verdict,
    backoff,
    doubt_lasts,
    judge,
    later,
    read_event,
    settle_doubt,
    suppression_for,
)
from funnel.domain.people import SuppressionReason
from funnel.domain.ports import MailClass, Outcome

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
classes = pytest.mark.parametrize("mail_class", MailClass)


def verdict(outcome: Outcome, **changes: object) -> Verdict:
    given_ = {"mail_class": MailClass.DRIP, "attempt": 1, "due_at": NOW, "now": NOW, "jitter": 1.0}
    return judge(outcome, "Why.", **(given_ | changes))  # type: ignore[arg-type]  # a test's table


@classes
@pytest.mark.parametrize(
    ("outcome", "state", "is_counted", "is_tried_again"),
    [
        (Outcome.ACCEPTED, MessageState.ACCEPTED, True, False),
        (Outcome.REFUSED, MessageState.FAILED, True, False),
        (Outcome.AMBIGUOUS, MessageState.UNKNOWN, True, False),
        (Outcome.NOT_SENT_RETRY, MessageState.SCHEDULED, True, True),
        (Outcome.NOT_SENT_THROTTLED, MessageState.SCHEDULED, False, True),
        (Outcome.ACCOUNT_REFUSED, MessageState.SCHEDULED, False, True),
    ],
)
def test_what_an_answer_means(
    mail_class: MailClass,
    outcome: Outcome,
    state: MessageState,
    is_counted: bool,
    is_tried_again: bool,
) -> None:
    found = verdict(outcome, mail_class=mail_class)
    assert found.state is state
    assert found.counts_as_attempt is is_counted
    assert (found.not_before is not None and found.not_before > NOW) == is_tried_again
    assert found.why == "Why."


def test_every_outcome_has_a_verdict_and_none_sends_blindly_what_may_have_gone() -> None:
    assert {outcome: verdict(outcome).state for outcome in Outcome}[Outcome.AMBIGUOUS] not in {
        MessageState.SCHEDULED,
        MessageState.CLAIMED,
    }


@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT_THROTTLED, Outcome.ACCOUNT_REFUSED])
@pytest.mark.parametrize("minutes", [-60, 0, 1, 600])
def test_a_throttled_mail_obeys_the_provider_and_never_gives_up(
    outcome: Outcome, minutes: int
) -> None:
    retry_at = NOW + timedelta(minutes=minutes)
    found = verdict(outcome, retry_at=retry_at, due_at=NOW - timedelta(days=30), attempt=99)
    assert found.state is MessageState.SCHEDULED
    assert found.not_before == max(retry_at, NOW) + BACKOFF_FIRST


@classes
def test_a_mail_is_given_up_when_its_time_is_over(mail_class: MailClass) -> None:
    limit = GIVE_UP_AFTER[mail_class]
    for age, state in [
        (limit, MessageState.FAILED),
        (limit - timedelta(seconds=1), MessageState.SCHEDULED),
    ]:
        found = verdict(
            Outcome.NOT_SENT_RETRY,
            mail_class=mail_class,
            due_at=NOW - age,
            attempt=GIVE_UP_TRIES,
        )
        assert found.state is state


@classes
def test_a_mail_that_only_waited_is_not_given_up_at_its_first_hitch(mail_class: MailClass) -> None:
    found = verdict(
        Outcome.NOT_SENT_RETRY, mail_class=mail_class, due_at=NOW - timedelta(days=30), attempt=1
    )
    assert found.state is MessageState.SCHEDULED


@given(attempt=st.integers(0, 10_000), jitter=st.floats(0, 1))
def test_a_pause_lies_between_its_half_and_an_hour(attempt: int, jitter: float) -> None:
    pause = backoff(attempt, jitter)
    assert BACKOFF_FIRST / 2 <= pause <= BACKOFF_CAP
    assert backoff(attempt, 1.0) / 2 <= pause <= backoff(attempt, 1.0)


def test_pauses_double_from_thirty_seconds_to_an_hour() -> None:
    seconds = [backoff(attempt, 1.0).total_seconds() for attempt in range(1, 10)]
    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.parametrize(
    ("mail_class", "resent", "state"),
    [
        (MailClass.CONFIRM, False, MessageState.SCHEDULED),
        (MailClass.DELIVER, False, MessageState.SCHEDULED),
        (MailClass.RECEIPT, False, MessageState.SCHEDULED),
        (MailClass.DRIP, False, MessageState.UNCONFIRMED),
        (MailClass.ADMIN, False, MessageState.UNCONFIRMED),
        (MailClass.CONFIRM, True, MessageState.UNCONFIRMED),
        (MailClass.DELIVER, True, MessageState.UNCONFIRMED),
        (MailClass.RECEIPT, True, MessageState.UNCONFIRMED),
        (MailClass.DRIP, True, MessageState.UNCONFIRMED),
    ],
)
def test_in_doubt_service_mail_goes_once_more_and_series_mail_never(
    mail_class: MailClass, resent: bool, state: MessageState
) -> None:
    settled, why = settle_doubt(mail_class, resent)
    assert settled is state
    assert why.endswith(".")


@pytest.mark.parametrize(
    ("mail_class", "seconds"),
    [
        (MailClass.CONFIRM, 60),
        (MailClass.DELIVER, 60),
        (MailClass.RECEIPT, 900),
        (MailClass.DRIP, 600),
        (MailClass.ADMIN, 600),
    ],
)
def test_doubt_lasts_as_long_as_news_may_still_come(mail_class: MailClass, seconds: int) -> None:
    assert doubt_lasts(mail_class, has_events=False).total_seconds() == seconds
    assert doubt_lasts(mail_class, has_events=True) == SETTLE_WINDOW


def test_the_settle_window_is_not_shorter_than_ten_minutes() -> None:
    assert timedelta(minutes=10) <= SETTLE_WINDOW, "a shorter one doubles mails; it is measured"


SIX = (
    EventKind.PROCESSED,
    EventKind.DEFERRED,
    EventKind.DELIVERED,
    EventKind.BLOCKED,
    EventKind.BOUNCED,
    EventKind.COMPLAINED,
)


def test_news_in_any_order_gives_one_result() -> None:
    orders = list(permutations(SIX))
    assert len(orders) == 720
    assert {reduce(later, order, None) for order in orders} == {EventKind.COMPLAINED}


@given(st.lists(st.sampled_from(EventKind), min_size=1), st.randoms())
def test_news_repeated_and_shuffled_gives_the_same_result(
    news: list[EventKind], random: object
) -> None:
    again = news * 3
    random.shuffle(again)  # type: ignore[attr-defined]  # Hypothesis hides the type of its Random
    assert reduce(later, again, None) == reduce(later, news, None)


@pytest.mark.parametrize(
    ("event", "bounce_type", "reason", "kind"),
    [
        ("processed", "", "", EventKind.PROCESSED),
        ("deferred", "", "", EventKind.DEFERRED),
        ("delivered", "", "", EventKind.DELIVERED),
        ("bounce", "bounce", "550 no such user", EventKind.BOUNCED),
        ("bounce", "", "", EventKind.BOUNCED),
        ("bounce", "blocked", "421 try later", EventKind.BLOCKED),
        ("dropped", "", "Bounced Address", EventKind.BOUNCED),
        ("dropped", "", "Invalid", EventKind.BOUNCED),
        ("dropped", "", "Invalid SMTPAPI header", EventKind.DROPPED),
        ("dropped", "", "Spam Content", EventKind.DROPPED),
        ("dropped", "", "Spam Reporting Address", EventKind.COMPLAINED),
        ("dropped", "", "Unsubscribed Address", EventKind.UNSUBSCRIBED),
        ("dropped", "", "Recipient List over Package Quota", EventKind.DROPPED),
        ("dropped", "", "", EventKind.DROPPED),
        ("spamreport", "", "", EventKind.COMPLAINED),
        ("unsubscribe", "", "", EventKind.UNSUBSCRIBED),
        ("group_unsubscribe", "", "", EventKind.UNSUBSCRIBED),
        ("group_resubscribe", "", "", EventKind.IGNORED),
        ("open", "", "", EventKind.IGNORED),
        ("click", "", "", EventKind.IGNORED),
        ("blocked", "", "", EventKind.IGNORED),
        ("bounced", "", "", EventKind.IGNORED),
        ("", "", "", EventKind.IGNORED),
        ("Bounce", "", "", EventKind.IGNORED),
        ("x" * 500, "", "", EventKind.IGNORED),
    ],
)
def test_what_an_event_means(event: str, bounce_type: str, reason: str, kind: EventKind) -> None:
    assert read_event(event, bounce_type, reason) is kind


def test_only_three_kinds_of_news_end_all_mail() -> None:
    ends = {kind: suppression_for(kind) for kind in EventKind if suppression_for(kind)}
    assert ends == {
        EventKind.BOUNCED: SuppressionReason.BOUNCED,
        EventKind.COMPLAINED: SuppressionReason.COMPLAINED,
        EventKind.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
    }
