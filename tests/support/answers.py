"""Answers of the self-check in a test: what is kept, what waits, and what a page shows."""

from uuid import UUID

from sqlalchemy import func, select

from funnel.db.people import Confirmation, ConsentEvent, KeptAnswers
from funnel.domain.self_check import told
from funnel.services import confirming
from tests.support import make
from tests.support.house import House


def kept(house: House) -> int:
    """How many people's answers are kept."""
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(KeptAnswers)) or 0


def waiting(house: House) -> int:
    """How many answers wait on confirm links."""
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(Confirmation.sealed_answers.is_not(None))
        return session.scalar(query) or 0


def told_lines(house: House, answers: dict[str, str]) -> list[str]:
    """The answers in our words."""
    return list(told(house.rt.catalog.self_check, answers))


def confirm_mails(house: House) -> int:
    """How many confirm mails Ada was sent."""
    return sum(each.mail_key == "service/confirm" for each in make.messages(house))


def health_evidence(house: House) -> list[str]:
    """Every line of evidence about keeping answers."""
    with house.rt.reading.begin() as session:
        query = select(ConsentEvent.action).where(ConsentEvent.purpose == "health")
        return list(session.scalars(query.order_by(ConsentEvent.id)))


def shown(house: House, handle: UUID) -> list[str]:
    """The answers that a confirm page shows before its button is pressed."""
    with house.rt.reading.begin() as session:
        seen = confirming.confirmation_view(
            session, handle, now=house.clock.now(), keeper=house.rt.keeper
        )
    return list(seen.told)


def press(house: House, handle: UUID, *, with_answers: bool = True) -> None:
    """Press the button of one confirm link, and let the work be done."""
    with house.rt.sessions.begin() as session:
        make.confirm_handle(house, handle, session, with_answers=with_answers)
    house.work()
