"""Rules over time: quiet hours, order and gaps of the series."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from funnel.db.mail import Message
from funnel.domain.ports import MailClass
from tests.chaos import story
from tests.chaos.evidence import Evidence
from tests.chaos.site import CLOSES, MIN_GAP, OPENS, PATIENCE

A_BLINK = 0.02  # seconds by which two clocks of one machine may seem to differ


def nights_are_quiet(seen: Evidence) -> Iterator[str]:
    """A mail of the series becomes due, and its intent is written, within its reader's own hours.

    The intent's stamp may be later than the decision by the deadline, and on a calendar whose
    days are seconds the deadline is some hours.
    """
    slack = timedelta(seconds=PATIENCE.start_seconds * seen.site.speed)
    series = {key: m for key, m in seen.messages.items() if seen.is_series(m) and not m.is_hurried}
    for message in series.values():
        if not _is_within(_local(seen, message, message.due_at), timedelta(0)):
            yield f"{_told(seen, message)} was due at {_local(seen, message, message.due_at)}"
    sent = {(key, accept["id"]): accept for key in series for accept in seen.by_id.get(key, [])}
    for attempt in seen.attempts:
        found = series.get(str(attempt.message_id))
        if found is None or (str(found.id), str(found.id)) not in sent:
            continue
        begun = _local(seen, found, seen.site.funnel_time(attempt.started_at.timestamp()))
        if attempt.outcome in {None, "accepted"} and not _is_within(begun, slack):
            yield f"{_told(seen, found)} was begun at {begun}"


def _is_within(local: datetime, slack: timedelta) -> bool:
    opens = datetime.combine(local.date(), time.fromisoformat(OPENS), local.tzinfo)
    closes = datetime.combine(local.date(), time.fromisoformat(CLOSES), local.tzinfo)
    yesterday = closes - timedelta(days=1)
    return opens <= local < closes + slack or local < yesterday + slack


def _local(seen: Evidence, message: Message, when: datetime) -> datetime:
    zone = seen.subscribers[message.subscriber_id or 0].time_zone or "Europe/London"
    return when.astimezone(ZoneInfo(zone))


def steps_come_in_order(seen: Evidence) -> Iterator[str]:
    """A step is handed over only when the one before it is over and done with."""
    for rows in _by_enrolment(seen).values():
        for before, after in itertools.pairwise(rows):
            if before.closed_at is None or before.closed_at > after.created_at:
                yield f"{_told(seen, after)} was queued before {before.mail_key} was over"
            first = seen.by_id.get(str(after.id))
            last = seen.by_id.get(str(before.id))
            if first and last and first[0]["at"] < last[-1]["at"]:
                yield f"{_told(seen, after)} came before {before.mail_key}"


def _by_enrolment(seen: Evidence) -> dict[int, list[Message]]:
    order = {f"{story.SEQUENCE}/{key}": at for at, key in enumerate(story.STEPS)}
    found: dict[int, list[Message]] = defaultdict(list)
    for message in seen.messages.values():
        if message.enrolment_id is not None and message.mail_key in order:
            found[message.enrolment_id].append(message)
    return {key: sorted(rows, key=lambda m: order[m.mail_key]) for key, rows in found.items()}


def gaps_are_kept(seen: Evidence) -> Iterator[str]:
    """Never two mails of the series within the gap, not even after an outage."""
    gap = MIN_GAP.total_seconds() / seen.site.speed
    drips: dict[str, list[tuple[float, Message]]] = defaultdict(list)
    for accept in seen.accepts:
        message = seen.messages.get(accept["id"])
        if message is not None and message.mail_class == MailClass.DRIP:
            drips[accept["to"]].append((float(accept["at"]), message))
    for found in drips.values():
        for (before, _), (after, message) in itertools.pairwise(found):
            if seen.is_series(message) and after - before < gap - A_BLINK:
                hours = (after - before) * seen.site.speed / 3600
                yield f"{_told(seen, message)} came {hours:.1f} h after the one before"


def _told(seen: Evidence, message: Message) -> str:
    return f"{message.mail_key} to {seen.address_of(message)}"
