"""The self-check's answers: sealed, kept only by consent, and let go in time."""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, true, update
from sqlalchemy.orm import Session

from funnel.content.guide_document import pattern_part
from funnel.db.bulk import among
from funnel.db.people import Confirmation, KeptAnswers, Subscriber
from funnel.db.upsert import insert_into
from funnel.domain.errors import VaultLocked
from funnel.domain.evidence import Evidence
from funnel.domain.people import Purpose
from funnel.domain.ports import Document
from funnel.domain.self_check import Answer, Pattern, Question, SelfCheck, pattern_for, told
from funnel.services import consent, guides, people
from funnel.vault import Vault

log = logging.getLogger(__name__)

BATCH = 200
SEALED_CHARACTERS = 2048  # more than any answers take: a length tells of what is inside
BY_TIMER = Evidence("", "retention", "unknown", "retention")


@dataclass(frozen=True)
class Keeper:
    """Seals answers, keeps them for as long as the self-check says, and reads them for a guide."""

    vault: Vault
    check: SelfCheck

    def seal(self, answers: Mapping[str, str]) -> bytes:
        """The answers and the pattern they lead to, sealed; all of one length."""
        kept = {"pattern": pattern_for(self.check, answers).key, "answers": dict(answers)}
        return self.vault.seal(json.dumps(kept).ljust(SEALED_CHARACTERS).encode())

    def keep(
        self,
        session: Session,
        person: Subscriber,
        sealed: bytes,
        *,
        given_at: datetime,
        evidence: Evidence,
        now: datetime,
    ) -> None:
        """Keep sealed answers by her consent, in place of older ones, and print the guide anew.

        Their days are counted from when they were given.
        """
        stood = not consent.grant(
            session, person, Purpose.HEALTH, action="confirmed", evidence=evidence, now=now
        )
        if stood:  # new answers are agreed to anew
            consent.note(
                session,
                person,
                Purpose.HEALTH,
                action="confirmed",
                is_granted=True,
                evidence=evidence,
                now=now,
            )
        values = {
            "sealed": sealed,
            "given_at": given_at,
            "delete_at": given_at + timedelta(days=self.check.keep_days),
        }
        statement = insert_into(session, KeptAnswers).values(subscriber_id=person.id, **values)
        session.execute(
            statement.on_conflict_do_update(index_elements=["subscriber_id"], set_=values)
        )
        guides.print_anew(session, person, now=now)

    def told(self, sealed: bytes) -> tuple[str, ...]:
        """Sealed answers in our words, for her to see first; none when no key opens them."""
        try:
            return told(self.check, json.loads(self.vault.open(sealed))["answers"])
        except VaultLocked:
            return ()

    def spelled(self, sealed: bytes) -> dict[str, str]:
        """Sealed answers as she gave them: her pattern's name, then each question with its answer.

        For her alone. Empty when no key opens them; a question that is gone goes by its key.
        """
        kept = self._open(sealed)
        if kept is None:
            return {}
        pattern, answers = kept
        questions = {question.key: question for question in self.check.questions}
        said = {
            questions[key].title if key in questions else key: _words(questions.get(key), answer)
            for key, answer in answers.items()
        }
        return {"Your pattern": pattern.name, **said}

    def part(self, session: Session, subscriber_id: int) -> Document:
        """What a person's answers add to her guide; nothing when none are kept or readable."""
        row = session.get(KeptAnswers, subscriber_id, populate_existing=True)
        kept = self._open(row.sealed) if row else None
        return reader_part(self.check, *kept) if kept else {}

    def patterns(self, session: Session, who: Collection[int]) -> dict[int, str]:
        """The pattern of those of these people whose answers are kept and can be read, by id."""
        query = select(KeptAnswers.subscriber_id, KeptAnswers.sealed)
        rows = session.execute(query.where(among(session, KeptAnswers.subscriber_id, who)))
        found = {subscriber_id: self._open(sealed) for subscriber_id, sealed in rows}
        return {subscriber_id: kept[0].key for subscriber_id, kept in found.items() if kept}

    def _open(self, sealed: bytes) -> tuple[Pattern, Mapping[str, str]] | None:
        """A pattern with the answers it comes from; None when no key opens them."""
        try:
            kept = json.loads(self.vault.open(sealed))
        except VaultLocked:
            log.warning("answers are kept that no key in SECRET_KEY opens")
            return None
        answers = kept["answers"]
        return self._pattern(kept["pattern"]) or pattern_for(self.check, answers), answers

    def _pattern(self, key: str) -> Pattern | None:
        return next((found for found in self.check.patterns if found.key == key), None)


def _words(question: Question | None, key: str) -> str:
    found = [answer.text for answer in question.answers if answer.key == key] if question else []
    return found[0] if found else key


def reader_part(check: SelfCheck, pattern: Pattern, answers: Mapping[str, str]) -> Document:
    """The part of a guide's document that follows from a pattern and answers."""
    return {"pattern": pattern_part(pattern), "told": list(told(check, answers))}


def house_parts(check: SelfCheck) -> dict[str, Document]:
    """Readers made up for house copies, by the pattern they have; "" left the self-check out."""
    made_up = {
        pattern.key: reader_part(check, pattern, _leaning(check, pattern.key))
        for pattern in check.patterns
    }
    return {"": {}, **made_up}


def _leaning(check: SelfCheck, pattern: str) -> dict[str, str]:
    """Answers that lean towards a pattern as far as each can; towards none for the fallback.

    Question by question: trying every way through them could take minutes.
    """
    gain = 0 if pattern == check.fallback else 3

    def lean(answer: Answer) -> tuple[bool, int]:
        strays = sum(answer.points.values())
        return answer.decides == pattern, gain * answer.points.get(pattern, 0) - strays

    fitting = {
        question.key: [each for each in question.answers if each.decides in {None, pattern}]
        for question in check.questions
    }
    return {key: max(answers, key=lean).key for key, answers in fitting.items() if answers}


def withdraw(session: Session, handle: UUID, *, evidence: Evidence, now: datetime) -> None:
    """Take back the consent to keep answers: they go at once, and the guide is printed anew.

    It is open to everyone, whatever mail they get. Repeating it changes nothing; raises
    LinkInvalid for an unknown person.
    """
    person = people.by_handle(session, handle, lock=True)
    consent.withdraw(session, person, Purpose.HEALTH, evidence=evidence, now=now)
    drop_waiting(session, person)
    _forget(session, person, now)


def drop_waiting(session: Session, person: Subscriber) -> None:
    """Let go of answers that wait on confirm links."""
    session.execute(
        update(Confirmation)
        .where(Confirmation.subscriber_id == person.id, Confirmation.sealed_answers.is_not(None))
        .values(sealed_answers=None)
    )


def _forget(session: Session, person: Subscriber, now: datetime) -> None:
    if _delete(session, person, true()):
        guides.print_anew(session, person, now=now)


def _delete(session: Session, person: Subscriber, is_meant: ColumnElement[bool]) -> bool:
    """Delete what is kept of her if it is meant; True when there was something."""
    gone = session.execute(
        delete(KeptAnswers)
        .where(KeptAnswers.subscriber_id == person.id, is_meant)
        .returning(KeptAnswers.subscriber_id)
    ).first()
    return gone is not None


def forget_old(session: Session, *, now: datetime) -> int:
    """Let go of answers whose time is over, and of those whose address was never confirmed."""
    query = (
        select(Subscriber)
        .join(KeptAnswers, KeptAnswers.subscriber_id == Subscriber.id)
        .where(KeptAnswers.delete_at <= now)
        .order_by(Subscriber.id)
        .limit(BATCH)
        .with_for_update(key_share=True, of=Subscriber)
    )
    found = session.scalars(query).all()
    for person in found:
        _expire(session, person, now)
    is_over = Confirmation.sealed_answers.is_not(None) & (Confirmation.expires_at <= now)
    free = select(Confirmation.id).where(is_over).with_for_update(skip_locked=True)
    session.execute(
        update(Confirmation).where(Confirmation.id.in_(free)).values(sealed_answers=None)
    )
    return len(found)


def _expire(session: Session, person: Subscriber, now: datetime) -> None:
    """Let her answers go; not those that she gave anew while we waited for her."""
    if _delete(session, person, KeptAnswers.delete_at <= now):
        consent.withdraw(
            session, person, Purpose.HEALTH, evidence=BY_TIMER, now=now, action="expired"
        )
        guides.print_anew(session, person, now=now)
