"""One run: build the site, let people live on it, let the nemesis loose, wait for calm, check."""

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from funnel.runtime import build_runtime, prepare
from tests.chaos import failpoints, story
from tests.chaos.checker import Report, check
from tests.chaos.faults import Target
from tests.chaos.hands import Hands
from tests.chaos.history import History
from tests.chaos.mail import Mail
from tests.chaos.nemesis import Nemesis
from tests.chaos.parts import NOTHING_OUTSIDE, settings_of
from tests.chaos.postman import Postman
from tests.chaos.processes import ROOT, Fleet
from tests.chaos.provider import StormySendGrid
from tests.chaos.proxy import Link, Proxy
from tests.chaos.site import Mode, Site, SiteClock, Strikes
from tests.chaos.smtp_sink import SmtpSink
from tests.chaos.workload import SHARES, Fate, Inbox, Workload, invent
from tests.support.house import FakeMailer, FakePress, QuietBell
from tests.support.servers import (
    PostgresServer,
    RedisServer,
    running_postgres,
    running_redis,
)

LOOK_SECONDS = 0.5
LONGEST_CALM = 900.0
LONG_STORM_SECONDS = 40.0  # from here on faults may last for days of the calendar
HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Plan:
    """How large a run is. Seconds of the machine; `code` is a folder with another funnel."""

    seed: int
    mode: Mode
    people: int = 60
    steps: int = 3
    day_seconds: float = 4.0
    arrive_seconds: float = 6.0
    storm_seconds: float = 22.0
    calm_seconds: float = 60.0  # without anything moving, until it counts as hanging
    fault_pause: float = 0.6
    strike: Strikes = field(default_factory=Strikes)
    shares: Mapping[Fate, float] = field(default_factory=lambda: SHARES)
    is_throttled: bool = True
    log_lag: float = 1.0  # seconds until SendGrid's logs know of a mail
    only: frozenset[str] = frozenset()
    code: Path | None = None
    keep: Path | None = Path("var/chaos")


def run(plan: Plan) -> Report:
    """Do one run and judge it."""
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="funnel-chaos-")))
        site = _Run(plan, folder, stack)
        report = replace(site.go(), seconds=round(time.monotonic() - started, 1))
        site.history.note("report", line=report.line, findings=report.findings)
        site.history.keep(folder / HISTORY)
        if report.broken and plan.keep is not None:
            _keep(folder, plan.keep / f"{plan.mode}-{plan.seed}")
        return report


def _keep(folder: Path, kept: Path) -> None:
    """Save what tells the story of a failed run: history, logs, failpoints, a SQLite file."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for file in folder.iterdir():
        if file.suffix in {".jsonl", ".log", ".json", ".db"}:
            shutil.copy(file, kept)


class _Run:
    def __init__(self, plan: Plan, folder: Path, stack: ExitStack) -> None:
        self.plan, self.folder, self.stack = plan, folder, stack
        self.history, self.inbox = History(), Inbox()
        self.postman = Postman(plan.seed, self.history)
        self.proxy = stack.enter_context(Proxy())
        self.postgres: PostgresServer | None = None
        self.redis: RedisServer | None = None
        story.write_templates(ROOT / "templates", folder / "templates", plan.steps)
        self.hands: Hands | None = None
        self.provider = self._provider()
        self.site, direct = self._site()
        rt = build_runtime(
            replace(settings_of(self.site), database_url=direct),
            clock=SiteClock(self.site),
            bell=QuietBell(),
            mailer=FakeMailer(),
            press=FakePress(),
            outside=NOTHING_OUTSIDE,
        )
        stack.callback(rt.close)
        self.hands = Hands(rt, self.history, folder / "templates", plan.steps)

    def go(self) -> Report:
        hands = self._hands()
        prepare(hands.rt)
        hands.add_staff()
        hands.send_unproved()
        fleet = Fleet(self.site, self.site.keep(), self.history, self.plan.code)
        self.stack.callback(fleet.close)
        fleet.start()
        people = invent(self.site, self.plan.people, self.plan.arrive_seconds, self.plan.shares)
        work = Workload(self.site, people, self.inbox, self.history, hands.act, self._tell)
        self.stack.callback(work.close)
        if self.site.mode.is_sendgrid:
            self.postman.start(self.site.base_url)
            self.stack.callback(self.postman.close)
        work.start()
        self._storm(fleet, hands)
        calm = self._wait_for_calm(fleet, work, hands)
        work.close()
        fleet.close()
        return check(self.site, hands.rt, self.history, people, work.problems, calm, self.plan)

    def _hands(self) -> Hands:
        assert self.hands is not None
        return self.hands

    def _witness(self, ids: list[str]) -> set[str] | None:
        """The provider is up before the database is: until then nobody can tell."""
        return None if self.hands is None else self.hands.witness(ids)

    def _provider(self) -> StormySendGrid | SmtpSink:
        if self.plan.mode.is_sendgrid:
            sendgrid = StormySendGrid(self.plan.seed, self.history, self._witness, self._hear)
            sendgrid.log_lag = timedelta(seconds=self.plan.log_lag)
            return self.stack.enter_context(sendgrid)
        return self.stack.enter_context(
            SmtpSink(self.plan.seed, self.history, self._witness, self._hear)
        )

    def _site(self) -> tuple[Site, str]:
        """The site as its processes see it, through the proxy, and the way past it for us."""
        mode, database, broker = self.plan.mode, "", ""
        provider_port = (
            int(self.provider.url.rpartition(":")[2])
            if isinstance(self.provider, StormySendGrid)
            else self.provider.port
        )
        self.provider_link = self.proxy.add(provider_port)
        self.postgres_link: Link | None = None
        self.redis_link: Link | None = None
        if mode.is_postgres:
            self.postgres = self.stack.enter_context(running_postgres())
            self.redis = self.stack.enter_context(running_redis())
            self.postgres_link = self.proxy.add(self.postgres.port)
            self.redis_link = self.proxy.add(self.redis.port)
            direct = self.postgres.create_database("chaos")
            database = direct.replace(f":{self.postgres.port}/", f":{self.postgres_link.port}/")
            broker = f"redis://127.0.0.1:{self.redis_link.port}/0"
        else:
            direct = database = f"sqlite:///{self.folder}/funnel.db"
        scheme = "http" if mode.is_sendgrid else "smtp"
        site = Site(
            seed=self.plan.seed,
            mode=mode,
            folder=str(self.folder),
            database_url=database,
            broker_url=broker,
            provider_url=f"{scheme}://127.0.0.1:{self.provider_link.port}",
            base_url=f"http://127.0.0.1:{_free_port()}",
            public_key=self.postman.public_key,
            day_seconds=self.plan.day_seconds,
            epoch=time.time(),
            send_rate=max(10, int(self.plan.people * 0.4)) if self.plan.is_throttled else None,
            strike=self.plan.strike,
        )
        return site, direct

    def _storm(self, fleet: Fleet, hands: Hands) -> None:
        """The bad time: faults and failpoints, until it is over."""
        keeper = self.stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="keeper"))
        target = Target(
            fleet=fleet,
            proxy=self.proxy,
            history=self.history,
            postman=self.postman,
            feel=self.provider.feel,
            provider_link=self.provider_link,
            stop_mail=hands.stop_mail,
            stop_series=hands.stop_series,
            hold_series=hands.hold_series,
            has_long_faults=self.plan.storm_seconds >= LONG_STORM_SECONDS,
            publish=hands.publish,
            hold_lock=hands.hold_lock,
            on_keeper=lambda do: keeper.submit(do).result(),
            postgres=self.postgres,
            postgres_link=self.postgres_link,
            redis=self.redis,
            redis_link=self.redis_link,
        )
        nemesis = Nemesis(target, self.plan.seed, self.plan.fault_pause, self.plan.only)
        armed = self.folder / failpoints.ARMED
        armed.touch()
        nemesis.start()
        threading.Event().wait(self.plan.storm_seconds)
        nemesis.close()
        armed.unlink()
        self.history.note("calm")

    def _wait_for_calm(self, fleet: Fleet, work: Workload, hands: Hands) -> float | None:
        """Seconds until nothing was left to do; None when for a long time nothing moved."""
        started = moved_at = time.monotonic()
        seen: object = None
        while time.monotonic() < min(moved_at + self.plan.calm_seconds, started + LONGEST_CALM):
            if work.is_done() and self.postman.is_idle() and not hands.left_to_do():
                fleet.wait_until_served()
                return round(time.monotonic() - started, 1)
            now_seen = (hands.left_to_do(), len(self.history.of("accept", "events taken")))
            if now_seen != seen:
                seen, moved_at = now_seen, time.monotonic()
            time.sleep(LOOK_SECONDS)
        if not self.plan.mode.is_sendgrid and not hands.left_to_do():
            # Over SMTP a mail in doubt may never come, and whoever waits for it waits in vain.
            self.history.note("waits in vain")
            fleet.wait_until_served()
            return round(time.monotonic() - started, 1)
        self.history.note("no calm", left=hands.left_to_do(), lives=work.is_done())
        hands.note_open_rows()
        return None

    def _hear(self, mail: Mail) -> None:
        self.inbox.put(mail)
        if self.plan.mode.is_sendgrid:
            self.postman.hear(mail)

    def _tell(self, mail: Mail, name: str) -> None:
        """A bounce or a complaint: told later, without our own id, and never lost."""
        self.history.note("told", to=mail.to_address, event=name)
        self.postman.tell(mail, name, is_async=True, is_sure=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
