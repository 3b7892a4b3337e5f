"""Is everything working? Each sign says what is well, or what to look at, in words."""

from dataclasses import dataclass
from enum import StrEnum

from funnel.domain.proof_of_work import ProofMode
from funnel.services.reports.health import GuideHealth, Health
from funnel.services.reports.people import Concern
from funnel.web.desk.words import number, people, spell


class Level(StrEnum):
    """How much a sign asks of the reader."""

    OK = "ok"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True)
class Sign:
    """One line of "Is everything working?"; `look` is who to look at, `page` where to change it."""

    level: Level
    name: str
    say: str
    look: Concern | None = None
    page: str | None = None


def signs(health: Health, missing_facts: int) -> tuple[Sign, ...]:
    """Every sign, in a fixed order so that the eye finds each in its place."""
    return (
        _mail(health),
        _work(health),
        _guides(health),
        _doubtful(health),
        _failed(health),
        _complaints(health),
        *_plans(health),
        *_news(health),
        *_sender(health),
        _gate(health),
        _facts(missing_facts),
    )


def verdict(found: tuple[Sign, ...]) -> Sign:
    """One sign for them all."""
    bad = sum(sign.level is Level.BAD for sign in found)
    look = sum(sign.level is Level.LOOK for sign in found)
    if not bad and not look:
        return Sign(Level.OK, "All is well", "")
    things = f"{number(bad + look)} {'thing' if bad + look == 1 else 'things'} to look at"
    return Sign(Level.BAD if bad else Level.LOOK, things[:1].upper() + things[1:], "")


def _mail(health: Health) -> Sign:
    waiting = _waiting(health)
    if health.sending.is_paused:
        why = health.sending.restored or f"By {health.sending.by}."
        return Sign(Level.BAD, "All mail is stopped", f"{why} {waiting}")
    if health.sending.is_series_stopped:
        return Sign(Level.BAD, "The series is stopped", f"By {health.sending.by}. {waiting}")
    if health.is_mail_late:
        return Sign(Level.BAD, "Mail is late", waiting)
    last = health.mail.last_accepted_at
    since = (
        f"The last one {spell(health.now - last)} ago." if last else "None has gone in eight weeks."
    )
    return Sign(Level.OK, "Mail is going out", f"{since} {waiting}")


def _waiting(health: Health) -> str:
    oldest = health.mail.oldest_due_at
    if oldest is None:
        return "None is waiting."
    return f"{health.mail.due:,} due, the oldest for {spell(health.now - oldest)}."


def _work(health: Health) -> Sign:
    if health.last_tick_at is None:
        return Sign(Level.BAD, "The worker is silent", "It has not been heard of yet.")
    ago = f"Last heard of {spell(health.machine_now - health.last_tick_at)} ago."
    if health.is_silent:
        return Sign(Level.BAD, "The worker is silent", f"{ago} No mail goes without it.")
    return Sign(Level.OK, "The worker is at work", ago)


def _guides(health: Health) -> Sign:
    guides = health.guides
    if guides.failed:
        many = number(guides.failed)
        say = f"{many[:1].upper()}{many[1:]} so far. {_meanwhile(guides)} {guides.why}"
        return Sign(Level.BAD, "Guides that cannot be made", say)
    if guides.house_failed:
        say = f"It is what readers get when theirs cannot be made. {guides.why}"
        return Sign(Level.LOOK, "The plain copy cannot be renewed", say)
    oldest = guides.oldest_waiting_at
    if oldest is not None and health.is_guide_late:
        say = f"{guides.waiting} wait, the oldest for {spell(health.now - oldest)}."
        return Sign(Level.BAD, "Guides are late", say)
    if guides.last_ready_at is None:
        return Sign(Level.OK, "Guides", "None was asked for yet.")
    took = f" and took {guides.seconds:.1f} seconds" if guides.seconds else ""
    say = f"The last one was ready {spell(health.now - guides.last_ready_at)} ago{took}."
    return Sign(Level.OK, "Guides are being made", say)


def _meanwhile(guides: GuideHealth) -> str:
    if not guides.without_plain:
        return "Their readers have the plain copy meanwhile."
    if guides.without_plain == guides.failed:
        return "There is no plain copy to stand in meanwhile."
    return f"For {number(guides.without_plain)} of them there is no plain copy to stand in."


def _doubtful(health: Health) -> Sign:
    mail = health.mail
    if mail.unknown or mail.unconfirmed:
        say = f"{mail.unknown:,} wait for an answer, {mail.unconfirmed:,} never got one."
        return Sign(Level.LOOK, "Mails without an answer", say, Concern.FAILED)
    return Sign(Level.OK, "Mails without an answer", "None in eight weeks.")


def _failed(health: Health) -> Sign:
    mail = health.mail
    if not (mail.failed or mail.bounced or mail.held):
        return Sign(Level.OK, "Mails that failed", "None in eight weeks.")
    say = f"{mail.failed:,} failed, {mail.bounced:,} bounced in eight weeks."
    if mail.held:
        say += f" {people(mail.held)} held until somebody looks."
    concern = Concern.HELD if mail.held else Concern.FAILED
    return Sign(Level.LOOK, "Mails that failed", say, concern)


def _complaints(health: Health) -> Sign:
    many = health.mail.complained
    if many:
        return Sign(Level.LOOK, "Reported as spam", f"By {people(many)} in eight weeks.")
    return Sign(Level.OK, "Reported as spam", "No mail in eight weeks.")


def _plans(health: Health) -> list[Sign]:
    """Shown only when a plan cannot be read, which no publish lets through."""
    if not health.unreadable:
        return []
    say = f"An older version holds meanwhile: {', '.join(health.unreadable)}."
    return [Sign(Level.LOOK, "A plan cannot be read", say)]


def _news(health: Health) -> list[Sign]:
    """Shown only when there is something: most installations hear nothing from a provider."""
    if not health.event_problems:
        return []
    say = f"{health.event_problems:,} of its messages could not be understood."
    return [Sign(Level.LOOK, "News from the provider", say)]


def _sender(health: Health) -> list[Sign]:
    """What keeps mail back or slows it down; nothing is said while nothing does."""
    found = (
        _braked(health),
        _unanswered(health),
        _unproved(health),
        _trouble(health),
        _skew(health),
        _day(health),
        _catching_up(health),
    )
    return [sign for sign in (*found, _slept(health), _silent_events(health)) if sign is not None]


def _braked(health: Health) -> Sign | None:
    if health.sending.braked:
        say = f"{health.sending.braked} Look why, then let it go on under “Stop all mail”."
        return Sign(Level.BAD, "The series is held", say, Concern.FAILED)
    tally = health.sender.tally
    if not tally.is_alarming:
        return None
    say = f"{tally.reports} of the last {tally.mails:,} mails. From 3 in 1,000 the series is held."
    return Sign(Level.LOOK, "Reports of spam", say)


def _unanswered(health: Health) -> Sign | None:
    why = health.sending.unanswered
    if why is None:
        return None
    say = f"{why} The series goes on by itself once that is done."
    return Sign(Level.BAD, "The series waits for an answer", say)


def _unproved(health: Health) -> Sign | None:
    why = health.sending.unproved
    if why is None:
        return None
    return Sign(Level.BAD, "The series waits", f"{why} Look under “Delivery”.")


def _trouble(health: Health) -> Sign | None:
    why = health.sender.trouble
    if why is None:
        return None
    say = f"{why} One mail a minute is tried. Look at the provider's page and at MAIL_URL."
    return Sign(Level.BAD, "The provider takes no mail", say)


def _skew(health: Health) -> Sign | None:
    why = health.sender.skew
    if why is None:
        return None
    return Sign(Level.BAD, "A wrong clock", f"{why} It sends nothing until its clock is set right.")


def _day(health: Health) -> Sign | None:
    sender = health.sender
    if sender.is_day_full:
        say = f"{sender.flow.sent:,} mails went today; series mail goes on after midnight UTC."
        name = (
            "The day's share is used up"
            if sender.warm_up is None
            else "The warm-up's share is used up"
        )
        return Sign(Level.LOOK, name, say)
    if sender.warm_up is None:
        return None
    say = f"{sender.flow.sent:,} of {sender.warm_up:,} mails went today; each day takes more."
    return Sign(Level.OK, "Warm-up of the new domain", say)


def _catching_up(health: Health) -> Sign | None:
    catch_up = health.sender.flow.catch_up
    if catch_up is None:
        return None
    say = f"After a gap series mail leaves calmly, at most {catch_up.per_hour:,} an hour."
    return Sign(Level.OK, "Catching up", say)


def _slept(health: Health) -> Sign | None:
    if health.sender.slept is None:
        return None
    since, until = health.sender.slept
    ago = spell(health.machine_now - until)
    say = f"For {spell(until - since)}, until {ago} ago. No mail left meanwhile."
    return Sign(Level.OK, "The machine slept", say)


def _silent_events(health: Health) -> Sign | None:
    last = health.sender.last_event_at
    if last is None or not health.sender.are_events_silent(health.mail.last_accepted_at):
        return None
    say = f"The last was {spell(health.now - last)} ago. Look at its webhook: bounces go unheard."
    return Sign(Level.LOOK, "The provider tells nothing", say)


def _gate(health: Health) -> Sign:
    gate, page = health.gate, "desk.front_gate_page"
    name = "Visitors are asked for a small proof"
    if gate.mode is ProofMode.ON:
        return Sign(Level.LOOK, name, f"{gate.by} asked for it.", page=page)
    if gate.mode is ProofMode.OFF:
        say = f"{gate.by} switched it off, so nothing stops a flood of forms."
        return Sign(Level.LOOK, "No proof at the front gate", say, page=page)
    if not gate.is_asking(health.now) or gate.alarm.since is None:
        say = "Nobody floods your forms, so visitors are asked for no proof."
        return Sign(Level.OK, "The front gate is open", say, page=page)
    since = spell(health.now - gate.alarm.since)
    return Sign(Level.LOOK, name, f"For {since}. {gate.alarm.why}", page=page)


def _facts(missing: int) -> Sign:
    if not missing:
        return Sign(Level.OK, "Your own facts", "All are filled in.")
    verb = "is" if missing == 1 else "are"
    say = f"{number(missing)[:1].upper()}{number(missing)[1:]} {verb} still in [square brackets]."
    return Sign(Level.LOOK, "Your own facts", f"{say} They live in brand.yaml.")
