"""Rules over single mails: none lost, none doubled, none unwanted, none without an intent."""

from collections import Counter
from collections.abc import Iterator

from funnel.db.mail import Message
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import PersonState
from funnel.domain.ports import MailClass
from tests.chaos import story
from tests.chaos.evidence import Evidence
from tests.chaos.history import Event
from tests.chaos.site import ANSWER_SECONDS, BEGIN_SECONDS, PATIENCE
from tests.chaos.workload import Fate, Person

# The longest a mail whose intent was written may still take: the deadline, beginning, the call.
IN_FLIGHT_SECONDS = PATIENCE.start_seconds + BEGIN_SECONDS + ANSWER_SECONDS + 1.0


def nothing_is_lost(seen: Evidence) -> Iterator[str]:
    """Everything that was to go is with the provider, or the database says openly that it is
    not, and why; and what it believes to be there, is there."""
    yield from lost(seen)
    for accept in seen.accepts:
        if accept["id"] not in seen.messages:
            yield f"{accept['subject']!r} was sent to {accept['to']} without a row"
    yield from seen.problems


def lost(seen: Evidence) -> Iterator[str]:
    """What somebody should have got and did not."""
    for key, message in seen.messages.items():
        if message.state == MessageState.ACCEPTED and not seen.by_id.get(key):
            yield f"{_told(seen, message)} is taken for accepted, and is not with the provider"
        elif message.state == MessageState.FAILED:
            yield f"{_told(seen, message)} failed: {message.why}"
    yield from _missing(seen)


def _missing(seen: Evidence) -> Iterator[str]:
    """What a person who confirmed, and changed nothing, has no row for."""
    confirmed = seen.when("confirmed")
    asked = seen.when("asked")
    rows = {(seen.address_of(m), m.mail_key): m for m in seen.messages.values()}
    for person in seen.people:
        if person.address in asked and (person.address, "service/confirm") not in rows:
            yield f"{person.address} asked, and has no confirm mail"
        if person.address not in confirmed:
            continue
        for key in _wanted(seen, person):
            row = rows.get((person.address, key))
            if row is None or row.state not in {MessageState.ACCEPTED, MessageState.UNCONFIRMED}:
                yield f"{person.address} confirmed, and {key} is {row.state if row else 'missing'}"
    yield from _standing(seen)


def _wanted(seen: Evidence, person: Person) -> list[str]:
    steps = seen.steps if person.fate is Fate.STAYS else ()
    return ["service/guide_ready", *(f"{story.SEQUENCE}/{step}" for step in steps)]


def _standing(seen: Evidence) -> Iterator[str]:
    for enrolment in seen.enrolments.values():
        if enrolment.state == EnrolmentState.ACTIVE and seen.calm is not None:
            yield f"enrolment {enrolment.id} is still under way: {enrolment.why}"


def nothing_is_doubled(seen: Evidence) -> Iterator[str]:
    """One accept a mail. Over SMTP, where nobody can be asked, service mail may go twice if its
    row says so; a mail of the series never."""
    yield from doubled(seen)
    for key, accepts in seen.by_id.items():
        message = seen.messages.get(key)
        if message is not None and len(accepts) > 1 and message.mail_class != MailClass.DRIP:
            if seen.site.mode.is_sendgrid:
                yield f"{_told(seen, message)} was accepted {len(accepts)} times"
            elif not message.is_resent:
                yield f"{_told(seen, message)} went twice, and its row does not say so"


def doubled(seen: Evidence) -> list[str]:
    """Every mail of the series, or over SendGrid any mail, that somebody got more than once.

    Told by reader and subject, so that two rows for one mail count as well.
    """
    counted = Counter(
        (str(accept["to"]), str(accept["subject"]))
        for accept in seen.accepts
        if (message := seen.messages.get(accept["id"])) is not None
        and (message.mail_class == MailClass.DRIP or _goes_once(seen, message))
    )
    return [f"{to} got {what!r} {n} times" for (to, what), n in counted.items() if n > 1]


def claims_are_exclusive(seen: Evidence) -> Iterator[str]:
    """Of all workers one has a message under a fence."""
    taken = Counter((claim["id"], claim["fence"]) for claim in seen.claims)
    for (key, fence), count in taken.items():
        if count > 1:
            yield f"message {key} was claimed {count} times under fence {fence}"


def _goes_once(seen: Evidence, message: Message) -> bool:
    """Whoever confirms twice asked for the guide twice."""
    twice = {person.address for person in seen.people if person.asks_twice}
    is_guide = message.mail_key == "service/guide_ready"
    return seen.site.mode.is_sendgrid and is_guide and seen.address_of(message) not in twice


def ambiguous(seen: Evidence) -> list[str]:
    """The rows that say that nobody knows. SendGrid was asked before a mail went again."""
    is_asked = seen.site.mode.is_sendgrid
    return [
        key
        for key, message in seen.messages.items()
        if message.state == MessageState.UNCONFIRMED or (message.is_resent and not is_asked)
    ]


def nobody_is_mailed_against_their_will(seen: Evidence) -> Iterator[str]:
    """Nothing of the series after leaving, buying or joining; nothing at all to a mailbox that
    bounced or complained; nothing but the confirm mail to who never confirmed."""
    for kind in ("left", Fate.BUYS, Fate.JOINS):
        ends = seen.when(kind)
        for accept in seen.accepts:
            message = seen.messages.get(accept["id"])
            end = ends.get(accept["to"])
            if message is None or end is None or not seen.is_series(message):
                continue
            if accept["arrived"] > end + IN_FLIGHT_SECONDS:
                late = accept["arrived"] - end
                yield f"{_told(seen, message)} went {late:.1f} s after they {kind}"
    yield from _to_suppressed(seen)
    yield from _to_unconfirmed(seen)


def _to_suppressed(seen: Evidence) -> Iterator[str]:
    gone = {PersonState.BOUNCED, PersonState.COMPLAINED}
    for told in seen.history.of("told"):
        person = next(p for p in seen.subscribers.values() if p.email == told["to"])
        if person.state not in gone:
            yield f"{person.email}: a {told['event']} was told, and the person is {person.state}"
            continue
        taken = [e for e in seen.events if e.handled_at and e.body.get("email") == person.email
                 and e.kind in {"bounced", "complained"}]  # fmt: skip
        for accept in seen.accepts:
            ends = min((seen.wall(e.handled_at) for e in taken if e.handled_at), default=None)
            if (
                accept["to"] == person.email
                and ends
                and accept["arrived"] > (ends + IN_FLIGHT_SECONDS)
            ):
                yield f"{person.email} got {accept['subject']!r} after a {told['event']}"


def _to_unconfirmed(seen: Evidence) -> Iterator[str]:
    pressed = seen.when("confirm pressed")
    for accept in seen.accepts:
        message = seen.messages.get(accept["id"])
        if message is None or message.mail_class == MailClass.CONFIRM:
            continue
        if accept["to"] not in pressed:
            yield f"{_told(seen, message)} went to somebody who never pressed the button"
    for person in seen.subscribers.values():
        if person.state != PersonState.PENDING and person.email not in pressed:
            yield f"{person.email} is {person.state} and never pressed the button"


def copies_are_identical(seen: Evidence) -> Iterator[str]:
    """Once a copy may have gone, every further one is the very same."""
    digests: dict[str, set[str]] = {}
    for event in _unclear_copies(seen):
        digests.setdefault(event[0], set()).add(event[1])
    for key, found in digests.items():
        if len(found) > 1:
            yield f"{_told(seen, seen.messages[key])} went in {len(found)} different forms"


def _unclear_copies(seen: Evidence) -> Iterator[tuple[str, str]]:
    for accept in seen.accepts:
        if accept["id"] in seen.messages:
            yield str(accept["id"]), str(accept["digest"])
    for request in seen.history.of("request"):
        if not request["is_clear"]:
            for key, digest in zip(request["ids"], request["digests"], strict=True):
                if key in seen.messages:
                    yield str(key), str(digest)


def intents_come_first(seen: Evidence) -> Iterator[str]:
    """At the moment a provider took a mail, its intent was on disk for anybody to read."""
    unseen: list[Event] = [accept for accept in seen.accepts if accept["is_intended"] is False]
    for accept in unseen:
        yield f"{accept['subject']!r} to {accept['to']} was taken before its intent was on disk"


def unsubscribe_lags(seen: Evidence) -> list[float]:
    """For everyone who left: seconds from the answer until the last mail of the series to them
    was handed over; nought when none was."""
    lags = []
    for to, left in seen.when("left").items():
        after = [
            float(accept["arrived"]) - left
            for accept in seen.accepts
            if accept["to"] == to
            and (message := seen.messages.get(accept["id"])) is not None
            and message.mail_class == MailClass.DRIP
        ]
        lags.append(max([0.0, *after]))
    return lags


def _told(seen: Evidence, message: Message) -> str:
    return f"{message.mail_key} to {seen.address_of(message)}"
