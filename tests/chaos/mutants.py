"""Fifteen mutants: one protection at a time is switched off, and the run must turn red.

Each is a change of the product's own text, made in a copy of the package. The old text must be
there exactly once, so a mutant cannot silently stop meaning anything.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from tests.chaos.run import Plan
from tests.chaos.site import Mode, Strikes
from tests.chaos.workload import Fate

FUNNEL = Path(__file__).parents[2] / "funnel"


@dataclass(frozen=True)
class Edit:
    """One change of a file below `funnel/`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A protection that is gone, the run that is likely to show it, and the rule that must."""

    name: str
    edits: tuple[Edit, ...]
    plan: Plan
    rules: tuple[str, ...]


def breed(mutant: Mutant, folder: Path) -> Path:
    """A copy of the package with the mutant's changes."""
    shutil.copytree(FUNNEL, folder / "funnel", ignore=shutil.ignore_patterns("__pycache__"))
    for path, words in changed(mutant).items():
        (folder / "funnel" / path).write_text(words, "utf-8")
    return folder


def changed(mutant: Mutant) -> dict[str, str]:
    """The mutant's files as they become; AssertionError where a change does not apply."""
    files: dict[str, str] = {}
    for edit in mutant.edits:
        words = files.get(edit.path) or (FUNNEL / edit.path).read_text("utf-8")
        assert words.count(edit.old) == 1, f"{mutant.name}: {edit.path} has changed"
        files[edit.path] = words.replace(edit.old, edit.new)
    return files


CALM = Plan(
    seed=7,
    mode=Mode.SENDGRID,
    people=40,
    storm_seconds=20.0,
    calm_seconds=15.0,
    strike=Strikes(rate=0.0),
    only=frozenset({"provider latency"}),
    keep=None,
)


def _with(mode: Mode = Mode.SENDGRID, **changes: object) -> Plan:
    return replace(CALM, mode=mode, **changes)  # type: ignore[arg-type]


def _late_after_intent(shortest: float, longest: float) -> Plan:
    """Workers sleep between the intent and the call, past their lease and the settle window."""
    return _with(
        strike=Strikes(chances={"after_intent": 0.35}, kinds=("pause",), pause=(shortest, longest)),
        only=frozenset({"provider: sluggish"}),
        fault_pause=0.3,
        storm_seconds=45.0,
        arrive_seconds=20.0,
        steps=4,
    )


MUTANTS = (
    Mutant(
        "no fence",
        (
            Edit(
                "services/moving.py",
                "[_locked(*row) for row in rows if row.fence == fences[row.id]]",
                "[_locked(*row) for row in rows]",
            ),
        ),
        _late_after_intent(11.0, 14.5),
        ("rule 2:",),
    ),
    Mutant(
        "no deadline",
        (
            Edit(
                "services/sending.py",
                "if self.clock.boot_seconds() - started > self.patience.start_seconds:",
                "if started < 0:",
            ),
        ),
        _late_after_intent(12.5, 15.0),
        ("rule 2:", "rule 3:"),
    ),
    Mutant(
        "no settle window",
        (
            Edit(
                "services/doubt.py",
                "return asked_long_ago and is_over(each.since + settle, settle, now)",
                "return asked_long_ago",
            ),
        ),
        _with(
            only=frozenset({"provider: accepted after we gave up"}), fault_pause=0.5, log_lag=3.0
        ),
        ("rule 2:",),
    ),
    Mutant(
        "naive retry",
        (
            Edit(
                "domain/delivery.py",
                "return Verdict(MessageState.UNKNOWN, why)",
                "return _try_again(why, mail_class, attempt, due_at, now, jitter)",
            ),
        ),
        _with(only=frozenset({"provider: 503 but accepted", "provider: reset after"})),
        ("rule 2:",),
    ),
    Mutant(
        "no suppression re-check",
        (
            Edit("services/objections.py", "        if refusal:\n", "        if refusal == 0:\n"),
            Edit(
                "services/objections.py",
                "        if enrolled.state is not EnrolmentState.ACTIVE:\n",
                "        if enrolled.state is None:\n",
            ),
            Edit(
                "services/enrolment.py",
                "    outbox.cancel_waiting(session, [enrolment.id], why=why, now=now)\n",
                "",
            ),
        ),
        _with(
            only=frozenset({"series mail held for days"}),
            shares={Fate.LEAVES: 0.9, Fate.STAYS: 0.1},
            fault_pause=4.0,
            storm_seconds=40.0,
        ),
        ("rule 3:",),
    ),
    Mutant(
        "no unique key",
        (
            Edit(
                "services/enrolment.py",
                '        "round": number,\n',
                "        \"round\": __import__('secrets').randbelow(10**9),\n",
            ),
        ),
        _with(),
        ("rule 2:",),
    ),
    Mutant(
        "a cursor instead of rows",
        (
            Edit(
                "services/doubt.py",
                "return Move(message, MessageState.SCHEDULED, why, also)",
                "return Move(message, MessageState.ACCEPTED, why, {'fence': fence})",
            ),
        ),
        _with(
            only=frozenset({"kill -9 worker"}),
            strike=Strikes(chances={"after_claim": 0.3}, kinds=("kill",)),
        ),
        ("rule 1:",),
    ),
    Mutant(
        "intent committed after the send",
        (
            Edit(
                "services/sending.py",
                "            leaving = self._intend(session, written)\n"
                "        if leaving:\n"
                '            self.reach("after_intent")\n'
                "            results = self._call(leaving, started)\n",
                "            leaving = self._intend(session, written)\n"
                "            results = self._call(leaving, started) if leaving else []\n"
                "        if leaving:\n"
                '            self.reach("after_intent")\n',
            ),
        ),
        _with(),
        ("rule 7:",),
    ),
    Mutant(
        "no skip locked",
        (
            Edit(
                "services/claiming.py",
                "            .with_for_update(skip_locked=True, key_share=True)\n",
                "",
            ),
        ),
        _with(is_throttled=False, only=frozenset({"database latency"}), fault_pause=0.4),
        ("rule 2: one claim",),
    ),
    Mutant(
        "breaker off",
        (
            Edit(
                "domain/breaker.py",
                "        if self.probe_at is not None:\n            return 1 if",
                "        if self.probe_at == 0:\n            return 1 if",
            ),
        ),
        _with(only=frozenset({"provider: 401 hour"}), fault_pause=1.0),
        ("rule 9:",),
    ),
    Mutant(
        "tick unguarded",
        (
            Edit(
                "services/control.py",
                "if insert_if_absent(session, Tick, name=name, slot=slot):",
                "if insert_if_absent(session, Tick, name=name, slot=slot) or True:",
            ),
        ),
        _with(),
        ("rule 10:",),
    ),
    Mutant(
        "quiet hours: local time of yesterday and 24 hours",
        (
            Edit(
                "domain/schedule.py",
                "    local = when.astimezone(zone)\n    if window.holds(local.time()):\n",
                "    local = (when - timedelta(days=1)).astimezone(zone)\n"
                "    if window.holds(local.time()):\n",
            ),
            Edit(
                "domain/schedule.py",
                "    return max(local_instant(day, wall, zone), moved)\n",
                "    begun = local_instant(local.date(), wall, zone)\n"
                "    return max(begun + timedelta(days=(day - local.date()).days), moved)\n",
            ),
        ),
        _with(steps=4, day_seconds=5.0),
        ("rule 3: quiet hours",),
    ),
    Mutant(
        "events not deduped",
        (
            Edit(
                "services/mail_events.py",
                "        return given\n",
                "        return given + __import__('secrets').token_hex(4)\n",
            ),
        ),
        _with(only=frozenset({"webhook duplicates"})),
        ("rule 8:",),
    ),
    Mutant(
        "GET confirms",
        (
            Edit(
                "web/public.py",
                "    handle = rt.links.read(LinkPurpose.CONFIRM, token)\n"
                "    with rt.reading.begin() as session:\n",
                "    handle = rt.links.read(LinkPurpose.CONFIRM, token)\n"
                "    confirm(rt, token)\n"
                "    with rt.reading.begin() as session:\n",
            ),
        ),
        _with(),
        ("rule 3:",),
    ),
    Mutant(
        "limiter in Redis",
        (
            Edit(
                "services/limits.py",
                "    statement = _counting(session.get_bind().dialect.name)",
                "    import os, redis\n"
                "    with redis.Redis.from_url(os.environ['BROKER_URL']) as store:\n"
                "        until = float(store.get(key + ':until') or 0)\n"
                "        if until <= now.timestamp():\n"
                "            store.set(key + ':until', (now + window).timestamp())\n"
                "            store.set(key + ':count', 0)\n"
                "        return int(store.incr(key + ':count'))\n"
                "    statement = _counting(session.get_bind().dialect.name)",
            ),
        ),
        _with(only=frozenset({"redis FLUSHALL"})),
        ("rule 9:",),
    ),
)
