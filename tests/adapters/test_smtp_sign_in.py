"""How SMTP goes private, signs in, and reads where the server is."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from funnel.adapters.smtp import SmtpMailer
from funnel.adapters.smtp_server import SmtpServer, Tls, read_smtp_url
from funnel.domain.errors import SettingInvalid
from funnel.domain.ports import Outcome
from tests.adapters.harness import make_email, make_emails
from tests.support.scripted_server import scripted
from tests.support.smtp_server import FakeSmtp

PASSWORD = "p@ss word/with:signs?"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key, that trusts itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.public_bytes(Encoding.PEM)
    )
    return file


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_tls(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(params=[False, True], ids=["starttls", "smtps"])
def private_server(
    request: pytest.FixtureRequest, server_tls: ssl.SSLContext
) -> Iterator[FakeSmtp]:
    with FakeSmtp(
        tls=server_tls,
        is_private_from_the_start=request.param,
        user="funnel@example.org",
        password=PASSWORD,
    ) as server:
        yield server


def test_mail_goes_over_tls_with_a_password(
    private_server: FakeSmtp, client_tls: ssl.SSLContext
) -> None:
    with closing(SmtpMailer(private_server.url, tls=client_tls)) as mailer:
        mailer.send(make_emails(3))
    assert len(private_server.accepted) == 3
    assert len(private_server.peers) == 1
    assert private_server.signed_in == 1


def test_a_wrong_password_is_about_the_account_and_shows_nowhere(
    private_server: FakeSmtp, client_tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    url = private_server.url
    private_server.password = "changed since"
    caplog.set_level("DEBUG")
    with closing(SmtpMailer(url, tls=client_tls)) as mailer:
        (result,) = mailer.send([make_email()])
        assert result.outcome is Outcome.ACCOUNT_REFUSED
        assert PASSWORD not in f"{result} {mailer!r} {read_smtp_url(url)!r} {caplog.text}"
    assert private_server.accepted == []


def test_a_certificate_nobody_vouches_for_means_not_sent(private_server: FakeSmtp) -> None:
    with closing(SmtpMailer(private_server.url)) as mailer:
        assert mailer.send([make_email()])[0].outcome is Outcome.NOT_SENT_RETRY


def test_a_server_without_starttls_never_gets_the_mail(
    smtp_server: FakeSmtp, client_tls: ssl.SSLContext
) -> None:
    url = f"smtp://localhost:{smtp_server.port}?starttls=1"
    with closing(SmtpMailer(url, tls=client_tls)) as mailer:
        assert mailer.send([make_email()])[0].outcome is Outcome.ACCOUNT_REFUSED
    assert smtp_server.accepted == []


def test_a_server_without_sign_in_is_a_wrong_setting(smtp_server: FakeSmtp) -> None:
    with closing(SmtpMailer(f"smtp://a:b@localhost:{smtp_server.port}")) as mailer:
        assert mailer.send([make_email()])[0].outcome is Outcome.ACCOUNT_REFUSED


def test_what_was_said_before_tls_is_forgotten(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    heard: list[bytes] = []

    def inject(caller: socket.socket) -> None:
        caller.sendall(b"220 hello\r\n")
        caller.recv(1000)
        caller.sendall(b"250-hello\r\n250 STARTTLS\r\n")
        caller.recv(1000)
        caller.sendall(b"220 go\r\n250-hello\r\n250 AUTH PLAIN\r\n")
        with server_tls.wrap_socket(caller, server_side=True) as private:
            heard.append(private.recv(1000)[:4])
            private.sendall(b"554 this is what I say in private\r\n")
            heard.append(private.recv(1000)[:4])

    with (
        scripted(inject) as url,
        closing(SmtpMailer(f"{url}?starttls=1", tls=client_tls)) as mailer,
    ):
        (result,) = mailer.send([make_email()])
    assert (result.outcome, result.status_code) == (Outcome.ACCOUNT_REFUSED, 554)
    assert heard == [b"ehlo", b""]


# The setting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 25, Tls.NONE)),
        ("smtp://localhost:1025", SmtpServer("localhost", 1025, Tls.NONE)),
        (
            "smtp://a%40b.org:p%2Fw@mail.example.org?starttls=1",
            SmtpServer("mail.example.org", 587, Tls.STARTTLS, "a@b.org", "p/w"),
        ),
        (
            "smtps://a:b@mail.example.org",
            SmtpServer("mail.example.org", 465, Tls.FROM_THE_START, "a", "b"),
        ),
        ("smtp://a:b@127.0.0.1", SmtpServer("127.0.0.1", 25, Tls.NONE, "a", "b")),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525, Tls.NONE)),
        (
            "smtp://mail.example.org?starttls=1&connections=20",
            SmtpServer("mail.example.org", 587, Tls.STARTTLS, connections=20),
        ),
    ],
)
def test_the_address_of_a_mail_server_is_read(url: str, server: SmtpServer) -> None:
    assert read_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://user@",
        "smtp://mail.example.org:port",
        "smtp://mail.example.org:99999",
        "smtp://mail.example.org?starttls=maybe",
        "smtp://mail.example.org?connections=0",
        "smtp://mail.example.org?connections=21",
        "smtp://mail.example.org?connections=-1",
        "smtp://mail.example.org?connections=²",
        "smtp://mail.example.org?connections=" + "9" * 5000,
        "smtp://mail.example.org?retries=3",
        "smtp://user:secret@mail.example.org",
        "smtps://user:secr\u00e9t@mail.example.org",
        "smtps://user:secr%C3%A9t@mail.example.org",
    ],
)
def test_a_wrong_address_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        read_smtp_url(url)
    assert "secr" not in str(refused.value)
