"""The sender, taken apart for tests: hooks between its steps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from funnel.db.texts import TextVersion
from funnel.domain.ports import OutgoingEmail
from funnel.services.letters import Draft, LetterWriter
from funnel.services.sending import Sender
from tests.support import make
from tests.support.house import House

CONFIRM = "service/confirm"
DRIP = "nurture/one-technique"
LEASE_OF_A_CALL = timedelta(seconds=91)


@dataclass(frozen=True)
class HookedWriter(LetterWriter):
    """Writes letters, and lets something happen first: between the claim and the intent."""

    before: Callable[[Draft], object] = repr

    def write(self, draft: Draft) -> OutgoingEmail:
        self.before(draft)
        return super().write(draft)


def sender_of(house: House, before: Callable[[Draft], object]) -> Sender:
    """The house's sender, with something that happens between its claim and its intent."""
    writer = house.rt.worker.sender.writer
    hooked = HookedWriter(writer.catalog, writer.renderer, writer.links, before)
    return replace(house.rt.worker.sender, writer=hooked)


def drip_due(house: House) -> None:
    """Ada confirmed, and her first series mail is scheduled but not yet sent."""
    make.confirmed(house)
    house.clock.move_to(datetime(2026, 11, 24, 8, 10, tzinfo=UTC))
    house.mailer.offered.clear()
    advance(house)


def advance(house: House) -> int:
    """Decide for every enrolment that is due."""
    with house.rt.sessions.begin() as session:
        return house.rt.sequences.advance_due(session, now=house.clock.now())


def publish(house: House, kind: str, key: str, source: str) -> None:
    """A new version of a text, as an editor publishes it."""
    with house.rt.sessions.begin() as session:
        newest = session.scalar(select(func.max(TextVersion.version)).where(TextVersion.key == key))
        session.add(
            TextVersion(
                kind=kind,
                key=key,
                version=(newest or 0) + 1,
                source=source,
                sha256=source[:64],
                origin="edited",
                created_at=house.clock.now(),
            )
        )


def sweep(house: House) -> int:
    """One round of the sweeper."""
    return house.rt.worker.sweeper.sweep()


def send(house: House) -> int:
    """One batch of the sender."""
    return house.rt.worker.sender.send_batch()


def state_of(house: House, mail_key: str) -> str:
    """The state of Ada's message."""
    return make.message(house, mail_key).state


def raise_it(error: BaseException) -> None:
    """Raise it, where only an expression fits."""
    raise error
