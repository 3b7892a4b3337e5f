"""The verdict: what the providers took, what the database says, and the thirteen rules.

The providers' own log is the truth. Each rule is a function that yields what broke it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from funnel.runtime import Runtime
from tests.chaos import rules_mail, rules_order, rules_site
from tests.chaos.evidence import Evidence, gather
from tests.chaos.history import History
from tests.chaos.site import Site, percentile
from tests.chaos.workload import Person

if TYPE_CHECKING:
    from tests.chaos.run import Plan

Rule = Callable[[Evidence], Iterator[str]]

RULES: dict[str, Rule] = {
    "rule 1: nothing is lost": rules_mail.nothing_is_lost,
    "rule 2: nothing is doubled": rules_mail.nothing_is_doubled,
    "rule 2: one claim a fence": rules_mail.claims_are_exclusive,
    "rule 3: nothing to who does not want it": rules_mail.nobody_is_mailed_against_their_will,
    "rule 3: quiet hours": rules_order.nights_are_quiet,
    "rule 4: in order": rules_order.steps_come_in_order,
    "rule 5: one in a gap": rules_order.gaps_are_kept,
    "rule 6: copies are identical": rules_mail.copies_are_identical,
    "rule 7: the intent comes first": rules_mail.intents_come_first,
    "rule 8: events count once": rules_site.events_count_once,
    "rule 9: rates and limits": rules_site.limits_hold,
    "rule 10: slots run once": rules_site.slots_run_once,
    "rule 11: logs hold no secret": rules_site.logs_hold_no_secret,
    "rule 12: calm comes back": rules_site.calm_comes_back,
    "rule 13: the database is sound": rules_site.database_is_sound,
}


@dataclass(frozen=True)
class Report:
    """The outcome of one run; `line` is what the proof prints."""

    seed: int
    mode: str
    people: int
    sends: int
    lost: int
    duplicated: int
    ambiguous: int
    kills: int
    faults: int
    fault_kinds: int
    failpoints: int
    unsubscribe_p99_seconds: float
    recovery_seconds: float | None
    seconds: float
    broken: str | None
    not_checked: list[str]
    findings: dict[str, list[str]] = field(repr=False)
    details: dict[str, Any] = field(repr=False)

    @property
    def line(self) -> str:
        """One JSON object."""
        values = asdict(self)
        del values["findings"], values["details"]
        return json.dumps(values)


def check(
    site: Site,
    rt: Runtime,
    history: History,
    people: list[Person],
    problems: list[str],
    calm: float | None,
    plan: "Plan",
) -> Report:
    """Judge one run by every rule."""
    seen = gather(site, rt, history, people, problems, calm, plan.steps)
    findings = {name: list(rule(seen)) for name, rule in RULES.items()}
    findings = {name: found for name, found in findings.items() if found}
    for name, found in findings.items():
        history.note("broken", rule=name, what=found[:50])
    first = next(iter(findings), None)
    kinds = history.count("fault", "name")
    strikes = Counter(f"{s['place']} {s['strike']}" for s in seen.strikes)
    deaths = [event for event in history.of("died") if event["code"] == -9]
    return Report(
        seed=site.seed,
        mode=site.mode,
        people=len(people),
        sends=len(seen.accepts),
        lost=len(list(rules_mail.lost(seen))),
        duplicated=len(rules_mail.doubled(seen)),
        ambiguous=len(rules_mail.ambiguous(seen)),
        kills=len(deaths),
        faults=sum(kinds.values()) + sum(strikes.values()),
        fault_kinds=len(kinds) + len({s["strike"] for s in seen.strikes}),
        failpoints=len(strikes),
        unsubscribe_p99_seconds=round(percentile(rules_mail.unsubscribe_lags(seen), 0.99), 2),
        recovery_seconds=calm,
        seconds=0.0,
        broken=first and f"{first}: {findings[first][0]}",
        not_checked=_not_checked(site),
        findings=findings,
        details={"faults": dict(kinds), "strikes": dict(strikes), "problems": problems[:20]},
    )


def _not_checked(site: Site) -> list[str]:
    """What cannot apply here, said openly."""
    left_out = ["erased people: nobody is erased in a run (tests/services/test_rights_*)"]
    if not site.mode.is_sendgrid:
        left_out.append("rule 8: an SMTP server tells no events")
        left_out.append("rule 9, probes: an SMTP server has no account to refuse")
    return left_out
