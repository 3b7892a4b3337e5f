"""The people of a run: they ask, confirm, read, leave, buy and join, through the web where they
can, and they try again when a page fails, as people do."""

import asyncio
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

import httpx

from tests.chaos.history import History
from tests.chaos.mail import Mail
from tests.chaos.site import STORY_ZONES, Site
from tests.support.visitor import hidden_fields

FORM_SECONDS = 2.2
LOOK_SECONDS = 0.1
TRY_AGAIN_SECONDS = 0.4
WAIT_FOR_MAIL_DAYS = 2.5
SCANNED = 0.1  # of the mails after the first
VICTIM = "victim@example.org"


class Fate(StrEnum):
    """What becomes of a person."""

    STAYS = "stays"
    NEVER_CONFIRMS = "never confirms"
    LEAVES = "leaves"
    BUYS = "buys"
    JOINS = "joins"
    BOUNCES = "bounces"
    COMPLAINS = "complains"


SHARES = {
    Fate.STAYS: 0.60,
    Fate.NEVER_CONFIRMS: 0.06,
    Fate.LEAVES: 0.12,
    Fate.BUYS: 0.10,
    Fate.JOINS: 0.06,
    Fate.BOUNCES: 0.03,
    Fate.COMPLAINS: 0.03,
}


TWICE = 0.1
MOST = {Fate.BOUNCES: 2, Fate.COMPLAINS: 1}


@dataclass(frozen=True)
class Person:
    """Somebody made up, who arrives so many seconds after the start."""

    number: int
    fate: Fate
    zone: str
    arrives: float
    after_drips: int
    asks_twice: bool  # and presses both links
    waits: float  # seconds from the last drip until the fate

    @property
    def address(self) -> str:
        return f"person{self.number}@example.org"


def invent(
    site: Site, count: int, arrive_within: float, shares: Mapping[Fate, float]
) -> list[Person]:
    """The people of a run; the same for the same seed."""
    draw = random.Random(f"{site.seed}:people")
    fates = draw.choices(list(shares), weights=list(shares.values()), k=count)
    # Bounces and complaints are told by webhook, which only SendGrid has; and of many, the
    # product rightly stops the series for good.
    seen: Counter[Fate] = Counter()
    for number, fate in enumerate(fates):
        seen[fate] += 1
        if fate in MOST and (seen[fate] > MOST[fate] or not site.mode.is_sendgrid):
            fates[number] = Fate.STAYS
    return [
        Person(
            number,
            fate,
            draw.choice(STORY_ZONES),
            draw.random() * arrive_within,
            draw.randint(1, 2),
            draw.random() < TWICE,
            draw.uniform(0.0, 1.3) * site.day_seconds,
        )
        for number, fate in enumerate(fates)
    ]


@dataclass
class Inbox:
    """Every mail by its reader, filled by the provider's threads."""

    mails: dict[str, list[Mail]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, mail: Mail) -> None:
        with self._lock:
            self.mails[mail.to_address].append(mail)

    def of(self, address: str) -> list[Mail]:
        with self._lock:
            return list(self.mails[address])


@dataclass
class Workload:
    """Lives all lives at once in one thread.

    `act` does what this visitor has no page for: the desk's note of a payment, and joining the
    challenge without waiting for the mail that offers it. `tell` makes the provider tell of a
    bounce or a complaint.
    """

    site: Site
    people: list[Person]
    inbox: Inbox
    history: History
    act: Callable[[str, Fate], None]
    tell: Callable[[Mail, str], None]
    is_over: threading.Event = field(default_factory=threading.Event)
    problems: list[str] = field(default_factory=list)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="workload", daemon=True)
        self._thread.start()

    def is_done(self) -> bool:
        """Whether every life has come to its end."""
        return not self._thread.is_alive()

    def close(self) -> None:
        self.is_over.set()
        self._thread.join(30)

    def _run(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        self._draw = random.Random(f"{self.site.seed}:lives")
        limits = httpx.Limits(max_connections=6)
        async with httpx.AsyncClient(
            base_url=self.site.base_url, timeout=15, limits=limits, follow_redirects=False
        ) as self._http:
            page = await self._insist("GET", "/")
            self._form = hidden_fields(page.text)
            await asyncio.sleep(FORM_SECONDS)
            lives = [self._life(person) for person in self.people]
            attack = asyncio.create_task(self._attack())
            for ended in await asyncio.gather(*lives, return_exceptions=True):
                if isinstance(ended, BaseException) and not isinstance(ended, _Over):
                    self.problems.append(repr(ended))
            attack.cancel()

    async def _life(self, person: Person) -> None:
        await asyncio.sleep(person.arrives)
        first = await self._ask(person) if person.asks_twice else None
        if first is not None:
            await asyncio.sleep(1.1 * self.site.day_seconds)
        while not await self._confirm(person):
            continue
        if first is not None and person.fate is not Fate.NEVER_CONFIRMS:
            await self._press(first.link("/confirm/") or "")
        if person.fate not in {Fate.STAYS, Fate.NEVER_CONFIRMS}:
            await self._meet_fate(person)

    async def _confirm(self, person: Person) -> bool:
        """Ask and confirm; False when the link ran out first, as after a long outage."""
        confirm = await self._ask(person)
        await self._scan(confirm)
        if person.fate is Fate.NEVER_CONFIRMS:
            return True
        self.history.note("confirm pressed", to=person.address)
        if await self._press(confirm.link("/confirm/") or "") == HTTPStatus.GONE:
            return False
        self.history.note("confirmed", to=person.address, fate=person.fate)
        return True

    async def _ask(self, person: Person) -> Mail:
        """Ask until the confirm mail comes: what has no answer is asked again the next day."""
        fields = {
            **self._form,
            "name": f"Person {person.number}",
            "email": person.address,
            "series": "yes",
            "time_zone": person.zone,
        }
        while True:
            known = len(self.inbox.of(person.address))
            await self._insist("POST", "/signup", data=fields)
            self.history.note("asked", to=person.address)
            deadline = time.monotonic() + WAIT_FOR_MAIL_DAYS * self.site.day_seconds
            while time.monotonic() < deadline:
                mails = self.inbox.of(person.address)
                if len(mails) > known and mails[-1].link("/confirm/"):
                    return mails[-1]
                await self._rest(LOOK_SECONDS)

    async def _scan(self, mail: Mail) -> None:
        """What a mail scanner does: opens every link, twice, and presses nothing."""
        for path in mail.links():
            for method in ("GET", "HEAD"):
                await self._insist(method, path)

    async def _meet_fate(self, person: Person) -> None:
        last = await self._wait_for_drips(person)
        if last is None:
            return
        await asyncio.sleep(person.waits)
        match person.fate:
            case Fate.LEAVES:
                await self._leave(person, last)
            case Fate.BUYS | Fate.JOINS:
                await asyncio.to_thread(self.act, person.address, person.fate)
                self.history.note(person.fate, to=person.address)
            case Fate.BOUNCES:
                self.tell(last, "bounce")
            case Fate.COMPLAINS:
                self.tell(last, "spamreport")

    async def _wait_for_drips(self, person: Person) -> Mail | None:
        """The mail of the series after which something happens; None when none comes any more."""
        while True:
            drips = [m for m in self.inbox.of(person.address) if is_drip(m)]
            if len(drips) >= person.after_drips:
                return drips[person.after_drips - 1]
            if self.is_over.is_set():
                return None
            await asyncio.sleep(LOOK_SECONDS)

    async def _leave(self, person: Person, mail: Mail) -> None:
        path = mail.link("/unsubscribe/")
        if path is None:
            self.problems.append(f"no way to unsubscribe in {mail.subject!r}")
            return
        # What a mail program posts for List-Unsubscribe-Post.
        await self._insist("POST", path, data={"List-Unsubscribe": "One-Click"})
        self.history.note("left", to=person.address)

    async def _press(self, path: str) -> int:
        page = await self._insist("GET", path)
        answer = await self._insist("POST", path, data=hidden_fields(page.text))
        return answer.status_code

    async def _attack(self) -> None:
        """Somebody bombs one address with requests, each from another address of the network."""
        while not self.is_over.is_set():
            fields = {**self._form, "name": "V", "email": VICTIM, "series": "yes"}
            await self._insist("POST", "/signup", data=fields)
            await asyncio.sleep(0.3)

    async def _insist(
        self, method: str, path: str, data: dict[str, str] | None = None
    ) -> httpx.Response:
        """Ask until the web has an answer of its own: anything below 500."""
        while True:
            network = f"10.{self._draw.randrange(256)}.{self._draw.randrange(256)}.7"
            try:
                answer = await self._http.request(
                    method, path, data=data, headers={"X-Forwarded-For": network}
                )
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                if answer.status_code >= 400 and answer.status_code != HTTPStatus.GONE:
                    self.problems.append(f"{method} {path[:20]}: {answer.status_code}")
                return answer
            await self._rest(TRY_AGAIN_SECONDS)

    async def _rest(self, seconds: float) -> None:
        if self.is_over.is_set():
            raise _Over
        await asyncio.sleep(seconds)


class _Over(Exception):
    """The run is over before this life was."""


def is_drip(mail: Mail) -> bool:
    """Whether this is a mail of the series: those alone have one-click unsubscribing."""
    return any(name.lower() == "list-unsubscribe-post" for name, _ in mail.headers)
