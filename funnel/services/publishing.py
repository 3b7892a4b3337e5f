"""Publishing texts: everything is checked first, then all of it takes effect at one instant.

Who is past a new step, and who was to get one that is gone, is told beforehand by
`services.impact`, from the same places (`services.stands`).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.content.catalog import Catalog
from funnel.content.lint import lint_mails, sample_fields
from funnel.content.mails import parse_mail
from funnel.content.render import RenderedMail, Renderer
from funnel.content.sequence_checks import check_together
from funnel.content.sequences import mail_keys, parse_sequence
from funnel.content.shipped import SERVICE, ShippedText
from funnel.db.engine import allow_a_minute
from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import NOT_STARTED
from funnel.domain.errors import ContentInvalid, InvalidInput, TextChanged
from funnel.domain.impact import Change, Group, step_effects
from funnel.domain.sequence import Sequence
from funnel.services import live_edits, people, stands, texts
from funnel.services.impact import Impact, impact


@dataclass(frozen=True)
class NewText:
    """A text to publish, written after version `after`: 0 for a new one, None for whatever is
    there at the time."""

    text: ShippedText
    after: int | None = None


@dataclass(frozen=True)
class Publish:
    """What was published together: the versions made, in order, and who is sent a step that was
    put in behind them (by mail key)."""

    made: tuple[tuple[str, str, int], ...]
    owed: dict[str, int]


@dataclass(frozen=True)
class Editor:
    """Checks and publishes texts. `by` is who does it, `origin` where: "desk" or "cli"."""

    catalog: Catalog
    renderer: Renderer

    def problems(self, session: Session, wanted: Collection[ShippedText]) -> tuple[str, ...]:
        """Everything that speaks against publishing these texts together; empty when nothing."""
        hosts = frozenset(self.catalog.brand.link_hosts)
        known = {(text.kind, text.key) for text in wanted} | texts.newest_versions(session).keys()
        mails = tuple(text for text in wanted if text.kind == "mail")
        found = [*lint_mails(mails, self.renderer, hosts), *_nameless(mails)]
        drafts: dict[str, Sequence] = {}
        for text in (each for each in wanted if each.kind == "sequence"):
            try:
                drafts[text.key] = self.read(text)
            except ContentInvalid as error:
                found += error.findings
                continue
            found += _problems_of_sequence(text, drafts[text.key], known)
        where = {text.key: text.where for text in wanted if text.kind == "sequence"}
        known_plans = texts.sequences(session)
        before = set(check_together(known_plans))
        # A circle is told of one of those in it, which may not be one that was changed.
        found += [
            f"{where.get(key, key)}:1: {problem}"
            for key, problem in check_together(known_plans | drafts)
            if key in where or (key, problem) not in before
        ]
        return tuple(dict.fromkeys(found))

    def preview(
        self, session: Session, wanted: Collection[ShippedText], *, now: datetime
    ) -> Impact:
        """What publishing these texts would change; raises ContentInvalid with every problem."""
        problems = self.problems(session, wanted)
        if problems:
            raise ContentInvalid(problems)
        drafts = {text.key: self.read(text) for text in wanted if text.kind == "sequence"}
        return impact(session, wanted, drafts, now=now)

    def look(self, text: ShippedText) -> RenderedMail:
        """A mail as it arrives at an invented reader's; raises ContentInvalid."""
        is_marketing = not text.key.startswith(f"{SERVICE}/")
        fields = sample_fields(is_marketing=is_marketing)
        return self.renderer.render(parse_mail(text.source, text.where), fields)

    def read(self, text: ShippedText) -> Sequence:
        """The sequence in a text; raises ContentInvalid with every problem."""
        patterns = frozenset(pattern.key for pattern in self.catalog.self_check.patterns)
        return parse_sequence(text.source, text.where, patterns)

    def publish(
        self,
        session: Session,
        wanted: Collection[NewText],
        *,
        by: str,
        origin: str,
        include_past: Collection[str] = (),
        now: datetime,
    ) -> Publish:
        """Publish these texts as one: all of them or none.

        Those that say what the newest version says already are left out. `include_past` are mail
        keys of steps that those past them are to get too. Raises ContentInvalid with every
        problem, TextChanged when somebody was quicker, InvalidInput for a step nobody is past.
        """
        allow_a_minute(session)
        problems = self.problems(session, [each.text for each in wanted])
        if problems:
            raise ContentInvalid(problems)
        before = texts.sequences(session)
        made = [
            (each.text.kind, each.text.key, version)
            for each in wanted
            if (version := _add(session, each, by=by, origin=origin, now=now))
        ]
        owed = _take_effect(
            session,
            before,
            [(kind, key) for kind, key, _ in made],
            include_past=include_past,
            now=now,
        )
        return Publish(tuple(made), owed)


def _nameless(mails: Collection[ShippedText]) -> list[str]:
    return [
        f"{text.where}:1: '{text.key}' is no name of a mail: it is sequence/step or service/name"
        for text in mails
        if text.key.count("/") != 1
    ]


def _problems_of_sequence(
    text: ShippedText, sequence: Sequence, known: Collection[tuple[str, str]]
) -> Iterator[str]:
    if sequence.key != text.key:
        yield f"{text.where}:1: the key is '{sequence.key}', but it was '{text.key}': keep that"
    for step in sorted(mail_keys(sequence)):
        if ("mail", f"{sequence.key}/{step}") not in known:
            yield f"{text.where}:1: the step '{step}' has no mail: write its words too"


def _add(session: Session, wanted: NewText, *, by: str, origin: str, now: datetime) -> int | None:
    """The number of the version made; None where there is nothing new. Raises TextChanged."""
    text = wanted.text
    newest = texts.latest(session, text.kind, text.key)
    number = newest.version if newest else 0
    if wanted.after is not None and wanted.after != number:
        raise TextChanged
    if newest is not None and newest.source == text.source:
        return None
    is_ours = texts.add_version(
        session, text.kind, text.key, number + 1, text.source, origin=origin, by=by, now=now
    )
    if not is_ours:
        raise TextChanged
    return number + 1


@dataclass(frozen=True)
class Shipping:
    """What came of the shipped texts: kind, key and version of each that was published, and those
    that are changed but left alone, because the newest version was published by hand."""

    made: tuple[tuple[str, str, int], ...]
    left: tuple[ShippedText, ...]


def publish_shipped(
    session: Session, shipped: tuple[ShippedText, ...], catalog: Catalog, *, now: datetime
) -> Shipping:
    """Publish the shipped texts that are new, and let them reach the people under way."""
    allow_a_minute(session)
    before = texts.sequences(session)
    changed = texts.import_shipped(session, shipped, catalog, now=now)
    _take_effect(session, before, changed, now=now)
    numbers = texts.newest_versions(session)
    made = tuple((kind, key, numbers[kind, key]) for kind, key in changed)
    return Shipping(made, texts.edited_by_hand(session, shipped))


def _take_effect(
    session: Session,
    before: dict[str, Sequence],
    changed: Collection[tuple[str, str]],
    *,
    include_past: Collection[str] = (),
    now: datetime,
) -> dict[str, int]:
    """Let new versions reach the people under way; `before` are the sequences as they were."""
    sequences = [key for kind, key in changed if kind == "sequence" and key in before]
    mails = [key for kind, key in changed if kind == "mail"]
    _lock_people(session, sequences, mails)
    owed: dict[str, int] = {}
    for key in sequences:
        owed |= _change_sequence(session, before[key], include_past, now)
    unknown = sorted(set(include_past) - owed.keys())
    if unknown:
        message = f"Nobody is past {', '.join(unknown)} without having had it."
        raise InvalidInput("include_past", message)
    for key in mails:
        live_edits.change_words(session, key, now=now)
    return owed


def _lock_people(session: Session, sequence_keys: list[str], mail_keys: list[str]) -> None:
    """Whoever changes people's mails takes the people first; see `people.lock`."""
    members = select(Enrolment.subscriber_id).where(Enrolment.sequence_key.in_(sequence_keys))
    waiting = select(Message.subscriber_id).where(
        Message.mail_key.in_(mail_keys),
        Message.state.in_(NOT_STARTED),
    )
    if sequence_keys or mail_keys:
        people.lock(session, members.union(waiting))


def _change_sequence(
    session: Session, old: Sequence, include_past: Collection[str], now: datetime
) -> dict[str, int]:
    new = texts.sequences(session)[old.key]
    wanted = {key.partition("/")[2] for key in include_past if key.startswith(f"{old.key}/")}
    # Everyone is taken before anything is counted: a decision that was just being made is in.
    live_edits.decide_again(session, new, now=now)
    missed = _missed(session, old, new, wanted) if wanted else {}
    owed = {
        f"{new.key}/{step}": live_edits.owe(session, new, group, now=now)
        for step, group in missed.items()
    }
    live_edits.cancel_lost(session, new, now=now)
    live_edits.wake_owed(session, new, now=now)
    return owed


def _missed(session: Session, old: Sequence, new: Sequence, wanted: set[str]) -> dict[str, Group]:
    effects = step_effects(old, new, stands.crowd(session, new))
    return {
        effect.step: effect.misses
        for effect in effects
        if effect.step in wanted and effect.change is not Change.DELETED and effect.misses.many
    }
