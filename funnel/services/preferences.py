"""What a person chooses to get."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.offers import ChallengeEntry
from funnel.db.people import KeptAnswers, Subscriber
from funnel.domain.errors import LinkInvalid
from funnel.domain.evidence import Evidence
from funnel.domain.people import PersonState, Purpose
from funnel.domain.sequence import Fact
from funnel.links import Links
from funnel.services import consent, enrolment, people, suppression, texts

MAILABLE = {PersonState.CONFIRMED, PersonState.UNSUBSCRIBED}


@dataclass(frozen=True)
class PreferencesView:
    """What the preferences page shows; the address is masked.

    `answers_until` is set while answers of the self-check are kept.
    """

    masked_email: str
    has_series: bool
    has_challenge: bool
    allows_clicks: bool
    answers_until: datetime | None
    can_choose: bool
    is_in_challenge: bool
    is_unsubscribed: bool
    time_zone: str | None


def preferences_view(session: Session, handle: UUID) -> PreferencesView:
    """The choices of the person of a link; raises LinkInvalid."""
    person = people.by_handle(session, handle)
    granted = {row.purpose for row in person.consents}
    answers = session.get(KeptAnswers, person.id)
    return PreferencesView(
        masked_email=mask(person.email),
        has_series=Purpose.SERIES in granted,
        has_challenge=Purpose.CHALLENGE in granted,
        allows_clicks=Purpose.CLICKS in granted,
        answers_until=answers.delete_at if answers else None,
        can_choose=person.state in MAILABLE,
        is_in_challenge=_entry(session, person) is not None,
        is_unsubscribed=person.state == PersonState.UNSUBSCRIBED,
        time_zone=person.time_zone,
    )


def mask(email: str) -> str:
    """An address its owner knows again and nobody else learns: a...@example.com."""
    local, _, host = email.rpartition("@")
    return f"{local[0]}…@{host}"


def _entry(session: Session, person: Subscriber) -> ChallengeEntry | None:
    query = select(ChallengeEntry).where(ChallengeEntry.subscriber_id == person.id)
    return session.scalars(query).first()


def set_preferences(
    session: Session,
    handle: UUID,
    *,
    series: bool,
    challenge: bool,
    evidence: Evidence,
    links: Links,
    now: datetime,
) -> None:
    """Take a person's choices; whoever drops the last series counts as unsubscribed.

    Choosing series mail again, from a link in a mail of one's own, is a fresh consent. An
    address that bounced or complained stays as it is.
    """
    person = people.by_handle(session, handle, lock=True)
    if person.state not in MAILABLE:
        raise LinkInvalid
    wanted = {Purpose.SERIES: series, Purpose.CHALLENGE: challenge}
    if not any(wanted.values()):
        if any(row.purpose in wanted for row in person.consents):
            suppression.unsubscribe(session, handle, evidence=evidence, links=links, now=now)
        return
    suppression.lift_unsubscribe(session, person, links=links)
    person.state = PersonState.CONFIRMED
    for purpose, is_wanted in wanted.items():
        _choose(session, person, purpose, is_wanted, evidence, now)


def _choose(
    session: Session,
    person: Subscriber,
    purpose: Purpose,
    is_wanted: bool,
    evidence: Evidence,
    now: datetime,
) -> None:
    if is_wanted:
        consent.grant(session, person, purpose, action="chosen", evidence=evidence, now=now)
        session.expire(person, ["consents"])
        _start_again(session, person, now)
    elif consent.withdraw(session, person, purpose, evidence=evidence, now=now):
        keys = [key for key, found in texts.sequences(session).items() if found.purpose == purpose]
        why = "They switched these emails off."
        enrolment.stop_all(session, person, why=why, now=now, keys=keys)


def _start_again(session: Session, person: Subscriber, now: datetime) -> None:
    """Open the sequences whose time has come: the series at once, the challenge if joined.

    A round that is over stays over: nothing happened that would open another.
    """
    facts = people.facts_of(session, [person.id]).get(person.id, frozenset())
    for fact in sorted(facts & {Fact.CONFIRMED, Fact.JOINED, Fact.COMPLETED}):
        enrolment.start_by(session, person, fact, now=now, may_begin_anew=False)
