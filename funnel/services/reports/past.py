"""What has happened to one person, as sentences, newest first."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.guides import Guide, GuidePrint
from funnel.db.mail import Enrolment, MailEvent, Message, StepSkip
from funnel.db.offers import ChallengeDayDone, ChallengeEntry, Purchase, WaitlistEntry
from funnel.db.people import ConsentEvent, FunnelEvent, LinkClick, Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.clicks import ClickKind
from funnel.domain.delivery import OPEN_STATES, EventKind, MessageState
from funnel.domain.evidence import looks_like_machine
from funnel.domain.guides import PLAIN_AFTER, Edition, GuideState
from funnel.domain.sequence import Fact
from funnel.services import texts
from funnel.services.reports.clicks import presses_of
from funnel.services.reports.titles import newest_subjects, subjects

MAX_ITEMS = 200
HASTE = " Pressed within a second of opening the page: perhaps by a mail scanner, and no person."


class PastKind(StrEnum):
    """What sort of thing happened; the page draws a sign for each."""

    STEP = "step"
    CONSENT = "consent"
    MAIL = "mail"
    SKIPPED = "skipped"
    FAILED = "failed"
    GUIDE = "guide"
    DAY = "day"
    OFFER = "offer"
    ENDED = "ended"
    MACHINE = "machine"
    CLICK = "click"


@dataclass(frozen=True)
class PastItem:
    """One thing that happened: a sentence about the person, and one on why or how."""

    at: datetime
    kind: PastKind
    what: str
    why: str = ""


_FACTS = {
    Fact.REQUESTED: "Asked for the guide",
    Fact.CONFIRMED: "Confirmed the address",
    Fact.DOWNLOADED: "Opened the guide",
    Fact.JOINED: "Joined the challenge",
    Fact.COMPLETED: "Finished the challenge",
    Fact.UNSUBSCRIBED: "Unsubscribed",
}
_PURPOSES = {
    "guide": "the guide",
    "series": "the follow-up series",
    "health": "using their answers about health",
    "challenge": "the challenge’s mails",
    "address": "mail to a new address",
    "clicks": "letting you note which links they press",
}
_EVENTS = {
    EventKind.PROCESSED: "was taken on for delivery",
    EventKind.DEFERRED: "is delayed by their mail provider",
    EventKind.DELIVERED: "arrived",
    EventKind.BLOCKED: "was turned away by their mail provider",
    EventKind.DROPPED: "was dropped by our mail provider",
    EventKind.BOUNCED: "bounced: the address does not work",
    EventKind.COMPLAINED: "was reported as spam",
    EventKind.UNSUBSCRIBED: "was answered with “unsubscribe” in their mail program",
}
_BAD_NEWS = frozenset({EventKind.BOUNCED, EventKind.COMPLAINED, EventKind.DROPPED})


def past(session: Session, person: Subscriber) -> tuple[PastItem, ...]:
    """All that has happened to a person, newest first, at most two hundred lines."""
    items = [
        *_facts(session, person),
        *_consents(session, person.id),
        *_mails(session, person.id),
        *_guide(session, person.id),
        *_challenge_days(session, person.id),
        *_waits(session, person.id),
        *_purchases(session, person.id),
        *_sequences(session, person.id),
        *_presses(session, person.id),
    ]
    items.reverse()
    items.sort(key=lambda item: item.at, reverse=True)
    return tuple(items[:MAX_ITEMS])


def _facts(session: Session, person: Subscriber) -> list[PastItem]:
    query = select(FunnelEvent).where(FunnelEvent.subscriber_id == person.id)
    items = []
    for event in session.scalars(query.order_by(FunnelEvent.id)):
        what = _FACTS.get(Fact(event.fact))
        if what is not None:
            why = _came_from(person) if event.fact == Fact.REQUESTED else ""
            items.append(PastItem(event.occurred_at, PastKind.STEP, what, why))
    return items


def _came_from(person: Subscriber) -> str:
    way = "First came directly" if person.source == "direct" else f"First came from {person.source}"
    return f"{way}, to {person.landing_page}." if person.landing_page else f"{way}."


def _consents(session: Session, subscriber_id: int) -> list[PastItem]:
    """One line for everything said in the same moment."""
    query = (
        select(ConsentEvent, TextVersion.version)
        .join(TextVersion, TextVersion.id == ConsentEvent.wording_id)
        .where(ConsentEvent.subscriber_id == subscriber_id)
        .order_by(ConsentEvent.id)
    )
    said: dict[tuple[datetime, bool, str, str], list[str]] = defaultdict(list)
    for event, version in session.execute(query):
        name = _PURPOSES.get(event.purpose, event.purpose)
        haste = HASTE if looks_like_machine(event.seconds_on_page) else ""
        said[event.occurred_at, event.is_granted, event.action, haste].append(
            f"{name} (wording {version})"
        )
    return [
        PastItem(at, PastKind.CONSENT, _said(is_granted, action), f"{_listed(names)}.{haste}")
        for (at, is_granted, action, haste), names in said.items()
    ]


def _said(is_granted: bool, action: str) -> str:
    if not is_granted:
        return "Took back what they agreed to" if action != "asked" else "Left a box unticked"
    return "Ticked on the form" if action == "asked" else "Agreed"


def _listed(names: list[str]) -> str:
    text = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    return text[:1].upper() + text[1:]


def _mails(session: Session, subscriber_id: int) -> list[PastItem]:
    query = select(Message).where(Message.subscriber_id == subscriber_id)
    newest = query.order_by(Message.created_at.desc()).limit(MAX_ITEMS)
    messages = list(reversed(session.scalars(newest).all()))
    titles = subjects(session, {message.text_version_id for message in messages})
    items = [_mail(message, titles[message.text_version_id]) for message in messages]
    names = {message.id: titles[message.text_version_id] for message in messages}
    events = session.scalars(
        select(MailEvent)
        .where(MailEvent.message_id.in_(names))
        .order_by(MailEvent.occurred_at)
        .limit(MAX_ITEMS)
    )
    told = [_told(event, names[event.message_id]) for event in events if event.message_id]
    return items + [item for item in told if item is not None]


def _mail(message: Message, subject: str) -> PastItem:
    state = MessageState(message.state)
    at = message.accepted_at or message.closed_at or message.created_at
    match state:
        case MessageState.ACCEPTED:
            why = "It went once more, because no answer had come." if message.is_resent else ""
            return PastItem(at, PastKind.MAIL, f"“{subject}” was sent", why)
        case MessageState.FAILED:
            return PastItem(at, PastKind.FAILED, f"“{subject}” failed", message.why)
        case MessageState.UNCONFIRMED:
            what = f"“{subject}” may or may not have arrived"
            return PastItem(at, PastKind.FAILED, what, message.why)
        case MessageState.UNKNOWN:
            what = f"“{subject}” was handed over, and no answer has come yet"
            return PastItem(message.doubt_since or at, PastKind.FAILED, what, message.why)
        case _ if state in OPEN_STATES:
            return PastItem(at, PastKind.MAIL, f"“{subject}” is waiting to go", message.why)
        case _:
            return PastItem(at, PastKind.SKIPPED, f"“{subject}” was held back", message.why)


def _told(event: MailEvent, subject: str) -> PastItem | None:
    kind = EventKind(event.kind)
    if kind not in _EVENTS:
        return None
    sign = PastKind.FAILED if kind in _BAD_NEWS else PastKind.MACHINE
    reason = event.body.get("reason")
    return PastItem(
        event.occurred_at, sign, f"“{subject}” {_EVENTS[kind]}", str(reason) if reason else ""
    )


def _presses(session: Session, subscriber_id: int) -> list[PastItem]:
    """Links they followed, as far as they let us note it."""
    found = presses_of(session, subscriber_id, most=MAX_ITEMS)
    names = newest_subjects(session) if found else {}
    return [_press(each, names.get(each.mail_key, each.mail_key)) for each in found]


def _press(press: LinkClick, subject: str) -> PastItem:
    if press.kind == ClickKind.MACHINE:
        what = f"A machine opened a link in “{subject}”"
        return PastItem(press.clicked_at, PastKind.MACHINE, what, "Probably a mail scanner.")
    return PastItem(press.clicked_at, PastKind.CLICK, f"Pressed a link in “{subject}”")


def _guide(session: Session, subscriber_id: int) -> list[PastItem]:
    guide = session.scalars(select(Guide).where(Guide.subscriber_id == subscriber_id)).first()
    if guide is None:
        return []
    query = select(GuidePrint).where(
        GuidePrint.guide_id == guide.id, GuidePrint.edition == Edition.GUIDE
    )
    items = [_printing(guide, session.scalars(query).one())]
    if guide.downloads > 1 and guide.last_downloaded_at is not None:
        why = f"{guide.downloads} times in all."
        items.append(
            PastItem(guide.last_downloaded_at, PastKind.GUIDE, "Opened the guide again", why)
        )
    return items


def _printing(guide: Guide, own: GuidePrint) -> PastItem:
    is_own_ready = own.state == GuideState.READY
    if guide.ready_at is not None and is_own_ready:
        took = own.seconds_to_make
        why = f"{own.pages} pages" + (f", made in {took:.1f} seconds." if took else ".")
        return PastItem(guide.ready_at, PastKind.GUIDE, "Their guide was ready", why)
    if guide.ready_at is not None and own.attempt >= PLAIN_AFTER:
        what = "They got the plain guide, because theirs could not be made"
        return PastItem(guide.ready_at, PastKind.FAILED, what, own.why)
    if own.state == GuideState.FAILED:
        what = "Their guide could not be made"
        return PastItem(guide.requested_at, PastKind.FAILED, what, own.why)
    return PastItem(guide.requested_at, PastKind.GUIDE, "Their guide is being made", own.why)


def _challenge_days(session: Session, subscriber_id: int) -> list[PastItem]:
    query = (
        select(ChallengeDayDone)
        .join(ChallengeEntry, ChallengeEntry.id == ChallengeDayDone.entry_id)
        .where(ChallengeEntry.subscriber_id == subscriber_id)
        .order_by(ChallengeDayDone.day)
    )
    return [
        PastItem(row.done_at, PastKind.DAY, f"Ticked day {row.day} as done")
        for row in session.scalars(query)
    ]


def _waits(session: Session, subscriber_id: int) -> list[PastItem]:
    items = []
    query = select(WaitlistEntry).where(WaitlistEntry.subscriber_id == subscriber_id)
    for entry in session.scalars(query):
        items.append(PastItem(entry.joined_at, PastKind.OFFER, "Joined the waiting list"))
        if entry.left_at is not None:
            items.append(PastItem(entry.left_at, PastKind.OFFER, "Left the waiting list"))
    return items


def _purchases(session: Session, subscriber_id: int) -> list[PastItem]:
    items = []
    query = select(Purchase).where(Purchase.subscriber_id == subscriber_id)
    for bought in session.scalars(query):
        items.append(PastItem(bought.purchased_at, PastKind.OFFER, "Was marked as paid"))
        if bought.voided_at is not None:
            items.append(
                PastItem(bought.voided_at, PastKind.OFFER, "The mark “paid” was taken back")
            )
    return items


def _sequences(session: Session, subscriber_id: int) -> list[PastItem]:
    """The ends of sequences with the mails that never went, and the mails passed over."""
    query = select(Enrolment).where(Enrolment.subscriber_id == subscriber_id)
    enrolments = {row.id: row for row in session.scalars(query)}
    skips = list(session.scalars(select(StepSkip).where(StepSkip.enrolment_id.in_(enrolments))))
    ended = [row for row in enrolments.values() if row.ended_at is not None]
    names = newest_subjects(session) if skips or ended else {}
    told = {(skip.enrolment_id, skip.step_key) for skip in skips} | _made(session, enrolments)
    items = [
        _end(row, at, _left(session, row, told, names)) for row in ended if (at := row.ended_at)
    ]
    for skip in skips:
        key = f"{enrolments[skip.enrolment_id].sequence_key}/{skip.step_key}"
        what = f"“{names.get(key, skip.step_key)}” was passed over"
        items.append(PastItem(skip.occurred_at, PastKind.SKIPPED, what, skip.why))
    return items


def _made(session: Session, enrolment_ids: Collection[int]) -> set[tuple[int, str]]:
    """The steps whose mail has a line of its own in the path."""
    query = select(Message.enrolment_id, Message.step_key).where(
        Message.enrolment_id.in_(enrolment_ids)
    )
    return {(row, key) for row, key in session.execute(query) if row is not None and key}


def _left(
    session: Session, row: Enrolment, told: set[tuple[int, str]], names: dict[str, str]
) -> tuple[str, list[str]]:
    """A sequence's title, and the subjects of its mails that this end left unsent."""
    sequence = texts.sequences(session).get(row.sequence_key)
    if sequence is None:
        return row.sequence_key, []
    unsent = [
        names.get(f"{sequence.key}/{step.key}", step.key)
        for step in sequence.steps
        if not step.ways and (row.id, step.key) not in told
    ]
    return sequence.title, unsent


def _end(row: Enrolment, at: datetime, left: tuple[str, list[str]]) -> PastItem:
    title, unsent = left
    never = ", ".join(f"“{subject}”" for subject in unsent)
    why = f"{row.why} Not sent because of it: {never}." if unsent else row.why
    return PastItem(at, PastKind.ENDED, f"“{title}” ended", why)
