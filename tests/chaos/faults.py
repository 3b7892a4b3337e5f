"""Every kind of fault: what it does to the site, and how it ends."""

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import redis

from tests.chaos import provider, smtp_sink
from tests.chaos.history import History
from tests.chaos.postman import Manners, Postman
from tests.chaos.processes import Fleet
from tests.chaos.proxy import Link, Proxy
from tests.chaos.site import ANSWER_SECONDS, BEGIN_SECONDS, PATIENCE
from tests.support.servers import STOP_SECONDS, PostgresServer, RedisServer

LEASE = PATIENCE.lease.total_seconds()
CALL = PATIENCE.sending_margin.total_seconds() + ANSWER_SECONDS + BEGIN_SECONDS
SETTLE = PATIENCE.settle.total_seconds()


# What does it: a function that lasts as long as the fault does.
Fault = Callable[[], None]


@dataclass
class Target:
    """All that faults can be done to. Postgres and Redis are None on SQLite."""

    fleet: Fleet
    proxy: Proxy
    history: History
    postman: Postman
    feel: Callable[[str], None]  # the provider's mood
    provider_link: Link
    stop_mail: Callable[[bool], None]
    stop_series: Callable[[bool], None]
    hold_series: Callable[[bool], None]
    has_long_faults: bool
    publish: Callable[[], None]
    hold_lock: Callable[[float], None]
    # Runs in a thread that lives as long as the run: servers end with the thread that starts them.
    on_keeper: Callable[[Callable[[], None]], None]
    postgres: PostgresServer | None = None
    postgres_link: Link | None = None
    redis: RedisServer | None = None
    redis_link: Link | None = None


def heal(target: Target) -> None:
    """Make everything good again."""
    target.feel("")
    target.postman.manners = Manners()
    target.stop_mail(False)
    target.stop_series(False)
    target.hold_series(False)
    for link in (target.provider_link, target.postgres_link, target.redis_link):
        if link is not None:
            link.heal()
            target.proxy.reset(link)


def all_faults(target: Target, wait: Callable[..., None], draw: random.Random) -> dict[str, Fault]:
    found = {
        **_process_faults(target, wait, draw),
        **_human_faults(target, wait),
        **_link_faults(target, target.provider_link, "provider", wait),
        **_mood_faults(target, wait),
    }
    if target.postgres is not None and target.postgres_link is not None:
        found |= _link_faults(target, target.postgres_link, "database", wait)
        found |= _postgres_faults(target, target.postgres)
    if target.redis is not None and target.redis_link is not None:
        found |= _link_faults(target, target.redis_link, "redis", wait)
        found |= _redis_faults(target, target.redis, wait)
    found["database lock held"] = lambda: target.hold_lock(1.5)
    return found


def _process_faults(
    target: Target, wait: Callable[..., None], draw: random.Random
) -> dict[str, Fault]:
    fleet = target.fleet

    def kill(*kinds: str) -> Fault:
        return lambda: fleet.signal(draw.choice(fleet.names(*kinds)), signal.SIGKILL)

    def kill_all() -> None:
        for name in list(fleet.parts):
            fleet.signal(name, signal.SIGKILL)

    def freeze(seconds: float) -> Fault:
        def do() -> None:
            name = draw.choice(fleet.names(*fleet.working_kinds()))
            pid = fleet.freeze(name)
            wait(seconds)
            fleet.thaw(name, pid)

        return do

    found = {
        "kill -9 worker": kill(*fleet.working_kinds()),
        "kill -9 web": kill("web"),
        "kill -9 all": kill_all,
        "freeze 1 s": freeze(1.0),
        "freeze over the lease": freeze(LEASE + 1),
        "freeze over lease and settle window": freeze(CALL + SETTLE + 1.5),
        "rolling SIGTERM": lambda: _roll(fleet, wait),
    }
    if fleet.names("beat"):
        found["kill -9 beat"] = kill("beat")
    return found


def _roll(fleet: Fleet, wait: Callable[..., None]) -> None:
    """A deployment: one after the other is asked to stop, and starts anew."""
    for name in fleet.names(*fleet.working_kinds()):
        fleet.signal(name, signal.SIGTERM)
        wait(1.5)


def _human_faults(target: Target, wait: Callable[..., None]) -> dict[str, Fault]:
    def pause(switch: Callable[[bool], None], shortest: float = 1.0, longest: float = 2.0) -> Fault:
        def do() -> None:
            switch(True)
            wait(shortest, longest)
            switch(False)

        return do

    return {
        "all mail stopped and started": pause(target.stop_mail),
        "a sequence paused and resumed": pause(target.stop_series),
        "series mail held for days": pause(target.hold_series, 12.0, 14.0),
        "live edit": target.publish,
    }


def _link_faults(
    target: Target, link: Link, name: str, wait: Callable[..., None]
) -> dict[str, Fault]:
    def latency() -> None:
        link.latency = 0.3
        wait(1.0, 2.0)
        link.latency = 0.0

    def cut() -> None:
        link.cut_after = 400
        wait(1.0)

    def half_open() -> None:
        link.is_silent = True
        wait(1.0, 2.5)
        link.is_silent = False
        target.proxy.reset(link)

    def away(shortest: float, longest: float) -> None:
        link.is_refusing = True
        target.proxy.reset(link)
        wait(shortest, longest)
        link.is_refusing = False

    long = {"provider outage": lambda: away(6.0, 9.0)} if name == "provider" else {}
    return {
        **long,
        f"{name} latency": latency,
        f"{name} cut in the middle": cut,
        f"{name} half-open": half_open,
        f"{name} connections reset": lambda: target.proxy.reset(link),
        f"{name} unreachable": lambda: away(1.0, 2.5),
    }


def _mood_faults(target: Target, wait: Callable[..., None]) -> dict[str, Fault]:
    is_sendgrid = target.fleet.site.mode.is_sendgrid
    moods = list(provider.MOODS) if is_sendgrid else list(smtp_sink.MOODS)

    def feel(mood: str) -> Fault:
        def do() -> None:
            target.feel(mood)
            wait(1.5, 3.0)
            target.feel("")

        return do

    found = {f"provider: {mood}": feel(mood) for mood in moods}
    if is_sendgrid:
        manners = {
            "webhook duplicates": Manners(duplicates=6),
            "webhook shuffled": Manners(is_shuffled=True, delay=2.0),
            "webhook lost": Manners(loss=0.7),
            "webhook delayed": Manners(delay=5.0),
            "webhook forged": Manners(forged=0.3),
        }
        found |= {name: _behave(target, each, wait) for name, each in manners.items()}
    return found


def _behave(target: Target, manners: Manners, wait: Callable[..., None]) -> Fault:
    def do() -> None:
        target.postman.manners = manners
        wait(2.0, 4.0)
        target.postman.manners = Manners()

    return do


def _postgres_faults(target: Target, server: PostgresServer) -> dict[str, Fault]:
    def restart() -> None:
        target.on_keeper(lambda: _restart(server))

    def kill_backends() -> None:
        with psycopg.connect(server.url(), autocommit=True, connect_timeout=3) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'funnel'"
            )

    return {"database killed and restarted": restart, "database backends killed": kill_backends}


def _restart(server: PostgresServer) -> None:
    """At once, without a checkpoint: it recovers from its log."""
    if server.process is not None:
        server.process.send_signal(signal.SIGQUIT)
        server.process.wait(STOP_SECONDS)
    server.start()


def _redis_faults(
    target: Target, server: RedisServer, wait: Callable[..., None]
) -> dict[str, Fault]:
    def flush() -> None:
        with redis.Redis(port=server.port) as client:
            client.flushall()

    def bounce() -> None:
        server.kill()
        wait(1.0, 3.0)
        server.start()

    def away() -> None:
        target.on_keeper(bounce)

    def garbage() -> None:
        with redis.Redis(port=server.port) as client:
            for queue in ("mail", "pdf"):
                client.lpush(queue, b"\x80\x04garbage", b"{}", b'{"body": "x"}')

    return {"redis FLUSHALL": flush, "redis restarted empty": away, "redis garbage": garbage}
