"""Looks at the DNS, the provider's account and the clocks, and says what it found."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import MailEvent, Message
from funnel.domain import account_checks, dns_checks
from funnel.domain.clock import Clock
from funnel.domain.deliverability import Finding, Report
from funnel.domain.mail_account import Account, Heard, MailSetup, Provider, Silence
from funnel.domain.names import UNANSWERED, Lookup, RecordKind
from funnel.domain.ports import NameServers, ProviderAccount
from funnel.services import proof
from funnel.services.mail_events import LISTED
from funnel.services.skew import ClockWatch

# As long as one look may take; what was not answered by then is not known.
LOOK_SECONDS = 60.0
A_DAY = timedelta(days=1)
_UNTOLD = Account(Silence.AWAY, Silence.AWAY, Silence.AWAY, Silence.AWAY)


@dataclass(frozen=True)
class Doctor:
    """Looks from outside at how our mail stands. Changes nothing but the report that is kept."""

    sessions: sessionmaker[Session]
    clock: Clock
    setup: MailSetup
    servers: NameServers
    account: ProviderAccount | None
    clocks: ClockWatch

    @property
    def has_anything_to_look_at(self) -> bool:
        """False where mail stays on this machine."""
        return self.setup.provider is not Provider.MAILBOX

    def look(self) -> Report:
        """Look, and keep the report. Asks the outside with no transaction open; safe to repeat."""
        report = self.examine()
        with self.sessions.begin() as session:
            return proof.record(session, report)

    def examine(self) -> Report:
        """Everything there is to find, worst answers included; nothing is kept."""
        found = tuple(self._findings()) if self.has_anything_to_look_at else ()
        return Report(self.clock.machine(), found, self.setup.mark)

    def is_due(self, session: Session) -> bool:
        """Whether a required look is over a day old, or something was in the way at the last."""
        known = proof.proof(session)
        if not known.is_required:
            return False
        if known.report is None or known.report.in_the_way:
            return True
        return self.clock.machine() - known.report.at >= A_DAY

    def _findings(self) -> Iterator[Finding]:
        setup, notes = self.setup, _Notebook(self.servers, self.clock)
        is_sendgrid = setup.provider is Provider.SENDGRID
        account = self.account.describe() if self.account is not None else _UNTOLD
        yield from account_checks.check_senders(setup)
        if is_sendgrid:
            yield account_checks.check_key(account)
            yield from account_checks.check_reading(account)
            yield from account_checks.check_known_domains(setup, account)
        for domain in setup.domains:
            if is_sendgrid and account.domains is Silence.AWAY:
                yield from dns_checks.domain_not_told(domain)
                continue
            known = account.domain_for(domain)
            yield from dns_checks.check_domain(domain, setup, known, notes.look_up)
        yield from self._rest(account, notes, is_sendgrid=is_sendgrid)

    def _rest(
        self, account: Account, notes: "_Notebook", *, is_sendgrid: bool
    ) -> Iterator[Finding]:
        setup = self.setup
        answers_to = setup.reply_to or next(iter(setup.senders), None)
        if answers_to is not None:
            yield dns_checks.check_replies(answers_to, notes.look_up)
        yield account_checks.check_links(setup)
        if is_sendgrid:
            now = self.clock.now()
            yield account_checks.check_hook(setup, account, self._heard(), now)
        else:
            yield account_checks.check_smtp_news(setup)
        yield account_checks.check_clocks(self.clocks.readings())

    def _heard(self) -> Heard:
        with self.sessions.begin() as session:
            return heard(session)


def heard(session: Session) -> Heard:
    """When the webhook last told something, and when the last mail was handed over."""
    posted = MailEvent.id.not_like(f"{LISTED}%")
    newest = (
        select(Message.accepted_at)
        .where(Message.closed_at.is_not(None), Message.accepted_at.is_not(None))
        .order_by(Message.closed_at.desc())
        .limit(1)
    )
    return Heard(
        session.scalar(select(func.max(MailEvent.received_at)).where(posted)),
        session.scalar(newest),
    )


@dataclass
class _Notebook:
    """One look's questions: each name is asked for once, and none any more when time is over."""

    servers: NameServers
    clock: Clock
    known: dict[tuple[str, RecordKind], Lookup] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ends_at = self.clock.boot_seconds() + LOOK_SECONDS

    def look_up(self, name: str, kind: RecordKind) -> Lookup:
        asked = (name.lower().rstrip("."), kind)
        if asked not in self.known:
            is_over = self.clock.boot_seconds() >= self._ends_at
            self.known[asked] = UNANSWERED if is_over else self.servers.look_up(*asked)
        return self.known[asked]
