"""The life of one message: states, provider answers, backoff, and what events mean."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from funnel.domain.people import SuppressionReason
from funnel.domain.ports import MailClass, Outcome

SETTLE_WINDOW = timedelta(minutes=10)
BACKOFF_FIRST = timedelta(seconds=30)
BACKOFF_CAP = timedelta(hours=1)


@dataclass(frozen=True)
class Patience:
    """How long the sender waits, on the machine's clock; a rehearsal of faults waits less.

    A claim is good for `lease`, a call for the mailer's own limit and `sending_margin`. Whoever
    is later than `start_seconds` after the intent sends nothing. Nobody asks the provider about a
    doubt before it has lasted `settle`, nor a second time before `ask_again`. Where it cannot tell
    for the moment, a mail that would not go again is asked about for as long as `keep_asking`.
    """

    lease: timedelta = timedelta(seconds=30)
    sending_margin: timedelta = timedelta(seconds=60)
    start_seconds: float = 5.0
    settle: timedelta = SETTLE_WINDOW
    ask_again: timedelta = timedelta(seconds=60)
    keep_asking: timedelta = timedelta(hours=6)

    def call_lease(self, answer_seconds: float) -> timedelta:
        """How long a call is leased for, whose mailer answers within so many seconds."""
        return timedelta(seconds=answer_seconds) + self.sending_margin


PATIENCE = Patience()


class MessageState(StrEnum):
    """Where a message is on its way; `sending` never goes straight back to `scheduled`."""

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNCONFIRMED = "unconfirmed"


# Surely nothing of these has left, so they may be taken back.
NOT_STARTED = frozenset({MessageState.SCHEDULED, MessageState.CLAIMED})
OPEN_STATES = frozenset(
    {
        MessageState.SCHEDULED,
        MessageState.CLAIMED,
        MessageState.SENDING,
        MessageState.UNKNOWN,
    }
)

GIVE_UP_AFTER = {
    MailClass.CONFIRM: timedelta(hours=2),
    MailClass.DELIVER: timedelta(hours=24),
    MailClass.RECEIPT: timedelta(hours=24),
    MailClass.DRIP: timedelta(hours=72),
    MailClass.ADMIN: timedelta(hours=24),
}

# A mail that waited long for another reason, as for a pause, still gets this many tries.
GIVE_UP_TRIES = 3

RESEND_WHEN_IN_DOUBT = {
    MailClass.CONFIRM: timedelta(seconds=60),
    MailClass.DELIVER: timedelta(seconds=60),
    MailClass.RECEIPT: timedelta(minutes=15),
}


@dataclass(frozen=True)
class Verdict:
    """What becomes of a message after an answer. `not_before` is set for another try."""

    state: MessageState
    why: str
    not_before: datetime | None = None
    counts_as_attempt: bool = True


def backoff(attempt: int, jitter: float) -> timedelta:
    """The pause before try `attempt` + 1: 30 s doubled each time, at most an hour.

    `jitter` from 0 to 1 spreads it over its upper half.
    """
    doublings = min(max(attempt - 1, 0), 12)
    whole: timedelta = min(BACKOFF_FIRST * (1 << doublings), BACKOFF_CAP)
    return whole * (0.5 + 0.5 * jitter)


def judge(
    outcome: Outcome,
    why: str,
    *,
    mail_class: MailClass,
    attempt: int,
    due_at: datetime,
    now: datetime,
    retry_at: datetime | None = None,
    jitter: float = 0.5,
) -> Verdict:
    """What becomes of a message after this answer to its attempt number `attempt`."""
    match outcome:
        case Outcome.ACCEPTED:
            return Verdict(MessageState.ACCEPTED, why)
        case Outcome.REFUSED | Outcome.ADDRESS_REFUSED:
            return Verdict(MessageState.FAILED, why)
        case Outcome.AMBIGUOUS:
            return Verdict(MessageState.UNKNOWN, why)
        case Outcome.NOT_SENT_THROTTLED | Outcome.ACCOUNT_REFUSED:
            until = max(retry_at or now, now) + backoff(1, jitter)
            return Verdict(MessageState.SCHEDULED, why, until, counts_as_attempt=False)
        case Outcome.NOT_SENT_RETRY:
            return _try_again(why, mail_class, attempt, due_at, now, jitter)


def _try_again(
    why: str,
    mail_class: MailClass,
    attempt: int,
    due_at: datetime,
    now: datetime,
    jitter: float,
) -> Verdict:
    if attempt >= GIVE_UP_TRIES and now - due_at >= GIVE_UP_AFTER[mail_class]:
        return Verdict(MessageState.FAILED, f"{why} Given up after many tries.")
    return Verdict(MessageState.SCHEDULED, why, now + backoff(attempt, jitter))


def settle_doubt(mail_class: MailClass, resent: bool) -> tuple[MessageState, str]:
    """What becomes of a message nobody can vouch for, once its waiting time is over.

    Service mail goes once more (a second copy is harmless, a missing one is not); a series mail
    does not: at worst one newsletter is missing, never doubled.
    """
    if mail_class in RESEND_WHEN_IN_DOUBT and not resent:
        return MessageState.SCHEDULED, "No answer came, so it goes once more."
    return MessageState.UNCONFIRMED, "No answer came; it may or may not have arrived."


def doubt_lasts(
    mail_class: MailClass, has_events: bool, *, settle: timedelta = SETTLE_WINDOW
) -> timedelta:
    """How long a message stays `unknown`; longer where the provider's events may settle it."""
    return settle if has_events else RESEND_WHEN_IN_DOUBT.get(mail_class, settle)


class EventKind(StrEnum):
    """What a provider can tell about a message after it was handed over."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BLOCKED = "blocked"
    DROPPED = "dropped"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    IGNORED = "ignored"


_RANK = {
    EventKind.IGNORED: 0,
    EventKind.PROCESSED: 1,
    EventKind.DEFERRED: 2,
    EventKind.BLOCKED: 3,
    EventKind.DELIVERED: 4,
    EventKind.DROPPED: 5,
    EventKind.BOUNCED: 6,
    EventKind.UNSUBSCRIBED: 7,
    EventKind.COMPLAINED: 8,
}

_SUPPRESSES = {
    EventKind.BOUNCED: SuppressionReason.BOUNCED,
    EventKind.COMPLAINED: SuppressionReason.COMPLAINED,
    EventKind.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
}


def read_event(event: str, bounce_type: str = "", reason: str = "") -> EventKind:
    """The meaning of a SendGrid event name, with its `type` and `reason` fields."""
    match event:
        case "bounce":
            return EventKind.BLOCKED if bounce_type == "blocked" else EventKind.BOUNCED
        case "dropped":
            return _read_drop(reason.lower())
        case "spamreport":
            return EventKind.COMPLAINED
        case "unsubscribe" | "group_unsubscribe":
            return EventKind.UNSUBSCRIBED
        case "processed" | "deferred" | "delivered":
            return EventKind(event)
        case _:
            return EventKind.IGNORED


def _read_drop(reason: str) -> EventKind:
    if "bounced" in reason or reason.strip() in {"invalid", "invalid address"}:
        return EventKind.BOUNCED
    if "spam report" in reason:
        return EventKind.COMPLAINED
    if "unsubscribed" in reason:
        return EventKind.UNSUBSCRIBED
    return EventKind.DROPPED


def later(known: EventKind | None, news: EventKind) -> EventKind:
    """The stronger of two pieces of news, so that order and repeats do not matter."""
    return news if known is None or _RANK[news] > _RANK[known] else known


def suppression_for(event: EventKind) -> SuppressionReason | None:
    """The suppression an event calls for, if any."""
    return _SUPPRESSES.get(event)
