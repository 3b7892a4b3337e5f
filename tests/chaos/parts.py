"""The processes of a run: `python -m tests.chaos.parts SITE web|worker|beat|hand NAME NUMBER`.

Each is the product's own code, made by `build_runtime`, with a clock whose days are seconds, a
short patience, and failpoints where the sender, the sessions and the bell let one look in.
"""

import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session

from funnel.adapters.absent import NoNameServers, NothingKept
from funnel.adapters.bells import LocalBell
from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.sendgrid_api import Patience as SendGridPatience
from funnel.adapters.smtp import SmtpMailer
from funnel.adapters.smtp_dialogue import Patience as SmtpPatience
from funnel.domain.ports import Bell, Mailer, OutgoingEmail, Outside, SendResult
from funnel.runtime import Runtime, _bell, build_runtime
from funnel.services import control, work
from funnel.services.letters import Draft
from funnel.settings import Settings
from tests.chaos import pace
from tests.chaos.failpoints import Failpoints
from tests.chaos.site import (
    ANSWER_SECONDS,
    API_KEY,
    BEGIN_SECONDS,
    PATIENCE,
    SECRET,
    Mode,
    Site,
    SiteClock,
)
from tests.support.house import FakePress

NOTHING_OUTSIDE = Outside(NoNameServers(), NothingKept())
TICKS = "ticks.jsonl"
CLAIMS = "claims.jsonl"


def settings_of(site: Site) -> Settings:
    """The settings of this site."""
    scheme = "sendgrid" if site.mode.is_sendgrid else "smtp"
    return Settings(
        database_url=site.database_url,
        mail_url=f"{scheme}://{site.provider_url.partition('://')[2]}",
        storage_url=f"file://{site.folder}/guides",
        broker_url=site.broker_url,
        secret_keys=(SECRET,),
        base_url=site.base_url,
        listen=site.base_url.partition("://")[2],
        send_rate=site.send_rate,
        is_production=True,  # nowhere else may mail go to everybody
        trusted_proxies=1,  # so that each invented visitor may come from an address of their own
        sendgrid_public_keys=(site.public_key,),
        templates_path=f"{site.folder}/templates",
    )


class WatchedMailer:
    """The product's mailer, with a failpoint on either side of every call."""

    def __init__(self, inner: Mailer, reach: Callable[[str], None]) -> None:
        self.inner, self.reach = inner, reach
        self.name = inner.name
        self.batch_size = inner.batch_size
        self.answer_seconds = inner.answer_seconds
        self.knows_at_once = inner.knows_at_once

    @property
    def last_date_seen(self) -> tuple[datetime, float] | None:
        """What the watch over the clocks looks at, where the mailer keeps it."""
        return getattr(self.inner, "last_date_seen", None)

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        self.reach("before_call")
        results = self.inner.send(emails)
        self.reach("after_call")
        return results

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool | None:
        return self.inner.was_accepted(message_id, to_address, since)

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class WatchedBell:
    """The product's bell, with a failpoint between the commit and the ring."""

    inner: Bell
    reach: Callable[[str], None]

    def ring(self, queue: str) -> None:
        self.reach("before_ring")
        self.inner.ring(queue)


def mailer_of(site: Site) -> Mailer:
    """The product's mailer for this site, as impatient as the site's own limits ask."""
    if site.mode.is_sendgrid:
        limits = SendGridPatience(
            1.0, read=2.0, write=2.0, pool=1.0, total=ANSWER_SECONDS, begin=BEGIN_SECONDS
        )
        return SendGridMailer(API_KEY, site.provider_url, patience=limits)
    dialogue = SmtpPatience(
        turn=2.0, begin=BEGIN_SECONDS, connect=1.0, command=1.5, hand_over=2.0, final=3.0
    )
    return SmtpMailer(site.provider_url, patience=dialogue)


def open_part(site: Site, name: str, number: str, bell: Bell | None = None) -> Runtime:
    """The runtime of one process of the site."""
    folder = Path(site.folder)
    pace.quicken(site)
    points = Failpoints(folder, name, f"{site.seed}:{name}:{number}", site.strike)
    settings = settings_of(site)
    rt = build_runtime(
        settings,
        clock=SiteClock(site),
        bell=WatchedBell(bell or _bell(settings), points.reach),
        mailer=WatchedMailer(mailer_of(site), points.reach),
        press=FakePress(),
        patience=PATIENCE,
        reach=points.reach,
        outside=NOTHING_OUTSIDE,
    )
    _watch_claims(rt, folder / CLAIMS, name)
    for moment in ("before_commit", "after_commit"):
        event.listen(rt.sessions, moment, _passing(points, moment))
    _watch_ticks(folder / TICKS)
    return rt


def _passing(points: Failpoints, place: str) -> Callable[[Session], None]:
    def pass_by(_: Session) -> None:
        points.reach(place)

    return pass_by


def _watch_claims(rt: Runtime, log: Path, part: str) -> None:
    """Note each letter that this process writes: by then it believes to have claimed it."""
    write = rt.worker.sender.writer.write

    def write_and_note(draft: Draft) -> OutgoingEmail:
        line = {"id": str(draft.message_id), "fence": draft.fence, "part": part, "at": time.time()}
        _append(log, json.dumps(line) + "\n")
        return write(draft)

    object.__setattr__(rt.worker.sender.writer, "write", write_and_note)  # it may be frozen


def _watch_ticks(log: Path) -> None:
    """Note each slot of periodic work that was taken, once its transaction is in."""
    take = control.take_slot

    def take_and_note(session: Session, name: str, *, every: timedelta, now: datetime) -> bool:
        is_ours = take(session, name, every=every, now=now)
        if is_ours:
            slot = int(now.timestamp()) // int(every.total_seconds())
            line = json.dumps({"name": name, "slot": slot, "at": time.time()}) + "\n"
            event.listen(session, "after_commit", lambda _: _append(log, line), once=True)
        return is_ours

    work.control.take_slot = take_and_note  # type: ignore[attr-defined]  # the very module


def _append(log: Path, line: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(line)


def serve_web(site: Site, name: str, number: str) -> None:
    """The public side, by waitress, as `funnel up` and production serve it."""
    from funnel.cli.up import listen
    from funnel.web.app import create_app

    bell = LocalBell() if site.mode is Mode.SQLITE else None
    rt = open_part(site, name, number, bell)
    server = listen(create_app(rt), rt.settings)
    server.run()


def celery_app(site: Site, name: str, number: str) -> Any:
    """The product's Celery application."""
    from funnel.tasks import create_celery

    app = create_celery(open_part(site, name, number))
    app.conf.update(broker_connection_timeout=1, worker_hijack_root_logger=False)
    return app


def run_worker(site: Site, name: str, number: str) -> None:
    """A Celery worker for mail and guides, two threads."""
    options = ["--pool", "threads", "-c", "2", "-Q", "mail,pdf", "-n", f"{name}@chaos"]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "warning"]
    celery_app(site, name, number).worker_main(["worker", *options, *quiet])


def run_beat(site: Site, name: str, number: str) -> None:
    """One of several beats: the database decides whose tick counts."""
    app = celery_app(site, name, number)
    app.Beat(schedule=f"{site.folder}/{name}.schedule", loglevel="warning").run()


def run_hand(site: Site, name: str, number: str) -> None:
    """The loops of `funnel up`, without its pages."""
    from funnel.cli.up import work_loops

    bell = LocalBell()
    rt = open_part(site, name, number, bell)
    loops = work_loops(rt, bell)

    def stop(*_: object) -> None:
        rt.worker.stopping.set()
        loops.stopped.set()

    signal.signal(signal.SIGTERM, stop)
    loops.start()
    for thread in loops.threads:
        thread.join()


KINDS = {"web": serve_web, "worker": run_worker, "beat": run_beat, "hand": run_hand}


def main(path: str, kind: str, name: str, number: str) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    KINDS[kind](Site.read(Path(path)), name, number)


if __name__ == "__main__":
    main(*sys.argv[1:])
