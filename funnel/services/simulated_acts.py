"""What the demo's people do, done through the same services that the pages use."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.content.catalog import Challenge
from funnel.db.desk import Staff
from funnel.domain.clicks import ClickKind
from funnel.domain.evidence import Evidence
from funnel.domain.people import parse_address
from funnel.domain.self_check import SelfCheck
from funnel.domain.simulated import Act, ActKind, Persona
from funnel.domain.touch import FirstTouch, first_touch
from funnel.links import Links
from funnel.services import challenge, clicks, confirming, guides, offers, signup, suppression
from funnel.services.self_check import Keeper
from funnel.services.simulated_people import Known

FORM = "demo"
AGENT = "A person made up for the demo"
SERVICE = "service/"
MAIL_IS_OLD = timedelta(days=2)
NO_ADDRESS = "192.0.2.0"  # of a network kept for examples


@dataclass(frozen=True)
class Stage:
    """What the acts need of the house."""

    links: Links
    challenge: Challenge
    keeper: Keeper
    offer_key: str


def touch_of(persona: Persona, links: Links) -> FirstTouch:
    """Where this person came from, read as the landing page reads it."""
    host = urlsplit(links.base_url).netloc
    return first_touch(dict(persona.source.args), persona.source.referrer, host, "/")


def ask(session: Session, persona: Persona, stage: Stage, *, now: datetime) -> None:
    """Ask for the guide, as a visitor with a computer of their own."""
    request = signup.SignupRequest(
        address=parse_address(persona.address),
        first_name=persona.first_name,
        wants_series=persona.wants_series,
        wants_health=persona.wants_health,
        touch=touch_of(persona, stage.links),
        time_zone=persona.time_zone,
        evidence=_evidence(stage, "home"),
        answers=answers_of(persona, stage.keeper.check) if persona.ends_check else None,
    )
    visitor = f"demo visitor {persona.number}"
    signup.request_guide(
        session, request, now=now, links=stage.links, keeper=stage.keeper, ip_key=visitor
    )


def answers_of(persona: Persona, check: SelfCheck) -> dict[str, str]:
    """What this person answers in the self-check: the same each time."""
    draw = random.Random(persona.address)  # noqa: S311 - invents answers, keeps no secret
    return {question.key: draw.choice(question.answers).key for question in check.questions}


def do(session: Session, known: Known, act: Act, stage: Stage, *, now: datetime) -> None:
    """Do anything but the first asking. Raises FunnelError where the page would refuse it."""
    links, evidence = stage.links, _evidence(stage, act.kind)
    match act.kind:
        case ActKind.CONFIRM if known.confirmation:
            confirming.confirm(
                session,
                known.confirmation,
                evidence,
                now=now,
                links=links,
                keeper=stage.keeper,
                with_answers=True,
            )
        case ActKind.DOWNLOAD if known.guide:
            guides.count_download(session, known.guide, now=now)
        case ActKind.LEAVE:
            suppression.unsubscribe(session, known.handle, evidence=evidence, links=links, now=now)
        case ActKind.JOIN | ActKind.TICK:
            _take_part(session, known, act, stage, now)
            _press(session, known, now)
        case ActKind.WAIT:
            offers.join_waitlist(session, known.handle, stage.offer_key, now=now)
            _press(session, known, now)
        case ActKind.PAY:
            _note_payment(session, known, stage, now)


def _take_part(session: Session, known: Known, act: Act, stage: Stage, now: datetime) -> None:
    if act.kind is ActKind.JOIN:
        evidence = _evidence(stage, act.kind)
        challenge.join(session, known.handle, evidence, links=stage.links, now=now)
        return
    challenge.mark_day(
        session, known.handle, act.day, is_done=True, challenge=stage.challenge, now=now
    )


def _press(session: Session, known: Known, now: datetime) -> None:
    """They came by a link in the newest mail of a series they had, if it is not old."""
    mails = {
        key: at for key, at in known.seen.items() if "/" in key and not key.startswith(SERVICE)
    }
    newest = max(mails, key=mails.__getitem__, default=None)
    if newest is not None and now - mails[newest] < MAIL_IS_OLD:
        clicks.add_counts(session, [(now, newest, ClickKind.PERSON)])


def _note_payment(session: Session, known: Known, stage: Stage, now: datetime) -> None:
    """As the desk does it: with nobody there yet, it waits."""
    staff_id = session.scalars(select(Staff.id).order_by(Staff.id)).first()
    if staff_id is not None:
        offers.mark_paid(session, known.subscriber_id, stage.offer_key, staff_id=staff_id, now=now)


def _evidence(stage: Stage, form: str) -> Evidence:
    return Evidence(stage.links.url("home"), f"{FORM}-{form}", NO_ADDRESS, AGENT)
