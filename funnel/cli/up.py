"""`funnel up`: the whole funnel in one process, for a laptop or a small machine."""

import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any
from wsgiref.types import WSGIApplication

import click
from waitress.server import create_server

from funnel.adapters.bells import LocalBell
from funnel.domain.errors import SettingInvalid
from funnel.runtime import Runtime, prepare, start
from funnel.services.staff import make_setup_link
from funnel.services.work import run_guarded
from funnel.settings import Settings
from funnel.web.app import create_app

POLL_SECONDS = 2.0
WEB_THREADS = 8
# The application refuses much less; this keeps the server from storing more than that first.
MOST_BODY_BYTES = 2 * 1024 * 1024
MOST_HEADER_BYTES = 32 * 1024
SILENT_SECONDS = 30


@click.command()
def up() -> None:
    """Start web and work together; Ctrl-C stops both cleanly."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    bell = LocalBell()
    rt = start(Settings.from_env(), bell=bell)
    prepare(rt)
    serve(rt, work_loops(rt, bell))


@dataclass
class Loops:
    """Threads that repeat a round of work until they are stopped, some when the bell rings."""

    bell: LocalBell
    stopped: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def add(self, name: str, work: Callable[[], None], rest: Callable[[], None]) -> None:
        """Repeat `work`, then `rest`, in a thread of its own."""

        def run() -> None:
            while not self.stopped.is_set():
                run_guarded(work)
                rest()

        self.threads.append(threading.Thread(target=run, name=name, daemon=True))

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """Let each finish its round; whoever waits for the bell need not wait any longer."""
        self.stopped.set()
        for queue in self.bell.queues:
            self.bell.ring(queue)
        for thread in self.threads:
            thread.join(timeout_seconds)


def work_loops(rt: Runtime, bell: LocalBell) -> Loops:
    """The loops of the embedded mode: one for mail, one for guides."""
    loops = Loops(bell)
    loops.add("mail", rt.worker.mail_round, lambda: bell.wait("mail", POLL_SECONDS))
    loops.add("guides", rt.worker.guide_round, lambda: bell.wait("pdf", POLL_SECONDS))
    return loops


def serve(rt: Runtime, loops: Loops) -> None:
    """Serve the pages until a signal comes, with the loops running beside."""
    app = create_app(rt)
    server = listen(app, rt.settings)
    signal.signal(signal.SIGTERM, _interrupt)
    rt.press.warm()
    loops.start()
    announce(rt)
    try:
        server.run()
    finally:
        click.echo("\nStopping: the mail in hand is finished first.")
        server.close()
        rt.worker.stopping.set()
        loops.stop()
        app.extensions["tally"].flush()
        rt.close()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def listen(app: WSGIApplication, settings: Settings) -> Any:
    """A waitress server on the place of LISTEN; raises SettingInvalid where it cannot listen.

    What proxies forward is kept for the application, which believes TRUSTED_PROXIES of them.
    """
    host, port = settings.place
    _refuse_bad_place(host, port)
    return create_server(
        app,
        host=host,
        port=port,
        threads=WEB_THREADS,
        ident="",
        max_request_body_size=MOST_BODY_BYTES,
        max_request_header_size=MOST_HEADER_BYTES,
        channel_timeout=SILENT_SECONDS,
        clear_untrusted_proxy_headers=settings.trusted_proxies == 0,
    )


def _refuse_bad_place(host: str, port: int) -> None:
    try:
        for family, kind, _, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise SettingInvalid(f"LISTEN={host}:{port} is no place here: {error}.") from error
        raise SettingInvalid(
            f"something else already listens on {host}:{port}. Stop it, or choose another "
            "place: LISTEN=127.0.0.1:8001 BASE_URL=http://127.0.0.1:8001"
        ) from error


def announce(rt: Runtime) -> None:
    """Print where everything is, and the one-time link of the first start."""
    base = rt.settings.base_url
    with rt.sessions.begin() as session:
        token = make_setup_link(session, now=rt.clock.machine())
    click.echo(f"\n  The page visitors see   {base}/")
    click.echo(f"  Your desk               {base}/desk/")
    if rt.mailbox is not None:
        click.echo(f"  Mail, instead of sent   {base}/mailbox")
    if token:
        click.echo(
            f"\n  First time here? Make your account (this link works for an hour):\n"
            f"  {rt.links.url('desk-setup', token=token)}"
        )
    click.echo("\n  Ctrl-C stops everything.\n")
