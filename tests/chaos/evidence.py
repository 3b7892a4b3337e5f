"""All that the checker looks at, gathered once: accept log, database rows, process files."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from funnel.db.mail import Attempt, Enrolment, MailEvent, Message
from funnel.db.people import Subscriber
from funnel.runtime import Runtime
from tests.chaos import failpoints, parts, story
from tests.chaos.history import Event, History, lines_of
from tests.chaos.site import Site
from tests.chaos.workload import Fate, Person


@dataclass(frozen=True)
class Evidence:
    """One finished run."""

    site: Site
    rt: Runtime
    history: History
    people: list[Person]
    problems: list[str]
    calm: float | None
    steps: tuple[str, ...]  # of the first version
    accepts: list[Event]
    by_id: dict[str, list[Event]]
    messages: dict[str, Message]
    subscribers: dict[int, Subscriber]
    enrolments: dict[int, Enrolment]
    attempts: list[Attempt]
    events: list[MailEvent]
    strikes: list[Event]
    ticks: list[Event]
    claims: list[Event]

    def address_of(self, message: Message) -> str:
        return self.subscribers[message.subscriber_id or 0].email

    def is_series(self, message: Message) -> bool:
        """Whether it is a mail of the series that keeps hours and gaps."""
        return message.mail_key.startswith(f"{story.SEQUENCE}/")

    def when(self, kind: str) -> dict[str, float]:
        """The first time of an event of the workload, by address."""
        found: dict[str, float] = {}
        for event in self.history.of(kind):
            found.setdefault(str(event["to"]), float(event["at"]))
        return found

    def wall(self, funnel: datetime) -> float:
        """The machine's time of an instant of the funnel's calendar."""
        passed = (funnel - self.site.funnel_time(self.site.epoch)).total_seconds()
        return self.site.epoch + passed / self.site.speed

    def fates(self) -> dict[str, Fate]:
        return {person.address: person.fate for person in self.people}


def gather(
    site: Site,
    rt: Runtime,
    history: History,
    people: list[Person],
    problems: list[str],
    calm: float | None,
    steps: int,
) -> Evidence:
    """Read everything once the site has stopped."""
    folder = Path(site.folder)
    by_id: dict[str, list[Event]] = defaultdict(list)
    for accept in (accepts := history.of("accept")):
        by_id[str(accept["id"])].append(accept)
    with rt.reading.begin() as session:
        rows: dict[Any, list[Any]] = {
            table: list(session.scalars(select(table)))
            for table in (Message, Subscriber, Enrolment, Attempt, MailEvent)
        }
    return Evidence(
        site=site,
        rt=rt,
        history=history,
        people=people,
        problems=problems,
        calm=calm,
        steps=story.STEPS[:steps],
        accepts=accepts,
        by_id=by_id,
        messages={str(row.id): row for row in rows[Message]},
        subscribers={row.id: row for row in rows[Subscriber]},
        enrolments={row.id: row for row in rows[Enrolment]},
        attempts=rows[Attempt],
        events=rows[MailEvent],
        strikes=list(lines_of(folder / failpoints.LOG)),
        ticks=list(lines_of(folder / parts.TICKS)),
        claims=list(lines_of(folder / parts.CLAIMS)),
    )
