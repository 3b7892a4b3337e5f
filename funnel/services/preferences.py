"""What a person chooses to get."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.offers import ChallengeEntry
from funnel.db.people import AddressChange, KeptAnswers, Subscriber
from funnel.domain.errors import LinkInvalid
from funnel.domain.evidence import Evidence
from funnel.domain.people import PersonState, Purpose
from funnel.domain.sequence import Fact
from funnel.links import Links
from funnel.services import challenge as challenges
from funnel.services import clicks, consent, enrolment, people, suppression, texts

MAILABLE = {PersonState.CONFIRMED, PersonState.UNSUBSCRIBED}


class Choice(StrEnum):
    """What somebody would like to get, besides what they ask for each time."""

    EVERYTHING = "everything"
    SERIES = "series"
    CHALLENGE = "challenge"
    GUIDE = "guide"


@dataclass(frozen=True)
class PreferencesView:
    """What the preferences page shows; addresses are masked.

    `choice` is what stands, None where all mail was stopped. `answers_until` is set while answers
    of the self-check are kept, `paused_until` during a pause, `new_email` while a new address
    waits to be confirmed.
    """

    masked_email: str
    first_name: str | None
    choice: Choice | None
    allows_clicks: bool
    answers_until: datetime | None
    can_choose: bool
    is_in_challenge: bool
    is_unsubscribed: bool
    time_zone: str | None
    paused_until: datetime | None
    has_fewer: bool
    new_email: str | None

    @property
    def has_series(self) -> bool:
        """True while they agree to the follow-up series."""
        return self.choice in {Choice.EVERYTHING, Choice.SERIES}


def preferences_view(session: Session, handle: UUID, *, now: datetime) -> PreferencesView:
    """The choices of the person of a link; raises LinkInvalid."""
    person = people.by_handle(session, handle)
    answers = session.get(KeptAnswers, person.id)
    pause, change = person.paused_until, _open_change(session, person, now)
    return PreferencesView(
        masked_email=mask(person.email),
        first_name=person.first_name,
        choice=_choice(session, person),
        allows_clicks=any(row.purpose == Purpose.CLICKS for row in person.consents),
        answers_until=answers.delete_at if answers else None,
        can_choose=person.state in MAILABLE,
        is_in_challenge=_entry(session, person) is not None,
        is_unsubscribed=person.state == PersonState.UNSUBSCRIBED,
        time_zone=person.time_zone,
        paused_until=pause if pause is not None and pause > now else None,
        has_fewer=person.weekly_cap is not None,
        new_email=mask(change.email) if change else None,
    )


def mask(email: str) -> str:
    """An address its owner knows again and nobody else learns: a...@example.com."""
    local, _, host = email.rpartition("@")
    return f"{local[0]}…@{host}"


def _choice(session: Session, person: Subscriber) -> Choice | None:
    """Whoever never joined the challenge and gets the series gets everything there is for them."""
    granted = {row.purpose for row in person.consents}
    if person.state != PersonState.CONFIRMED:
        return None
    if Purpose.SERIES not in granted:
        return Choice.CHALLENGE if Purpose.CHALLENGE in granted else Choice.GUIDE
    has_both = Purpose.CHALLENGE in granted or _entry(session, person) is None
    return Choice.EVERYTHING if has_both else Choice.SERIES


def _entry(session: Session, person: Subscriber) -> ChallengeEntry | None:
    query = select(ChallengeEntry).where(ChallengeEntry.subscriber_id == person.id)
    return session.scalars(query).first()


def _open_change(session: Session, person: Subscriber, now: datetime) -> AddressChange | None:
    query = select(AddressChange).where(
        AddressChange.subscriber_id == person.id,
        AddressChange.confirmed_at.is_(None),
        AddressChange.expires_at > now,
    )
    return session.scalars(query.order_by(AddressChange.id.desc())).first()


def choose(
    session: Session,
    handle: UUID,
    choice: Choice,
    *,
    evidence: Evidence,
    links: Links,
    now: datetime,
) -> None:
    """Take what a person would like; whoever wants only the challenge joins it by that.

    Raises LinkInvalid. Repeating it changes nothing.
    """
    person = people.by_handle(session, handle, lock=True)
    is_in_challenge = _entry(session, person) is not None
    if choice is Choice.CHALLENGE and not is_in_challenge and person.state in MAILABLE:
        challenges.join(session, handle, evidence, links=links, now=now)
    is_wanted = choice is Choice.CHALLENGE or (choice is Choice.EVERYTHING and is_in_challenge)
    set_preferences(
        session,
        handle,
        series=choice in {Choice.EVERYTHING, Choice.SERIES},
        challenge=is_wanted,
        evidence=evidence,
        links=links,
        now=now,
    )


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
    """Take a person's choices. Without series and challenge they get what they ask for, no more.

    Choosing series mail again, from a link in a mail of one's own, is a fresh consent. An
    address that bounced or complained stays as it is.
    """
    person = people.by_handle(session, handle, lock=True)
    if person.state not in MAILABLE:
        raise LinkInvalid
    wanted = {Purpose.SERIES: series, Purpose.CHALLENGE: challenge}
    if any(wanted.values()):
        suppression.lift_unsubscribe(session, person, links=links)
        person.state = PersonState.CONFIRMED
    else:
        clicks.withdraw(session, person, evidence=evidence, now=now)
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
