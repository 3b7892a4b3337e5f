"""A house served on loopback, for a real browser: funnel time stands still, the machine's runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Flask
from werkzeug.serving import make_server

from funnel.adapters.clocks import SystemClock
from funnel.domain.clock import ManualClock
from funnel.web.app import create_app
from tests.support.house import House


@dataclass(frozen=True)
class MachineRuns:
    """The house's calendar, with the machine's own time beside it."""

    calendar: ManualClock
    computer: SystemClock

    def now(self) -> datetime:
        return self.calendar.now()

    def machine(self) -> datetime:
        return self.computer.machine()

    def boot_seconds(self) -> float:
        return self.computer.boot_seconds()


@dataclass(frozen=True)
class Served:
    """Where the house is served, and the application that serves it."""

    base: str
    app: Flask


@contextmanager
def served(house: House) -> Iterator[Served]:
    """Serve a house on a port of its own."""
    server = make_server("127.0.0.1", 0, Flask("placeholder"), threaded=True)
    base = f"http://127.0.0.1:{server.port}"
    rt = replace(
        house.rt,
        settings=replace(house.rt.settings, base_url=base),
        clock=MachineRuns(house.clock, SystemClock()),
    )
    server.app = app = create_app(rt)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(base, app)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["tally"].flush()
