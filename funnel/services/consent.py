"""Consent: the standing grants, and the evidence that is never changed."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from funnel.db.people import Consent, ConsentEvent, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.evidence import Evidence
from funnel.domain.journal import Done
from funnel.domain.people import Purpose
from funnel.services import texts
from funnel.services.rights import journal, notice

GUIDE = "guide"
ADDRESS = "address"


def note(
    session: Session,
    person: Subscriber,
    purpose: str,
    *,
    action: str,
    is_granted: bool,
    evidence: Evidence,
    now: datetime,
) -> None:
    """Append one line of evidence, with the exact wording and the privacy notice in force."""
    wording = texts.require(session, "wording", purpose)
    session.add(
        ConsentEvent(
            subscriber_id=person.id,
            occurred_at=now,
            action=action,
            purpose=purpose,
            is_granted=is_granted,
            wording_id=wording.id,
            wording_sha256=wording.sha256,
            page_url=evidence.page_url,
            form_version=evidence.form_version,
            method="button",
            ip_truncated=evidence.ip_truncated,
            user_agent=evidence.user_agent,
            source=person.source,
            seconds_on_page=evidence.seconds_on_page,
            notice_id=notice.in_force(session),
        )
    )


def grant(
    session: Session,
    person: Subscriber,
    purpose: Purpose,
    *,
    action: str,
    evidence: Evidence,
    now: datetime,
) -> bool:
    """Let a consent stand, with its evidence; False when it stood, and nothing is changed."""
    is_new = insert_if_absent(
        session, Consent, subscriber_id=person.id, purpose=purpose, given_at=now
    )
    if is_new:
        note(session, person, purpose, action=action, is_granted=True, evidence=evidence, now=now)
    return is_new


def withdraw(
    session: Session,
    person: Subscriber,
    purpose: Purpose,
    *,
    evidence: Evidence,
    now: datetime,
    action: str = "withdrawn",
) -> bool:
    """End a consent, with its evidence; True when it stood."""
    gone = session.execute(
        delete(Consent)
        .where(Consent.subscriber_id == person.id, Consent.purpose == purpose)
        .returning(Consent.purpose)
    ).first()
    if gone is not None:
        journal.note(session, Done.WITHDREW, person.email_key, purpose, now=now)
        note(
            session,
            person,
            purpose,
            action=action,
            is_granted=False,
            evidence=evidence,
            now=now,
        )
    return gone is not None
