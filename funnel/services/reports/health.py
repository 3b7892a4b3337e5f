"""Is everything working? What the desk says of mail, guides and the work behind them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from funnel.db.guides import GuidePrint
from funnel.db.mail import Enrolment, MailEvent, Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import OPEN_STATES, EventKind, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.flow import UNLIMITED, Limits
from funnel.domain.guides import PLAIN_AFTER, GuideState
from funnel.services import control, texts
from funnel.services.control import SendingState
from funnel.services.front_gate import GateState, gate_state
from funnel.services.guides import PLAIN
from funnel.services.reports.sender import SenderHealth, sender_health

PERIOD = timedelta(weeks=8)
LATE_AFTER = timedelta(minutes=15)
SILENT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class MailHealth:
    """Mail that waits and mail that went wrong; the counts reach back eight weeks.

    `oldest_due_at` is since when the longest waiting mail could have gone.
    """

    last_accepted_at: datetime | None
    due: int
    oldest_due_at: datetime | None
    unknown: int
    unconfirmed: int
    failed: int
    bounced: int
    complained: int
    held: int


@dataclass(frozen=True)
class GuideHealth:
    """The newest print, how long it took in seconds, and those that wait or keep failing.

    `failed` counts readers' prints, `without_plain` those of them that no plain copy stands in
    for, `house_failed` the plain copies themselves; `why` is the newest reason.
    """

    last_ready_at: datetime | None
    seconds: float | None
    waiting: int
    oldest_waiting_at: datetime | None
    failed: int
    house_failed: int
    why: str | None
    without_plain: int


@dataclass(frozen=True)
class Health:
    """Everything the desk watches. `last_tick_at` and `machine_now` are the machine's time;
    `unreadable` are sequences whose newest version cannot be read."""

    now: datetime
    machine_now: datetime
    sending: SendingState
    last_tick_at: datetime | None
    mail: MailHealth
    guides: GuideHealth
    event_problems: int
    sender: SenderHealth
    late_after: timedelta = LATE_AFTER
    unreadable: tuple[str, ...] = ()
    gate: GateState = field(default_factory=GateState)

    @property
    def is_mail_late(self) -> bool:
        """True when a due mail has waited too long though mail may go."""
        oldest = self.mail.oldest_due_at
        return not self.sending.is_paused and oldest is not None and self._is_late(oldest)

    @property
    def is_guide_late(self) -> bool:
        """True when a guide has waited too long."""
        oldest = self.guides.oldest_waiting_at
        return oldest is not None and self._is_late(oldest)

    def _is_late(self, since: datetime) -> bool:
        return self.now - since >= self.late_after

    @property
    def is_silent(self) -> bool:
        """True when the work behind the pages has not been heard of for five minutes."""
        last = self.last_tick_at
        return last is None or self.machine_now - last >= SILENT_AFTER


def health(
    session: Session,
    *,
    now: datetime,
    machine_now: datetime,
    late_after: timedelta = LATE_AFTER,
    limits: Limits = UNLIMITED,
) -> Health:
    """What works and what does not, in a handful of queries; `late_after` is funnel time."""
    return Health(
        now=now,
        machine_now=machine_now,
        sending=control.sending_state(session),
        last_tick_at=control.last_tick(session),
        mail=_mail_health(session, now),
        guides=_guide_health(session),
        event_problems=_event_problems(session),
        sender=sender_health(session, limits=limits, machine=machine_now),
        late_after=late_after,
        unreadable=texts.unreadable(session),
        gate=gate_state(session),
    )


def _mail_health(session: Session, now: datetime) -> MailHealth:
    due = session.execute(
        select(func.count(), func.min(Message.not_before)).where(
            Message.state == MessageState.SCHEDULED, Message.not_before <= now
        )
    ).one()
    closed = _closed(session, now - PERIOD)
    unknown = select(func.count()).where(Message.state == MessageState.UNKNOWN)
    held = select(func.count()).where(Enrolment.state == EnrolmentState.HELD)
    return MailHealth(
        last_accepted_at=closed.last_accepted_at,
        due=due[0],
        oldest_due_at=due[1],
        unknown=session.scalar(unknown) or 0,
        unconfirmed=closed.unconfirmed or 0,
        failed=closed.failed or 0,
        bounced=closed.bounced or 0,
        complained=closed.complained or 0,
        held=session.scalar(held) or 0,
    )


def _closed(session: Session, since: datetime) -> Row[datetime | None, int, int, int, int]:
    """Everything about closed mails in one pass, for this is the largest table."""
    state, delivery = Message.state, Message.delivery
    query = (
        select(
            func.max(Message.accepted_at).label("last_accepted_at"),
            func.sum(case((state == MessageState.UNCONFIRMED, 1), else_=0)).label("unconfirmed"),
            func.sum(case((state == MessageState.FAILED, 1), else_=0)).label("failed"),
            func.sum(case((delivery == EventKind.BOUNCED, 1), else_=0)).label("bounced"),
            func.sum(case((delivery == EventKind.COMPLAINED, 1), else_=0)).label("complained"),
        )
        .join(Subscriber, Subscriber.id == Message.subscriber_id)
        .where(Message.created_at >= since, state.not_in(sorted(OPEN_STATES)))
        .where(Subscriber.is_test.is_(False))
    )
    return session.execute(query).one()


def _guide_health(session: Session) -> GuideHealth:
    is_readers = GuidePrint.guide_id.is_not(None)
    newest = session.execute(
        select(GuidePrint.made_at, GuidePrint.seconds_to_make)
        .where(is_readers, GuidePrint.made_at.is_not(None))
        .order_by(GuidePrint.made_at.desc())
        .limit(1)
    ).first()
    waiting = session.execute(
        select(func.count(), func.min(GuidePrint.requested_at)).where(
            is_readers, GuidePrint.state.in_([GuideState.REQUESTED, GuideState.CLAIMED])
        )
    ).one()
    is_plain = GuidePrint.guide_id.is_(None) & (GuidePrint.house_pattern == PLAIN)
    is_failing = (GuidePrint.state != GuideState.READY) & (GuidePrint.attempt >= PLAIN_AFTER)
    failing = session.execute(
        select(GuidePrint.guide_id, GuidePrint.edition, GuidePrint.why)
        .where(is_failing, is_readers | is_plain)
        .order_by(GuidePrint.guide_id.is_(None), GuidePrint.not_before.desc())
    ).all()
    there = select(GuidePrint.edition).where(is_plain, GuidePrint.storage_key.is_not(None))
    plain = set(session.scalars(there))
    failed = [row.edition for row in failing if row.guide_id is not None]
    return GuideHealth(
        last_ready_at=newest.made_at if newest else None,
        seconds=newest.seconds_to_make if newest else None,
        waiting=waiting[0],
        oldest_waiting_at=waiting[1],
        failed=len(failed),
        house_failed=len(failing) - len(failed),
        why=failing[0].why if failing else None,
        without_plain=sum(edition not in plain for edition in failed),
    )


def _event_problems(session: Session) -> int:
    query = select(func.count()).where(MailEvent.problem.is_not(None))
    return session.scalar(query) or 0
