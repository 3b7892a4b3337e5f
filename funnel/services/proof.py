"""Whether it is proved that our mail will be believed; until then series mail waits.

The last report is kept whole; a small switch beside it says whether it holds the series, so that
every claim can ask for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Control
from funnel.db.upsert import insert_if_absent
from funnel.domain.clock import is_over
from funnel.domain.deliverability import Finding, Light, Record, Report, why_wait
from funnel.domain.errors import InvalidInput
from funnel.services import control

SENTENCE = "I understand that my mail may not arrive"
WISH_LASTS = timedelta(minutes=2)


@dataclass(frozen=True)
class Proof:
    """The last report and what follows from it.

    `is_required` in production with a real provider only. `excused` are the findings that `by`
    chose to send in spite of, at `excused_at`. Times are the machine's.
    """

    report: Report | None
    is_required: bool
    why_held: str | None
    excused: frozenset[str] = frozenset()
    by: str | None = None
    excused_at: datetime | None = None
    is_wanted: bool = False
    asked_at: datetime | None = None

    @property
    def is_overridden(self) -> bool:
        """True when mail goes in spite of what is in the way."""
        return self.is_required and bool(self.excused)

    def is_awaited(self, now: datetime) -> bool:
        """True while a look that was asked for may still come (machine time)."""
        return self.is_wanted and self.asked_at is not None and now - self.asked_at < WISH_LASTS


def proof(session: Session) -> Proof:
    """How it stands, for whoever shows it."""
    switch: dict[str, Any] = control.read(session, control.UNPROVED)
    return _proof(switch, _report(session, switch.get("setup", "")))


def require(session: Session, *, is_required: bool, setup: str) -> None:
    """Say whether series mail has to wait for a proof, and of which set-up it must be.

    Repeating it changes nothing. Another set-up has no report yet, and no excuse.
    """
    wanted = {"required": is_required, "setup": setup}
    if control.read(session, control.UNPROVED).items() >= wanted.items():
        return
    switch = _locked(session)
    if switch.get("setup") != setup:
        switch["excused"] = []
    _settle(session, switch | wanted, _report(session, setup))


def record(session: Session, report: Report) -> Report:
    """Keep a report, and hold series mail or let it go by what it says.

    Returns what was kept: where a thing could not be seen, it stands as it did. An excuse ends
    once its finding is out of the way, so that the same trouble holds the series anew.
    """
    switch = _locked(session)
    kept = report.after(_report(session, report.setup))
    control.write(session, control.DOCTOR, _as_json(kept))
    left = {finding.key for finding in kept.in_the_way}
    excused = sorted(left & set(switch.get("excused", ())))
    of_ours = kept if kept.setup == switch.get("setup", "") else None
    _settle(session, switch | {"excused": excused, "wanted": False}, of_ours)
    return kept


def send_anyway(session: Session, sentence: str, *, by: str, now: datetime) -> None:
    """Let series mail go in spite of all that is in the way now (machine time).

    Raises InvalidInput unless the sentence was typed, and where nobody has looked yet. What comes
    in the way later holds the series again.
    """
    if _plain(sentence) != _plain(SENTENCE):
        raise InvalidInput("sentence", f"Please type: {SENTENCE}")
    switch = _locked(session)
    report = _report(session, switch.get("setup", ""))
    if report is None:
        raise InvalidInput("sentence", "Nobody has looked yet. Look first, then decide.")
    excused = sorted(finding.key for finding in report.in_the_way)
    excuse = {"excused": excused, "by": by, "excused_at": now.isoformat()}
    _settle(session, switch | excuse, report)


def hold_again(session: Session) -> None:
    """Take that back: series mail waits until nothing is in the way."""
    switch = _locked(session)
    report = _report(session, switch.get("setup", ""))
    _settle(session, switch | {"excused": []}, report)


def ask_look(session: Session, *, now: datetime) -> None:
    """Ask a worker to look as soon as it can (machine time); asking twice is asking once."""
    switch = _locked(session)
    if not switch.get("wanted"):
        switch |= {"wanted": True, "taken_at": None}
    control.write(session, control.UNPROVED, switch | {"asked_at": now.isoformat()})


def take_wish(session: Session, *, now: datetime) -> bool:
    """True for the one worker that is to look because somebody asked (machine time).

    The wish stands until a report is recorded; a worker that stops over it is not waited for.
    """
    if not control.read(session, control.UNPROVED).get("wanted"):
        return False
    switch = _locked(session)
    taken = _instant(switch.get("taken_at"))
    if not switch.get("wanted") or (taken and not is_over(taken + WISH_LASTS, WISH_LASTS, now)):
        return False
    control.write(session, control.UNPROVED, switch | {"taken_at": now.isoformat()})
    return True


def _plain(sentence: str) -> str:
    return " ".join(sentence.split()).strip(".!\"'“”").casefold()


def _locked(session: Session) -> dict[str, Any]:
    """The switch, locked until the transaction ends."""
    insert_if_absent(session, Control, key=control.UNPROVED, value={})
    query = select(Control.value).where(Control.key == control.UNPROVED).with_for_update()
    fresh = query.execution_options(populate_existing=True)
    return dict(session.scalars(fresh).one())


def _settle(session: Session, switch: dict[str, Any], report: Report | None) -> None:
    why = why_wait(report, switch.get("excused", ())) if switch.get("required") else None
    control.write(session, control.UNPROVED, switch | {"on": why is not None, "why": why})


def _proof(switch: Mapping[str, Any], report: Report | None) -> Proof:
    return Proof(
        report=report,
        is_required=bool(switch.get("required")),
        why_held=switch.get("why") if switch.get("on") else None,
        excused=frozenset(switch.get("excused", ())),
        by=switch.get("by"),
        excused_at=_instant(switch.get("excused_at")),
        is_wanted=bool(switch.get("wanted")),
        asked_at=_instant(switch.get("asked_at")),
    )


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _report(session: Session, setup: str) -> Report | None:
    """The last report, unless it is of another set-up."""
    kept = control.read(session, control.DOCTOR)
    return _from_json(kept) if kept and kept.get("setup", "") == setup else None


def _as_json(report: Report) -> dict[str, object]:
    return {
        "at": report.at.isoformat(),
        "setup": report.setup,
        "findings": [
            {
                "key": each.key,
                "light": each.light,
                "title": each.title,
                "say": each.say,
                "why": each.why,
                "records": [[one.kind, one.name, one.value] for one in each.records],
            }
            for each in report.findings
        ],
    }


def _from_json(kept: Mapping[str, Any]) -> Report:
    findings = tuple(
        Finding(
            each["key"],
            Light(each["light"]),
            each["title"],
            each["say"],
            each["why"],
            tuple(Record(*one) for one in each["records"]),
        )
        for each in kept["findings"]
    )
    return Report(datetime.fromisoformat(kept["at"]), findings, kept.get("setup", ""))
