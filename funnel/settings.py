"""The environment, read once into frozen settings, with numbered checks."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from funnel.domain.errors import SettingInvalid

MIN_SECRET_CHARACTERS = 32
MIN_DIFFERENT_CHARACTERS = 10
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
MAIL_SCHEMES = frozenset({"mailbox", "smtp", "smtps", "sendgrid"})
BROKER_SCHEMES = frozenset({"redis", "rediss", "unix"})
MAX_PORT = 65_535
REAL_PROVIDERS = frozenset({"smtp", "smtps", "sendgrid"})
# Mails a second and a day, unless SEND_RATE and SEND_DAILY say otherwise: what a practice needs,
# and little enough that a mistake is seen before it is big. The local mailbox takes everything.
SEND_RATES = {"smtp": 5, "smtps": 5, "sendgrid": 20}
SEND_A_DAY = 2000
# Names that are nobody's: whoever tries the product writes to these.
NOBODYS = ("example.com", "example.org", "example.net", "example", "test", "invalid", "localhost")
DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]+)?")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,250}[A-Za-z0-9])?")
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@dataclass(frozen=True)
class Finding:
    """A numbered problem and its mend; an error keeps production from starting."""

    code: str
    problem: str
    mend: str
    is_error: bool = True

    def __str__(self) -> str:
        kind = "error" if self.is_error else "to do"
        return f"{self.code} {kind}: {self.problem} {self.mend}"


@dataclass(frozen=True)
class Settings:
    """Every choice of the installation. Times are seconds, addresses are URLs."""

    database_url: str = field(default="sqlite:///var/funnel.db", repr=False)
    mail_url: str = field(default="mailbox://var/mailbox", repr=False)
    storage_url: str = "file://var/guides"
    broker_url: str = field(default="", repr=False)
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    address_key: str = field(default="", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    listen: str = "127.0.0.1:8000"
    is_production: bool = False
    trusted_proxies: int = 0
    sending: bool = True
    send_rate: int | None = None
    send_daily: int | None = None
    warm_up: date | None = None
    allowed_recipients: tuple[str, ...] = ()
    sendgrid_public_keys: tuple[str, ...] = ()
    dkim_selector: str = ""
    spf_include: str = ""
    dns_server: str = ""
    templates_path: str = str(Path(__file__).parent.parent / "templates")
    demo: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment; a `NAME_FILE` names a file that holds the value of `NAME`.

        Raises SettingInvalid with one plain sentence. Without SECRET_KEY an installation that
        is not production makes a key of its own and keeps it in var/secret.key.
        """
        read = _Reader(os.environ if env is None else env)
        is_production = read.flag("PRODUCTION", False)
        mail_url = read.text("MAIL_URL", "mailbox://var/mailbox")
        scheme = _scheme(mail_url)
        return cls(
            database_url=read.text("DATABASE_URL", cls.database_url),
            mail_url=mail_url,
            storage_url=read.text("STORAGE_URL", cls.storage_url),
            broker_url=read.text("BROKER_URL", ""),
            secret_keys=read.words("SECRET_KEY") or (() if is_production else _own_secret()),
            address_key=read.text("ADDRESS_KEY", ""),
            base_url=_site(read.text("BASE_URL", cls.base_url)),
            listen=read.text("LISTEN", cls.listen),
            is_production=is_production,
            trusted_proxies=read.number("TRUSTED_PROXIES", 0),
            sending=read.flag("SENDING", True),
            send_rate=read.limit("SEND_RATE", SEND_RATES.get(scheme)),
            send_daily=read.limit("SEND_DAILY", SEND_A_DAY if scheme in REAL_PROVIDERS else None),
            warm_up=read.day("WARM_UP"),
            allowed_recipients=read.words("ALLOWED_RECIPIENTS"),
            sendgrid_public_keys=read.words("SENDGRID_PUBLIC_KEY"),
            dkim_selector=read.text("DKIM_SELECTOR", ""),
            spf_include=read.text("SPF_INCLUDE", "").removeprefix("include:"),
            dns_server=read.text("DNS_SERVER", ""),
            templates_path=read.text("TEMPLATES_PATH", cls.templates_path),
        )

    @property
    def is_secure(self) -> bool:
        """True when pages are served over https."""
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """The host, with its port if any, that requests must name."""
        return urlsplit(self.base_url).netloc

    @property
    def has_real_provider(self) -> bool:
        """True when mail leaves this machine; the local mailbox keeps it here."""
        return _scheme(self.mail_url) in REAL_PROVIDERS

    @property
    def must_be_proved(self) -> bool:
        """True when series mail waits until it is known that it will be believed."""
        return self.is_production and self.has_real_provider and not self.demo

    @property
    def recipients(self) -> tuple[str, ...] | None:
        """The only domains and addresses that get mail; None when everybody may.

        A copy of the database that is tried out must not write to real people: outside
        production a real provider gets nobody's names alone, unless ALLOWED_RECIPIENTS says more.
        """
        if "*" in self.allowed_recipients:
            return None
        if self.allowed_recipients:
            return tuple(each.lower() for each in self.allowed_recipients)
        return NOBODYS if self.has_real_provider and not self.is_production else None

    @property
    def place(self) -> tuple[str, int]:
        """The host and the port to listen on; `check` has found them to be good."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def check(self) -> tuple[Finding, ...]:
        """Every problem of these settings, in order."""
        return tuple(finding for finding in _checks(self) if finding)


@dataclass(frozen=True)
class _Reader:
    env: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        path = self.env.get(f"{name}_FILE")
        if path is None:
            return self.env.get(name, default).strip()
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingInvalid(f"{name}_FILE names a file that cannot be read.") from error
        except ValueError as error:
            raise SettingInvalid(f"{name}_FILE names a file that is not plain text.") from error

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(self.text(name, "").split())

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, "on" if default else "off").lower()
        if value not in {"on", "off"}:
            raise SettingInvalid(f"{name} must be on or off.")
        return value == "on"

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch("[0-9]{1,3}", value):
            raise SettingInvalid(f"{name} must be a whole number.")
        return int(value)

    def limit(self, name: str, default: int | None) -> int | None:
        """A whole number from 1, or `off` for no limit; `default` when nothing is said."""
        value = self.text(name, "").lower()
        if value in {"", "off"}:
            return None if value else default
        if not re.fullmatch("[1-9][0-9]{0,6}", value):
            raise SettingInvalid(f"{name} must be a whole number from 1, or off.")
        return int(value)

    def day(self, name: str) -> date | None:
        value = self.text(name, "")
        try:
            return date.fromisoformat(value) if value else None
        except ValueError as error:
            raise SettingInvalid(f"{name} must be a day, as 2027-03-01.") from error


def _own_secret() -> tuple[str, ...]:
    path = Path("var/secret.key")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return (path.read_text(encoding="utf-8").strip(),)


def _split(url: str) -> SplitResult | None:
    """The parts of an address, its port among them; None for one that cannot be read."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _scheme(url: str) -> str:
    scheme, mark, _ = url.partition("://")
    return scheme if mark else ""


def _site(url: str) -> str:
    """An address as browsers write it: in small letters, without the usual port."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return url
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.username is not None:
        return url
    has_port = parts.port is not None and parts.port != DEFAULT_PORTS.get(parts.scheme)
    netloc = f"{host}:{parts.port}" if has_port else host
    return parts._replace(netloc=netloc).geturl().rstrip("/")


def _checks(settings: Settings) -> list[Finding | None]:
    return [
        _check_secret(settings),
        _check_base_url(settings),
        _check_mail(settings),
        _check_recipients(settings),
        _check_webhook(settings),
        _check_broker(settings),
        _check_proxies(settings),
        _check_listen(settings),
        _check_storage(settings),
        _check_names(settings),
    ]


def _check_secret(settings: Settings) -> Finding | None:
    keys = settings.secret_keys + ((settings.address_key,) if settings.address_key else ())
    if settings.secret_keys and not any(map(_is_weak, keys)):
        return None
    return Finding(
        "S01",
        "SECRET_KEY is missing, or one of the keys is shorter than 32 characters or repeats a few.",
        "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
    )


def _is_weak(key: str) -> bool:
    return len(key) < MIN_SECRET_CHARACTERS or len(set(key)) < MIN_DIFFERENT_CHARACTERS


def _is_site(parts: SplitResult) -> bool:
    """Scheme, host and port, and nothing else; an international name in its xn-- form."""
    has_more = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    return parts.scheme in DEFAULT_PORTS and not has_more and bool(_HOST.fullmatch(parts.netloc))


def _check_base_url(settings: Settings) -> Finding | None:
    parts = _split(settings.base_url)
    if parts is None or not _is_site(parts):
        return Finding("S02", "BASE_URL is not the address of a site.", "Use https://your.site")
    if settings.is_production and parts.scheme != "https" and parts.hostname not in LOCAL_HOSTS:
        return Finding("S03", "BASE_URL is not https.", "Pages with personal links need https.")
    return None


def _check_mail(settings: Settings) -> Finding | None:
    scheme = _scheme(settings.mail_url)
    if scheme not in MAIL_SCHEMES:
        return Finding(
            "S05", "MAIL_URL is not understood.", "Use mailbox://, smtp://, smtps:// or sendgrid://"
        )
    if settings.is_production and scheme == "mailbox":
        return Finding("S06", "MAIL_URL is the local mailbox.", "Real people get no mail from it.")
    return None


def _check_recipients(settings: Settings) -> Finding | None:
    recipients = settings.recipients
    if recipients is None:
        return None
    return Finding(
        "S13",
        f"Mail goes only to {', '.join(recipients)}; all other mail is refused.",
        "Name whom you try it with, or everybody: ALLOWED_RECIPIENTS=*",
        is_error=False,
    )


def _check_webhook(settings: Settings) -> Finding | None:
    if settings.mail_url.startswith("sendgrid:") and not settings.sendgrid_public_keys:
        return Finding(
            "S07",
            "SENDGRID_PUBLIC_KEY is not set.",
            "Without it bounces and complaints are not heard.",
            is_error=settings.is_production,
        )
    return None


def _check_broker(settings: Settings) -> Finding | None:
    if not settings.broker_url or _scheme(settings.broker_url) in BROKER_SCHEMES:
        return None
    return Finding("S08", "BROKER_URL is not a Redis address.", "Use redis://host:6379/0")


def _check_proxies(settings: Settings) -> Finding | None:
    if not settings.is_production or not settings.is_secure or settings.trusted_proxies:
        return None
    return Finding(
        "S09",
        "BASE_URL is https, but TRUSTED_PROXIES is 0.",
        "Say how many proxies stand in front, or all visitors count as one: TRUSTED_PROXIES=1",
    )


def _check_listen(settings: Settings) -> Finding | None:
    if _LISTEN.fullmatch(settings.listen) and settings.place[1] <= MAX_PORT:
        return None
    return Finding("S10", "LISTEN is not a host and a port.", "Use 127.0.0.1:8000 or [::1]:8000")


def _check_storage(settings: Settings) -> Finding | None:
    if settings.storage_url.removeprefix("file://") not in {"", settings.storage_url}:
        return None
    return Finding("S11", "STORAGE_URL is not a folder.", "Use file:///srv/funnel/guides")


def _check_names(settings: Settings) -> Finding | None:
    for name, value in (
        ("DKIM_SELECTOR", settings.dkim_selector),
        ("SPF_INCLUDE", settings.spf_include),
    ):
        if value and not _NAME.fullmatch(value):
            mend = "Give the bare name, as your mail provider writes it."
            return Finding("S15", f"{name} is not a name of the DNS.", mend)
    return None
