"""What one run is made of, written to a file that every process of it reads."""

import json
import math
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from funnel.domain.delivery import Patience

SECRET = "a-secret-of-the-chaos-proof-longer-than-thirty-two"
API_KEY = "SG.a-key-of-the-chaos-proof.never-shown"
# Three days before the clocks go back in Europe, nine before they do in New York.
FUNNEL_START = datetime(2027, 10, 28, 5, 0, tzinfo=UTC)
STORY_ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe")
OPENS, CLOSES, SENT_AT = "08:00", "20:00", "08:10"
MIN_GAP = timedelta(hours=20)

# Short enough for a pause of seconds to outlast a lease, long enough for a slow machine.
PATIENCE = Patience(
    lease=timedelta(seconds=2),
    sending_margin=timedelta(seconds=2),
    start_seconds=1.0,
    settle=timedelta(seconds=4),
    ask_again=timedelta(seconds=1),
)
BEGIN_SECONDS = 1.0  # how long one call may go on beginning requests
ANSWER_SECONDS = 3.0  # the longest one call to the provider may take


class Mode(StrEnum):
    """Which database and which provider the run stands on."""

    SENDGRID = "sendgrid"  # Postgres, Celery, Redis
    SMTP = "smtp"  # Postgres, Celery, Redis
    SQLITE = "sqlite"  # SQLite, several working processes, an SMTP server

    @property
    def is_postgres(self) -> bool:
        return self is not Mode.SQLITE

    @property
    def is_sendgrid(self) -> bool:
        return self is Mode.SENDGRID


@dataclass(frozen=True)
class Strikes:
    """How failpoints strike: `rate` of the usual chance, or a chance of their own for some places
    only; the kinds; the longest and shortest pause where no row is locked, in seconds."""

    rate: float = 1.0
    chances: dict[str, float] | None = None
    kinds: tuple[str, ...] = ("kill", "pause", "error")
    pause: tuple[float, float] = (0.5, 8.0)


@dataclass(frozen=True)
class Site:
    """The addresses and the pace of one run; the same in every process."""

    seed: int
    mode: Mode
    folder: str
    database_url: str
    broker_url: str
    provider_url: str
    base_url: str
    public_key: str
    day_seconds: float
    epoch: float
    send_rate: int | None  # mails a second; None is no limit
    strike: "Strikes"

    @property
    def speed(self) -> float:
        """Funnel seconds in one second."""
        return 86_400 / self.day_seconds

    def funnel_time(self, wall: float) -> datetime:
        """The funnel's calendar at an instant of the machine, in seconds since 1970."""
        return FUNNEL_START + timedelta(seconds=(wall - self.epoch) * self.speed)

    def keep(self) -> Path:
        """Write it down for the processes; returns the file."""
        path = Path(self.folder) / "site.json"
        path.write_text(json.dumps(asdict(self)), "utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> "Site":
        values = json.loads(path.read_text("utf-8"))
        values["strike"] = Strikes(**values["strike"])
        return cls(**{**values, "mode": Mode(values["mode"])})


@dataclass(frozen=True)
class SiteClock:
    """The funnel's days in seconds, the same for all processes; machine time stays real."""

    site: Site

    def now(self) -> datetime:
        return self.site.funnel_time(time.time())

    def machine(self) -> datetime:
        return datetime.now(UTC)

    def boot_seconds(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed; nought for none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
