"""One invented person's weeks with the real engine: a clock that jumps from event to event."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import NAMESPACE_DNS, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Enrolment
from funnel.db.people import Subscriber
from funnel.domain.clock import ManualClock
from funnel.domain.enrolment import LIVE
from funnel.domain.errors import FunnelError
from funnel.domain.evidence import Evidence
from funnel.domain.guides import Edition
from funnel.domain.people import parse_address
from funnel.domain.rehearsal import Cue, Deed, Entry, GuideCopy, Kind, Sample
from funnel.domain.schedule import local_instant, zone_of
from funnel.domain.simulated import CONFIRM_MAIL, Act, ActKind
from funnel.domain.touch import FirstTouch
from funnel.services import guides, preferences, quiet, signup, steering
from funnel.services.rehearsal_log import Log
from funnel.services.reports.titles import step_title
from funnel.services.shelf import Shelf
from funnel.services.simulated_acts import NO_ADDRESS, Stage, do
from funnel.services.simulated_people import Known, know
from funnel.services.simulation import next_work_at
from funnel.services.work import Worker, drain

AGENT = "A person made up for a rehearsal"
AT_ONCE = Cue(do=Deed.CONFIRM, after_mail=CONFIRM_MAIL, wait=timedelta(minutes=2))
LOOK_AGAIN_AFTER = timedelta(minutes=1)
_ACTS = {
    Deed.CONFIRM: ActKind.CONFIRM,
    Deed.DOWNLOAD: ActKind.DOWNLOAD,
    Deed.JOIN: ActKind.JOIN,
    Deed.TICK: ActKind.TICK,
    Deed.WAITLIST: ActKind.WAIT,
    Deed.BUY: ActKind.PAY,
    Deed.UNSUBSCRIBE: ActKind.LEAVE,
}
_WISHES: dict[Deed, Callable[..., None]] = {
    Deed.REST: quiet.pause,
    Deed.START_AGAIN: quiet.start_again,
    Deed.FEWER: partial(quiet.set_fewer, is_wanted=True),
}
DEED_WORDS = {
    Deed.CONFIRM: "Confirms the address",
    Deed.DOWNLOAD: "Downloads the guide",
    Deed.JOIN: "Joins the challenge",
    Deed.TICK: "Ticks off day",
    Deed.WAITLIST: "Joins the waiting list",
    Deed.BUY: "Buys the programme",
    Deed.CHOOSE: "Chooses which emails to get",
    Deed.PAUSE: "Has all series paused",
    Deed.RESUME: "Has all series resumed",
    Deed.REST: "Pauses for two weeks",
    Deed.START_AGAIN: "Starts again",
    Deed.FEWER: "Asks for at most one email a week",
    Deed.UNSUBSCRIBE: "Unsubscribes",
}


def with_confirmation(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """The script; without a word about it she confirms her address two minutes after the mail."""
    says = any(cue.do in {Deed.CONFIRM, Deed.LEAVE_UNCONFIRMED} for cue in cues)
    planned = cues if says else (AT_ONCE, *cues)
    return tuple(cue for cue in planned if cue.do is not Deed.LEAVE_UNCONFIRMED)


@dataclass
class Rehearsal:
    """Lives one person's weeks. `log` tells afterwards what happened, and why."""

    sessions: sessionmaker[Session]
    clock: ManualClock
    worker: Worker
    stage: Stage
    sample: Sample
    cues: tuple[Cue, ...]
    log: Log
    _open: list[Cue] = field(init=False)
    _done: dict[Deed, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._open = list(with_confirmation(self.cues))

    def live(self, begins_on: date, days: int) -> datetime:
        """From her asking on the first day to the midnight after the last; returns that instant."""
        zone = zone_of(self.sample.time_zone)
        end = local_instant(begins_on + timedelta(days=days), time(0), zone)
        self.clock.move_to(local_instant(begins_on, self.sample.asks_at, zone))
        self._ask()
        self._look()
        while True:
            self._act_and_work()
            if self.clock.now() >= end:
                return end
            self.clock.move_to(min(self._next_instant(), end))

    def undone(self) -> tuple[str, ...]:
        """One sentence for each line of the script that never had its moment."""
        return tuple(_why_undone(cue) for cue in self._open)

    def guide_copies(self, shelf: Shelf) -> tuple[GuideCopy, ...]:
        """The finished PDFs of her guide, as the download button would give them now."""
        with self.sessions.begin() as session:
            known = self._known(session)
            if known is None or known.guide is None:
                return ()
            found = [(each, self._file(session, known, each, shelf)) for each in Edition]
        return tuple(GuideCopy(edition, file) for edition, file in found if file is not None)

    def _file(self, session: Session, known: Known, edition: Edition, shelf: Shelf) -> bytes | None:
        if known.guide is None:
            return None
        made_at = known.seen.get("service/guide_ready", self.clock.now())
        file = guides.guide_file(session, known.guide, edition, shelf=shelf, now=made_at)
        return file.content if file else None

    def _act_and_work(self) -> None:
        """All that is due at this instant: her deeds, then the work that follows from them."""
        while due := self._due():
            self._open.remove(due)
            self._act(due)
            self._look()
        if drain(self.worker.printer.make_next):
            self._look()
        self.worker.mail_round()
        self._look()

    def _look(self) -> None:
        with self.sessions.begin() as session:
            self.log.look(session, self.sample.email, now=self.clock.now())

    def _known(self, session: Session) -> Known | None:
        return know(session, [self.sample.email]).get(self.sample.email)

    def _due(self) -> Cue | None:
        """The earliest of her deeds whose moment has come."""
        now = self.clock.now()
        due = [(when, cue) for cue in self._open if (when := self._when(cue)) and when <= now]
        return min(due, key=lambda each: each[0])[1] if due else None

    def _when(self, cue: Cue) -> datetime | None:
        if cue.on is not None:
            zone = zone_of(self.sample.time_zone)
            return local_instant(cue.on.date(), cue.on.time(), zone)
        if cue.after is not None:
            return self._done[cue.after] + cue.wait if cue.after in self._done else None
        came_at = self.log.came_at(cue.after_mail or "")
        return came_at + cue.wait if came_at else None

    def _next_instant(self) -> datetime:
        """When somebody next has something to do; always later than now."""
        with self.sessions.begin() as session:
            work_at = next_work_at(session)
        now, coming = self.clock.now(), [self._when(cue) for cue in self._open]
        found = [when for when in (work_at, *coming) if when is not None]
        later = [when if when > now else now + LOOK_AGAIN_AFTER for when in found]
        return min(later, default=datetime.max.replace(tzinfo=now.tzinfo))

    def _ask(self) -> None:
        sample, now = self.sample, self.clock.now()
        request = signup.SignupRequest(
            address=parse_address(sample.email),
            first_name=sample.name,
            wants_series=sample.wants_series,
            wants_health=sample.keeps_answers,
            touch=FirstTouch(source=sample.source),
            time_zone=sample.time_zone,
            evidence=self._evidence("home"),
            answers=dict(sample.answers) or None,
        )
        with self.sessions.begin() as session:
            signup.request_guide(
                session,
                request,
                now=now,
                links=self.stage.links,
                keeper=self.stage.keeper,
                ip_key=AGENT,
            )
            self._give_handle(session)
        self.log.add(Entry(now, Kind.DEED, "Asks for the guide", _ticked(sample)))

    def _give_handle(self, session: Session) -> None:
        """The handle decides arms and spread: with a drawn one no two rehearsals were alike."""
        query = select(Subscriber).where(Subscriber.email_key == self.sample.email)
        session.scalars(query).one().public_id = uuid5(NAMESPACE_DNS, self.sample.email)

    def _act(self, cue: Cue) -> None:
        """One deed, in a transaction of its own; a refusal is what a page would have said."""
        now, words = self.clock.now(), _words(cue)
        try:
            with self.sessions.begin() as session:
                known = self._known(session)
                if known is None:
                    return
                self._do(session, known, cue, now)
                why = _because(cue, session)
        except FunnelError as error:
            self.log.add(Entry(now, Kind.DEED, f"{words}: refused", str(error)))
            return
        self._done[cue.do] = now
        self.log.add(Entry(now, Kind.DEED, words, why))

    def _do(self, session: Session, known: Known, cue: Cue, now: datetime) -> None:
        if cue.do in {Deed.PAUSE, Deed.RESUME}:
            _steer(session, known, cue.do, now)
        elif cue.do in _WISHES:
            _WISHES[cue.do](session, known.handle, now=now)
        elif cue.do is not Deed.CHOOSE:
            do(session, known, Act(_ACTS[cue.do], now, cue.day), self.stage, now=now)
        else:
            self._choose(session, known, cue, now)

    def _choose(self, session: Session, known: Known, cue: Cue, now: datetime) -> None:
        preferences.set_preferences(
            session,
            known.handle,
            series=cue.series,
            challenge=cue.challenge,
            evidence=self._evidence("preferences"),
            links=self.stage.links,
            now=now,
        )

    def _evidence(self, form: str) -> Evidence:
        return Evidence(self.stage.links.url("home"), f"rehearsal-{form}", NO_ADDRESS, AGENT)


def _steer(session: Session, known: Known, deed: Deed, now: datetime) -> None:
    """What the therapist does at the desk with each series the person is in."""
    going = Enrolment.subscriber_id == known.subscriber_id, Enrolment.state.in_(LIVE)
    act = steering.pause if deed is Deed.PAUSE else steering.resume
    for enrolment_id in session.scalars(select(Enrolment.id).where(*going)).all():
        act(session, enrolment_id, by="the therapist", now=now)


def _words(cue: Cue) -> str:
    return f"{DEED_WORDS[cue.do]} {cue.day}" if cue.do is Deed.TICK else DEED_WORDS[cue.do]


def _ticked(sample: Sample) -> str:
    series = "says yes to the series" if sample.wants_series else "leaves the series unticked"
    answers = ", has taken the self-check" if sample.answers else ""
    return f"She {series}{answers}."


def _because(cue: Cue, session: Session) -> str:
    if cue.on is not None:
        return "At the moment that the script names."
    before = _she_does(cue.after) if cue.after else _mail_of(cue, session)
    return f"{_spelled(cue.wait)} after {before}." if cue.wait else f"Right after {before}."


def _she_does(deed: Deed) -> str:
    words = DEED_WORDS[deed]
    return f"she {words[:1].lower()}{words[1:]}"


def _mail_of(cue: Cue, session: Session) -> str:
    sequence_key, _, name = (cue.after_mail or "").partition("/")
    return f"“{step_title(session, sequence_key, name)}” came"


def _why_undone(cue: Cue) -> str:
    if cue.on is not None:
        return f"{_words(cue)} at {cue.on:%Y-%m-%d %H:%M}: that is not within these weeks."
    if cue.after is not None:
        return f"{_words(cue)}: it waits until {_she_does(cue.after)}, or the weeks ended before."
    return f"{_words(cue)}: the mail {cue.after_mail} did not come, or the weeks ended before."


def _spelled(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    counts = ((minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute"))
    parts = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count]
    return " and ".join(parts)
