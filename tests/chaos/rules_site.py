"""Rules over the whole site: events, limits, slots, logs, calm, and the database itself."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from funnel.domain.ports import MailClass
from tests.chaos.evidence import Evidence
from tests.chaos.pace import PROBE_SECONDS
from tests.chaos.site import ANSWER_SECONDS, API_KEY, SECRET
from tests.chaos.workload import VICTIM

WINDOW_SECONDS = 10
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")
ADDRESS = re.compile(r"[\w.+-]+@example\.org")


def events_count_once(seen: Evidence) -> Iterator[str]:
    """Each event that was taken is there once and was handled; a forged one is not there."""
    taken = Counter(key for event in seen.history.of("events taken") for key in set(event["ids"]))
    stored = Counter(event.id for event in seen.events)
    for key in taken.keys() - stored.keys():
        yield f"event {key} was taken and is not there"
    if strange := stored.keys() - taken.keys():
        yield f"{len(strange)} events are there that nobody sent, or under another id"
    for event in seen.events:
        if event.handled_at is None or event.problem:
            yield f"event {event.id} was not handled: {event.problem}"
    for forged in seen.history.of("forged"):
        if forged["status"] // 100 == 2 or forged["id"] in stored:
            yield "a forged event was taken"


def limits_hold(seen: Evidence) -> Iterator[str]:
    """One confirm mail a day to one address, whoever asks; no flood; and while the provider
    refuses the account, one probe at a time instead of every mail."""
    asked = sorted(
        message.created_at
        for message in seen.messages.values()
        if message.mail_class == MailClass.CONFIRM and seen.address_of(message) == VICTIM
    )
    for before, after in itertools.pairwise(asked):
        if after - before < timedelta(days=1):
            yield f"{VICTIM} got two confirm mails within {after - before}"
    yield from _floods(seen)
    if seen.site.mode.is_sendgrid:
        yield from _probes(seen)


def _floods(seen: Evidence) -> Iterator[str]:
    """What was taken in any ten seconds, against 1.2 times the rate."""
    if seen.site.send_rate is None:
        return
    at = sorted(float(accept["arrived"]) for accept in seen.accepts)
    most = int(1.2 * WINDOW_SECONDS * seen.site.send_rate)
    for first, last in zip(at, at[most:], strict=False):
        if last - first < WINDOW_SECONDS:
            yield f"over {most} mails went within {WINDOW_SECONDS} seconds"
            return


def _probes(seen: Evidence) -> Iterator[str]:
    refused = [float(r["at"]) for r in seen.history.of("request") if r["status"] == 401]
    for over in seen.history.of("fault over"):
        if over["name"] != "provider: 401 hour":
            continue
        # Calls that were on their way when it began may each still end in a refusal.
        begins = float(over["began"]) + ANSWER_SECONDS / 2
        probes = [at for at in refused if begins < at <= float(over["at"])]
        allowed = 2 + (float(over["at"]) - begins) / PROBE_SECONDS
        if len(probes) > allowed:
            yield f"{len(probes)} requests went to a provider that had refused the account"


def slots_run_once(seen: Evidence) -> Iterator[str]:
    """Each slot of periodic work was taken by one process."""
    taken = Counter((str(tick["name"]), int(tick["slot"])) for tick in seen.ticks)
    for (name, slot), count in taken.items():
        if count > 1:
            yield f"slot {slot} of {name} ran {count} times"
    if not taken:
        yield "no periodic work was done"


def logs_hold_no_secret(seen: Evidence) -> Iterator[str]:
    """No key, token or address in any log."""
    for path in sorted(Path(seen.site.folder).glob("*.log")):
        words = path.read_text("utf-8", errors="replace")
        for kind, is_there in {
            "the secret": SECRET in words,
            "the API key": API_KEY in words,
            "a token": TOKEN.search(words) is not None,
            "an address": ADDRESS.search(words) is not None,
        }.items():
            if is_there:
                yield f"{kind} is in {path.name}"


def calm_comes_back(seen: Evidence) -> Iterator[str]:
    """Once the faults end, every process is well and nothing is left to do."""
    if seen.calm is None:
        yield f"no calm: {seen.history.of('no calm')[0]}"


def database_is_sound(seen: Evidence) -> Iterator[str]:
    """Foreign keys, checks and the files themselves."""
    if seen.site.mode.is_postgres:
        yield from _sound_postgres(seen)
    else:
        yield from _sound_sqlite(seen)


def _sound_postgres(seen: Evidence) -> Iterator[str]:
    indexes = text(
        "SELECT bt_index_check(c.oid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE a.amname = 'btree' AND n.nspname = 'public' AND i.indisvalid"
    )
    tables = text(
        "SELECT v.msg FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
        " LATERAL verify_heapam(c.oid) v WHERE c.relkind = 'r' AND n.nspname = 'public'"
    )
    with seen.rt.engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS amcheck"))
        connection.execute(indexes)
        for row in connection.execute(tables):
            yield f"amcheck: {row[0]}"


def _sound_sqlite(seen: Evidence) -> Iterator[str]:
    with seen.rt.engine.connect() as connection:
        for row in connection.execute(text("PRAGMA integrity_check")):
            if row[0] != "ok":
                yield f"integrity_check: {row[0]}"
        for row in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"foreign_key_check: {row}"
