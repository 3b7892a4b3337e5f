"""What the mailers cost and how much sooner they are than the plain way, on this machine.

The servers are processes of their own, so that they take no time from what is measured; a round
trip is made 20 ms long by answering that much later. Prints one JSON line.
"""

import asyncio
import http.client
import json
import multiprocessing
import smtplib
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from funnel.adapters.mime import build_mime
from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.sendgrid_requests import payload, requests_for
from funnel.adapters.smtp import SmtpMailer
from funnel.content.catalog import load_catalog
from funnel.content.mails import parse_mail
from funnel.content.render import MailFields, Renderer
from funnel.content.shipped import shipped_texts
from funnel.domain.ports import MailClass, Outcome, OutgoingEmail, SendResult
from funnel.links import LinkPurpose, Links

TEMPLATES = Path(__file__).parents[1] / "templates"
LINKS = Links("https://www.practice.example", ["k" * 32])
READERS = 500


# What is sent -----------------------------------------------------------------------------------


class Writer:
    """Writes the longest shipped mail of the series to one reader after the other."""

    def __init__(self) -> None:
        self._renderer = Renderer(TEMPLATES, load_catalog(TEMPLATES))
        texts = [text for text in shipped_texts(TEMPLATES) if text.key.startswith("nurture/")]
        mails = [text for text in texts if text.kind == "mail"]
        longest = max(mails, key=lambda text: len(text.source))
        self._mail = parse_mail(longest.source, longest.where)

    def fields(self) -> MailFields:
        reader = uuid4()
        portal = LINKS.token(LinkPurpose.PORTAL, reader)
        purposes = {"preferences": LinkPurpose.PREFERENCES, "unsubscribe": LinkPurpose.UNSUBSCRIBE}
        links = {
            name: LINKS.url(name, token=LINKS.token(purpose, reader))
            for name, purpose in purposes.items()
        }
        links |= {name: LINKS.url(name, token=portal) for name in ("challenge", "programme")}
        links |= {name: LINKS.url(name) for name in ("safety", "privacy")}
        links["guide"] = LINKS.url("guide", token=LINKS.token(LinkPurpose.GUIDE, reader))
        because = (
            "You get this because you asked for the free guide on 3 March 2026 and said yes to "
            "emails."
        )
        return MailFields("Zoë", links, True, because)

    def write(self, fields: MailFields, number: int = 0) -> OutgoingEmail:
        made = self._renderer.render(self._mail, fields)
        return OutgoingEmail(
            message_id=uuid4(),
            mail_class=MailClass.DRIP,
            to_address=f"reader{number}@example.org",
            from_name="Dr Reyes",
            from_address="hello@practice.example",
            reply_to="hello@practice.example",
            subject=made.subject,
            html=made.html,
            text=made.text,
            list_unsubscribe_url=fields.links["unsubscribe"],
            created_at=datetime(2026, 6, 1, 8, tzinfo=UTC),
            form=made.form,
            values=made.values,
        )


def by_the_standard_library(email: OutgoingEmail) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"{email.from_name} <{email.from_address}>"
    message["To"] = email.to_address
    message["Subject"] = email.subject
    message["Message-ID"] = email.message_id_header
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    return message.as_bytes()


# Servers ----------------------------------------------------------------------------------------


@contextmanager
def in_a_process(serve: Callable[[Connection], None]) -> Iterator[int]:
    """A server in a process of its own; yields its port."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(theirs,))
    process.start()
    try:
        yield int(ours.recv())
    finally:
        process.terminate()
        process.join()


class _Sink(asyncio.Protocol):
    """An SMTP server that takes everything and answers each packet `delay` seconds later."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._heard = b""
        self._is_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._heard += data
        said = b""
        while True:
            end = b"\r\n.\r\n" if self._is_content else b"\r\n"
            line, found, rest = self._heard.partition(end)
            if not found:
                break
            self._heard = rest
            said += self._answer(line)
        self._say(said)

    def _answer(self, line: bytes) -> bytes:
        if self._is_content:
            self._is_content = False
            return b"250 taken\r\n"
        word = line[:4].upper()
        if word == b"EHLO":
            return b"250-sink\r\n250 PIPELINING\r\n"
        if word == b"QUIT":
            return b"221 bye\r\n"
        self._is_content = word == b"DATA"
        return b"354 go\r\n" if self._is_content else b"250 ok\r\n"

    def _say(self, octets: bytes) -> None:
        if octets:
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay, self._transport.write, octets)


def smtp_sink(delay: float, told: Connection) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Sink(delay), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def https_sink(certificate: Path, told: Connection) -> None:
    """An HTTPS server that answers every request with 202."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                length = next(int(line[15:]) for line in lines if line[:15] == b"content-length:")
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 202 ok\r\nX-Message-Id: 1\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(
            talk, "127.0.0.1", 0, ssl=context, limit=64 * 1024 * 1024
        )
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def certificate(folder: Path) -> Path:
    """A certificate for localhost with its key, good for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "localhost.pem"
    file.write_bytes(secret + built.public_bytes(pem))
    return file


# Measures ---------------------------------------------------------------------------------------


def per_second(
    count: int, work: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    """How many a second, the middle of three runs."""
    seconds = []
    for _ in range(3):
        began = clock()
        work()
        seconds.append(clock() - began)
    return count / statistics.median(seconds)


def measure_building(writer: Writer) -> dict[str, float]:
    """In seconds of the processor, which others on this machine do not lengthen."""
    cpu = time.process_time
    fields = [writer.fields() for _ in range(READERS)]
    emails = [writer.write(each) for each in fields]
    ours = per_second(READERS, lambda: [build_mime(writer.write(each)) for each in fields], cpu)
    mime = per_second(READERS, lambda: [build_mime(email) for email in emails], cpu)
    some = emails[:50]
    theirs = per_second(50, lambda: [by_the_standard_library(email) for email in some], cpu)
    batch = per_second(READERS, lambda: requests_for(emails)[0].body, cpu)
    return {
        "personalise_and_mime_us": 1e6 / ours,
        "sendgrid_batch_building_us": 1e6 / batch,
        "mime_us": 1e6 / mime,
        "emailmessage_us": 1e6 / theirs,
        "mime_ratio": mime / theirs,
    }


def measure_smtp(emails: list[OutgoingEmail], delay: float, count: int) -> dict[str, float]:
    some = emails[:count]
    with in_a_process(partial(smtp_sink, delay)) as port:
        with closing(SmtpMailer(f"smtp://127.0.0.1:{port}?connections=1")) as one:
            ours = per_second(count, lambda: all_accepted(one.send(some)))
        with closing(SmtpMailer(f"smtp://127.0.0.1:{port}?connections=4")) as four:
            spread = per_second(count, lambda: all_accepted(four.send(some)))
        contents = [build_mime(email) for email in some]
        with smtplib.SMTP("127.0.0.1", port, local_hostname="[127.0.0.1]") as plain:
            theirs = per_second(count, lambda: [
                plain.sendmail(email.from_address, [email.to_address], content)
                for email, content in zip(some, contents, strict=True)
            ])  # fmt: skip
    name = f"smtp_{delay * 1000:.0f}ms"
    return {
        f"{name}_per_s": ours,
        f"{name}_4_connections_per_s": spread,
        f"{name}_smtplib_per_s": theirs,
        f"{name}_ratio": ours / theirs,
    }


def all_accepted(results: list[SendResult]) -> None:
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}


def measure_sendgrid(emails: list[OutgoingEmail]) -> dict[str, float]:
    alone = [replace(email, form=None, values=()) for email in emails[:100]]
    with (
        tempfile.TemporaryDirectory() as folder,
        in_a_process(partial(https_sink, file := certificate(Path(folder)))) as port,
    ):
        tls = ssl.create_default_context(cafile=file)
        url = f"https://localhost:{port}"
        with closing(SendGridMailer("SG.key", url, tls=tls, connections=1)) as mailer:
            kept = per_second(100, lambda: all_accepted(mailer.send(alone)))
            batch = per_second(READERS, lambda: all_accepted(mailer.send(emails)))
        fresh = per_second(100, lambda: [post_afresh(port, tls, email) for email in alone])
    body = len(requests_for(emails)[0].body)
    shared = len(requests_for(emails[:2])[0].body)
    return {
        "sendgrid_kept_per_s": kept,
        "sendgrid_fresh_per_s": fresh,
        "sendgrid_kept_ratio": kept / fresh,
        "sendgrid_batch_per_s": batch,
        "sendgrid_batch_ratio": batch / fresh,
        "sendgrid_bytes_a_recipient": (body - shared) / (len(emails) - 2),
    }


def post_afresh(port: int, tls: ssl.SSLContext, email: OutgoingEmail) -> None:
    """One request over a connection of its own, as the `sendgrid` package makes it."""
    connection = http.client.HTTPSConnection("localhost", port, context=tls)
    connection.request("POST", "/v3/mail/send", json.dumps(payload(email)))
    assert connection.getresponse().status == 202
    connection.close()


def main() -> None:
    socket.setdefaulttimeout(30)
    writer = Writer()
    emails = [writer.write(writer.fields(), number) for number in range(READERS)]
    found = {
        **measure_building(writer),
        **measure_smtp(emails, 0.0, 200),
        **measure_smtp(emails, 0.02, 25),
        **measure_sendgrid(emails),
    }
    shown = {name: round(value, 1 if value >= 10 else 2) for name, value in found.items()}
    print(json.dumps({"bench": "adapters", **shown}))


if __name__ == "__main__":
    sys.exit(main())
