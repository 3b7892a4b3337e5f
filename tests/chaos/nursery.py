"""Where the processes of a run are born: everything is imported once, each life is a fork.

A start from nothing costs two seconds of a core, and a run starts processes by the dozen. Orders
come as lines of JSON, births and deaths are told the same way; without a caller all end.
"""

import ctypes
import json
import os
import random
import select
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

READY = "ready"
LOOK_SECONDS = 0.05
NEEDED = (
    "celery.apps.beat", "celery.apps.worker", "celery.concurrency.thread", "funnel.cli.up",
    "funnel.tasks", "funnel.web.app", "kombu.transport.redis", "psycopg_binary", "waitress",
)  # fmt: skip
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until nobody gives orders any more."""
    parts = import_module("tests.chaos.parts")
    for name in NEEDED:
        import_module(name)
    _say({READY: True})
    unread, children = b"", set()
    while True:
        if select.select([0], [], [], LOOK_SECONDS)[0]:
            octets = os.read(0, 65_536)
            if not octets:
                break
            *orders, unread = (unread + octets).split(b"\n")
            for order in orders:
                children.add(_bear(parts, json.loads(order)))
        _reap(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _say(news: dict[str, Any]) -> None:
    os.write(1, json.dumps(news).encode() + b"\n")


def _reap(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _say({"died": pid, "code": os.waitstatus_to_exitcode(status)})


def _bear(parts: Any, order: dict[str, str]) -> int:
    pid = os.fork()
    if pid == 0:
        _live(parts, order)
    _say({"born": pid, "name": order["name"]})
    return pid


def _live(parts: Any, order: dict[str, str]) -> None:
    """The life of a child, from fork to exit; it never returns."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _turn_output(order["log"])
        random.seed()  # children must not draw the same jitter
        parts.main(order["site"], order["kind"], order["name"], order["number"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _turn_output(log: str) -> None:
    with Path(log).open("ab") as file, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


if __name__ == "__main__":
    main()
