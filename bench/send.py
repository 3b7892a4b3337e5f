"""From a due row to a mail that was accepted: end to end through Celery workers, on Postgres.

Once into postfix's smtp-sink, whose own ceiling is measured in the same run by smtp-source, and
once into a SendGrid that takes everything. Also the statements of one batch and the cost of a
tick. The last line is one JSON object. Postgres runs without fsync, as in the tests.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from celery import Celery
from sqlalchemy import event, text

from bench import tick
from bench.parts.due_mail import seed
from bench.parts.fast_sendgrid import running_sendgrid
from bench.parts.postfix import ceiling, fetch_tools, running_sink
from funnel.adapters.bells import CeleryBell
from funnel.adapters.sendgrid import SendGridMailer
from funnel.domain.ports import Mailer
from funnel.runtime import TASKS, Runtime, build_runtime, prepare
from funnel.settings import Settings
from funnel.tasks import create_celery
from tests.support.house import SECRET
from tests.support.servers import PostgresServer, RedisServer, running_postgres, running_redis

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
OCTETS = 20_000
CONNECTIONS = 10
START_SECONDS = 60.0
END_SECONDS = 600.0
IS_LEFT = text(
    "SELECT 1 FROM message WHERE state = 'scheduled' UNION ALL "
    "SELECT 1 FROM message WHERE state IN ('claimed', 'sending') LIMIT 1"
)
FAILED = text(
    "SELECT state, why, count(*) FROM message WHERE state <> 'accepted' OR attempt <> 1"
    " GROUP BY state, why"
)


@dataclass(frozen=True)
class Figures:
    """What sending so many mails took; CPU is that of the workers and of Postgres."""

    mails: int
    mails_a_second: float
    worker_cpu_seconds_per_1000: float
    postgres_cpu_seconds_per_1000: float
    statements_a_mail: float


def settings(database_url: str, mail_url: str, broker_url: str, folder: Path) -> Settings:
    """An installation that sends as fast as it can."""
    return Settings(
        database_url=database_url,
        mail_url=mail_url,
        broker_url=broker_url,
        storage_url=f"file://{folder}/guides",
        secret_keys=(SECRET,),
        base_url="http://localhost",
    )


def runtime(given: Settings) -> Runtime:
    """The runtime of a worker; a SendGrid of ours is called instead of the real one."""
    return build_runtime(given, mailer=_sendgrid(given.mail_url))


def _sendgrid(mail_url: str) -> Mailer | None:
    base_url = mail_url.partition("sendgrid+")[2]
    return SendGridMailer("SG.key", base_url) if base_url else None


def work(arguments: list[str]) -> None:
    """Be one Celery worker until told to stop."""
    database_url, mail_url, broker_url, folder = arguments
    rt = runtime(settings(database_url, mail_url, broker_url, Path(folder)))
    options = ["--pool=solo", "--queues=mail", "--loglevel=ERROR", "--without-gossip"]
    create_celery(rt).worker_main(["worker", *options, f"--hostname=bench{os.getpid()}@%h"])


@contextmanager
def workers(count: int, arguments: list[str]) -> Iterator[list[int]]:
    """So many workers in processes of their own; gives their ids."""
    command = [sys.executable, "-m", "bench.send", "--work", *arguments]
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    running = [
        subprocess.Popen(command, env=quiet, stdout=subprocess.DEVNULL) for _ in range(count)
    ]
    try:
        yield [process.pid for process in running]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def measure(
    postgres: PostgresServer, redis: RedisServer, mail_url: str, *, mails: int, count: int
) -> Figures:
    """Let `count` workers send `mails` mails that all fall due at once."""
    name = f"bench_{abs(hash(mail_url))}"
    url, broker = postgres.create_database(name), redis.url()
    with tempfile.TemporaryDirectory() as folder:
        given = settings(url, mail_url, broker, Path(folder))
        rt = runtime(given)
        prepare(rt)
        now = datetime.now(UTC)
        seed(rt.engine, mails, due_at=now + timedelta(days=1), now=now)
        statements = statements_a_mail(rt, mails=min(mails, 1000))
        with workers(count, [url, mail_url, broker, folder]) as pids:
            wait_for_workers(broker, count)
            before = cpu_seconds(pids), cpu_seconds(_family(postgres))
            seconds = until_sent(rt, broker, count)
            after = cpu_seconds(pids), cpu_seconds(_family(postgres))
        refuse_anything_but_accepted(rt)
        rt.close()
    sent = mails - min(mails, 1000)
    return Figures(
        mails=sent,
        mails_a_second=round(sent / seconds, 1),
        worker_cpu_seconds_per_1000=round((after[0] - before[0]) / sent * 1000, 3),
        postgres_cpu_seconds_per_1000=round((after[1] - before[1]) / sent * 1000, 3),
        statements_a_mail=round(statements, 3),
    )


def statements_a_mail(rt: Runtime, *, mails: int) -> float:
    """The statements that whole batches take, for each mail; counted in this process."""
    seen: list[object] = []
    rt.worker.tick()  # nothing leaves before it was seen that the database is the right one
    make_due(rt, limit=mails)

    def count(*_: object) -> None:
        seen.append(None)

    event.listen(rt.engine, "before_cursor_execute", count)
    sent = 0
    while found := rt.worker.sender.send_batch():
        sent += found
    event.remove(rt.engine, "before_cursor_execute", count)
    return len(seen) / sent


def make_due(rt: Runtime, limit: int | None = None) -> None:
    """Let mails fall due: so many, or all that are left."""
    due = text(
        "UPDATE message SET not_before = :now WHERE id IN"
        " (SELECT id FROM message WHERE state = 'scheduled' LIMIT :limit)"
    )
    with rt.engine.begin() as connection:
        connection.execute(due, {"now": rt.clock.now(), "limit": limit})


def wait_for_workers(broker: str, count: int) -> None:
    """Until all of them answer; RuntimeError when they do not."""
    app = Celery("bench", broker=broker)
    deadline = time.monotonic() + START_SECONDS
    while len(app.control.ping(timeout=0.5)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError("the workers did not start")


def until_sent(rt: Runtime, broker: str, count: int) -> float:
    """Let all mails fall due, wake the workers, and wait; the seconds it took."""
    bell = CeleryBell(broker, TASKS)
    make_due(rt)
    start = time.perf_counter()
    for _ in range(count):
        bell.ring("mail")
    while _is_left(rt):
        if time.perf_counter() - start > END_SECONDS:
            raise RuntimeError("not all mails were sent")
        time.sleep(0.02)  # between looks: asking without a rest would be work of its own
    return time.perf_counter() - start


def refuse_anything_but_accepted(rt: Runtime) -> None:
    """A mail that failed went fast, and for nothing; RuntimeError says why it did."""
    with rt.engine.connect() as connection:
        failed = connection.execute(FAILED).all()
    if failed:
        raise RuntimeError(f"not all mails were accepted: {failed}")


def _is_left(rt: Runtime) -> bool:
    with rt.engine.connect() as connection:
        return connection.execute(IS_LEFT).first() is not None


def cpu_seconds(pids: list[int]) -> float:
    """The processor time of these processes so far."""
    return sum(_ticks(pid) for pid in pids) / TICKS_A_SECOND


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    # Its own time and that of its ended children: user and system each.
    return sum(map(int, fields[11:15]))


def _family(server: PostgresServer) -> list[int]:
    """The server and its children."""
    assert server.process is not None
    first = server.process.pid
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, action="append", help="enrolments of the ticks")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work)
        return
    tools = fetch_tools()
    with running_postgres() as postgres, running_redis() as redis:
        with running_sink(tools) as port:
            most = ceiling(tools, port, mails=given.mails, octets=OCTETS, sessions=CONNECTIONS)
            url = f"smtp://127.0.0.1:{port}?connections={CONNECTIONS}"
            smtp = measure(postgres, redis, url, mails=given.mails, count=given.workers)
        with running_sendgrid() as address:
            url = f"sendgrid+{address}"
            sendgrid = measure(postgres, redis, url, mails=given.mails, count=given.workers)
    ticks = tick.run("postgres", sorted(given.rows or [10_000, 1_000_000, 5_000_000]))
    shown = {
        "bench": "send",
        "workers": given.workers,
        "smtp": vars(smtp),
        "smtp_ceiling": round(most, 1),
        "smtp_ratio": round(smtp.mails_a_second / most, 3),
        "sendgrid": vars(sendgrid),
        "ticks": [vars(figures) for figures in ticks],
    }
    print(json.dumps(shown))


if __name__ == "__main__":
    main()
