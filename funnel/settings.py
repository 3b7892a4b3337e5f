"""The environment, read once into frozen settings, with numbered checks."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from funnel.domain.errors import SettingInvalid

MIN_SECRET_CHARACTERS = 32
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
MAIL_SCHEMES = frozenset({"mailbox", "smtp", "smtps", "sendgrid"})


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

    database_url: str = "sqlite:///var/funnel.db"
    mail_url: str = field(default="mailbox://var/mailbox", repr=False)
    storage_url: str = "file://var/guides"
    broker_url: str = field(default="", repr=False)
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    base_url: str = "http://127.0.0.1:8000"
    listen: str = "127.0.0.1:8000"
    is_production: bool = False
    trusted_proxies: int = 0
    sending: bool = True
    sendgrid_public_keys: tuple[str, ...] = ()
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
        return cls(
            database_url=read.text("DATABASE_URL", cls.database_url),
            mail_url=read.text("MAIL_URL", "mailbox://var/mailbox"),
            storage_url=read.text("STORAGE_URL", cls.storage_url),
            broker_url=read.text("BROKER_URL", ""),
            secret_keys=read.words("SECRET_KEY") or (() if is_production else _own_secret()),
            base_url=read.text("BASE_URL", cls.base_url).rstrip("/"),
            listen=read.text("LISTEN", cls.listen),
            is_production=is_production,
            trusted_proxies=read.number("TRUSTED_PROXIES", 0),
            sending=read.flag("SENDING", True),
            sendgrid_public_keys=read.words("SENDGRID_PUBLIC_KEY"),
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

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(self.text(name, "").split())

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, "on" if default else "off").lower()
        if value not in {"on", "off"}:
            raise SettingInvalid(f"{name} must be on or off.")
        return value == "on"

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isdigit():
            raise SettingInvalid(f"{name} must be a whole number.")
        return int(value)


def _own_secret() -> tuple[str, ...]:
    path = Path("var/secret.key")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return (path.read_text(encoding="utf-8").strip(),)


def _checks(settings: Settings) -> list[Finding | None]:
    return [
        _check_secret(settings),
        _check_base_url(settings),
        _check_database(settings),
        _check_mail(settings),
        _check_webhook(settings),
        _check_broker(settings),
    ]


def _check_secret(settings: Settings) -> Finding | None:
    if settings.secret_keys and all(len(k) >= MIN_SECRET_CHARACTERS for k in settings.secret_keys):
        return None
    return Finding(
        "S01",
        "SECRET_KEY is missing or shorter than 32 characters.",
        "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
    )


def _check_base_url(settings: Settings) -> Finding | None:
    parts = urlsplit(settings.base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        return Finding("S02", "BASE_URL is not the address of a site.", "Use https://your.site")
    if settings.is_production and parts.scheme != "https" and parts.hostname not in LOCAL_HOSTS:
        return Finding("S03", "BASE_URL is not https.", "Pages with personal links need https.")
    return None


def _check_database(settings: Settings) -> Finding | None:
    if urlsplit(settings.database_url).scheme.partition("+")[0] in {"sqlite", "postgresql"}:
        return None
    return Finding(
        "S04", "DATABASE_URL is neither SQLite nor Postgres.", "Use sqlite:///... or postgresql://"
    )


def _check_mail(settings: Settings) -> Finding | None:
    scheme = urlsplit(settings.mail_url).scheme
    if scheme not in MAIL_SCHEMES:
        return Finding(
            "S05", "MAIL_URL is not understood.", "Use mailbox://, smtp://, smtps:// or sendgrid://"
        )
    if settings.is_production and scheme == "mailbox":
        return Finding("S06", "MAIL_URL is the local mailbox.", "Real people get no mail from it.")
    return None


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
    if urlsplit(settings.broker_url).scheme in {"", "redis", "rediss", "unix"}:
        return None
    return Finding("S08", "BROKER_URL is not a Redis address.", "Use redis://host:6379/0")
