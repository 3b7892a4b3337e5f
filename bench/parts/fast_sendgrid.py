"""A SendGrid that takes everything at once: what is measured is who calls it."""

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.synchronize import Event


class _Taker(BaseHTTPRequestHandler):
    """Answers 202 to whatever comes, over a kept connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    taken = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        count = len(json.loads(body)["personalizations"])
        self.send_response(202)
        self.send_header("X-Message-Id", f"batch-of-{count}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Nothing is logged."""


def _serve(port: "multiprocessing.sharedctypes.Synchronized[int]", is_up: Event) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taker)
    port.value = server.server_address[1]
    is_up.set()
    server.serve_forever()


@contextmanager
def running_sendgrid() -> Iterator[str]:
    """The address of one that runs in a process of its own."""
    context = multiprocessing.get_context("spawn")
    port, is_up = context.Value("i", 0), context.Event()
    process = context.Process(target=_serve, args=(port, is_up), daemon=True)
    process.start()
    try:
        is_up.wait(30)
        yield f"http://127.0.0.1:{port.value}"
    finally:
        process.terminate()
        process.join()
