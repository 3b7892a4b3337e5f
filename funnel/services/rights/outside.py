"""Erasing what lies outside the database, with whoever carried the mail: later, and until it is
done."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.engine import empty_log
from funnel.db.rights import ErasureJob
from funnel.domain.clock import Clock
from funnel.domain.delivery import backoff
from funnel.domain.errors import CannotTellNow, ProviderRefused, VaultLocked
from funnel.domain.ports import ProviderErasure
from funnel.vault import Vault

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
LOCKED = "No key in SECRET_KEY opens the address, so nobody can be asked to erase it."


@dataclass(frozen=True)
class Pending:
    """Erasures that are not done outside yet: how many, the oldest, and why the last try failed."""

    count: int
    since: datetime | None
    why: str


@dataclass(frozen=True)
class _Job:
    id: int
    address: str
    attempt: int


@dataclass(frozen=True)
class OutsideErasure:
    """Asks whoever carried the mail to erase addresses."""

    sessions: sessionmaker[Session]
    clock: Clock
    vault: Vault
    provider: ProviderErasure

    def erase_next(self) -> bool:
        """Deal with one erasure that is due; False when there was none.

        It is asked with no transaction open, and asked again after a crash: twice does no harm.
        """
        with self.sessions.begin() as session:
            job = self._claim(session)
        if job is None:
            return False
        problem = self._ask(job)
        with self.sessions.begin() as session:
            self._finish(session, job, problem)
        return True

    def empty_log(self) -> None:
        """Let nothing of the erased lie in the database's own log."""
        with self.sessions() as session:
            empty_log(session.get_bind().engine)

    def _claim(self, session: Session) -> _Job | None:
        now = self.clock.machine()
        query = select(ErasureJob).where(ErasureJob.not_before <= now).order_by(ErasureJob.id)
        found = session.scalars(query.limit(1).with_for_update(skip_locked=True)).first()
        if found is None:
            return None
        found.attempt += 1
        found.not_before = now + LEASE
        return _Job(found.id, self._address(found), found.attempt)

    def _address(self, job: ErasureJob) -> str:
        """The address; empty when no key of this process opens it: another's may."""
        try:
            return self.vault.open(job.sealed_address).decode()
        except VaultLocked:
            log.error("an address to be erased outside is sealed with a key that is not here")
            return ""

    def _ask(self, job: _Job) -> str | None:
        """Why it has to be asked again; None when it is done."""
        if not job.address:
            return LOCKED
        try:
            self.provider.erase([job.address])
        except (CannotTellNow, ProviderRefused, OSError) as error:
            log.warning("an erasure has to be asked for again: %s", type(error).__name__)
            return type(error).__name__ if isinstance(error, OSError) else str(error)
        return None

    def _finish(self, session: Session, job: _Job, problem: str | None) -> None:
        if problem is None:
            session.execute(delete(ErasureJob).where(ErasureJob.id == job.id))
            return
        row = session.get(ErasureJob, job.id, with_for_update=True)
        if row is not None:
            row.why = problem
            row.not_before = self.clock.machine() + backoff(job.attempt, 1.0)


def pending(session: Session) -> Pending:
    """What is still to be erased outside, for the desk."""
    count, since = session.execute(
        select(func.count(), func.min(ErasureJob.asked_at)).select_from(ErasureJob)
    ).one()
    query = select(ErasureJob.why).order_by(ErasureJob.attempt.desc(), ErasureJob.id)
    return Pending(count, since, session.scalars(query.limit(1)).first() or "")
