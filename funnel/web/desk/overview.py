"""The overview: the week in a sentence, the funnel, and whether everything works."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from funnel.domain.sequence import Fact
from funnel.domain.stats import StepCount, weakest
from funnel.runtime import Runtime
from funnel.services.reports import cohort, complaints, health, mails, moves, weeks
from funnel.web.desk import signs

DEMO_LATE_AFTER = timedelta(days=2)
CARDS = (Fact.REQUESTED, Fact.DOWNLOADED, Fact.JOINED, Fact.WAITLISTED, Fact.PURCHASED)


@dataclass(frozen=True)
class Overview:
    """Everything the overview shows, read in one transaction."""

    week: dict[Fact, weeks.WeekCount]
    new_people: tuple[weeks.NewPeople, ...]
    funnel: cohort.FunnelReport
    weakest: StepCount | None
    sources: tuple[cohort.SourceCount, ...]
    challenge: moves.ChallengeReport
    mails: mails.MailReport
    complaints: complaints.OpenCount
    health: health.Health


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The desk's first page."""

    @routes.get("/")
    def overview() -> str:
        now = rt.clock.now()
        with rt.reading.begin() as session:
            found = _read(session, rt, now)
        if not (found.week[Fact.REQUESTED].ever or found.complaints.many):
            return _first_day(rt)
        shown = signs.signs(found.health, len(rt.catalog.brand.missing()))
        return render_template(
            "desk/overview.html",
            it=found,
            cards=[found.week[fact] for fact in CARDS],
            labels=[f"{week.monday.day} {week.monday:%b}" for week in found.new_people],
            signs=shown,
            verdict=signs.verdict(shown),
        )


def _read(session: Session, rt: Runtime, now: datetime) -> Overview:
    funnel = cohort.funnel(session, now=now)
    return Overview(
        week=weeks.week_counts(session, now=now),
        new_people=weeks.new_people(session, now=now),
        funnel=funnel,
        weakest=weakest(funnel.steps),
        sources=cohort.sources(session, now=now),
        challenge=moves.challenge(
            session, days=len(rt.catalog.challenge.days), engine=rt.sequences, now=now
        ),
        mails=mails.mails(session, now=now),
        complaints=complaints.count_open(session, zone=rt.catalog.brand.time_zone, now=now),
        health=health.health(
            session,
            now=now,
            machine_now=rt.clock.machine(),
            late_after=_late_after(rt),
            limits=rt.worker.watch.limits,
        ),
    )


def _late_after(rt: Runtime) -> timedelta:
    """How long a due mail may wait. In the demo a day of the funnel is over in seconds."""
    return DEMO_LATE_AFTER if rt.settings.demo else health.LATE_AFTER


def _first_day(rt: Runtime) -> str:
    """Before anybody has come: what to do first, by what is really still to do."""
    return render_template(
        "desk/first_day.html",
        missing=rt.catalog.brand.missing(),
        is_safety_read=rt.catalog.safety.reviewed_on is not None,
        is_mail_local=rt.mailbox is not None,
        home=rt.links.url("home"),
    )
