"""House copies: prints with nobody's name, to fall back on and to look at from the desk."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from funnel.db.guides import GuidePrint
from funnel.db.upsert import insert_if_absent
from funnel.domain.guides import Edition, GuideState
from funnel.services.guides import PLAIN, WAITING, GuideFile
from funnel.services.recipes import Recipe
from funnel.services.shelf import Shelf


@dataclass(frozen=True)
class CopyView:
    """One house copy at the desk. `why` says what is going on while it is not ready."""

    pattern: str
    edition: Edition
    is_ready: bool
    is_waiting: bool
    pages: int | None
    size_bytes: int | None
    made_at: datetime | None
    why: str


def keep_fresh(session: Session, recipe: Recipe, *, now: datetime) -> None:
    """Have the plain copies printed that are missing, or made from older words or code.

    The old copy stays in use until the new one is there. Copies of patterns that are gone go too,
    and those that somebody at the desk waits for are asked for anew.
    """
    is_copy = GuidePrint.guide_id.is_(None)
    session.execute(
        delete(GuidePrint).where(is_copy, GuidePrint.house_pattern.not_in(recipe.house))
    )
    for edition in Edition:
        _want(session, recipe, PLAIN, edition, now)
    is_waited_for = (GuidePrint.house_pattern != PLAIN) & (GuidePrint.state != GuideState.READY)
    query = select(GuidePrint).where(is_copy, is_waited_for).order_by(GuidePrint.id)
    for copy in session.scalars(query).all():
        _want(session, recipe, copy.house_pattern or PLAIN, Edition(copy.edition), now)


def want(
    session: Session, recipe: Recipe, pattern: str, edition: Edition, *, now: datetime
) -> CopyView:
    """A copy to look at, printed anew when the words have changed; KeyError for no pattern."""
    return _view(_want(session, recipe, pattern, edition, now))


def _want(
    session: Session, recipe: Recipe, pattern: str, edition: Edition, now: datetime
) -> GuidePrint:
    mark = recipe.mark(pattern, edition)
    insert_if_absent(
        session,
        GuidePrint,
        house_pattern=pattern,
        edition=edition,
        state=GuideState.REQUESTED,
        requested_at=now,
        not_before=now,
        fence=0,
        attempt=0,
        recipe=mark,
        why=WAITING,
    )
    locked = _query(pattern, edition).with_for_update(of=GuidePrint)
    copy = session.scalars(locked.execution_options(populate_existing=True)).one()
    if copy.recipe != mark:
        copy.recipe, copy.state, copy.attempt = mark, GuideState.REQUESTED, 0
        copy.requested_at = copy.not_before = now
        copy.fence += 1
        copy.why = "The words have changed, so it is made again."
    return copy


def _query(pattern: str, edition: Edition) -> Select[GuidePrint]:
    return select(GuidePrint).where(
        GuidePrint.guide_id.is_(None),
        GuidePrint.house_pattern == pattern,
        GuidePrint.edition == edition,
    )


def _view(copy: GuidePrint) -> CopyView:
    is_ready = copy.state == GuideState.READY
    return CopyView(
        pattern=copy.house_pattern or PLAIN,
        edition=Edition(copy.edition),
        is_ready=is_ready,
        is_waiting=copy.state in {GuideState.REQUESTED, GuideState.CLAIMED},
        pages=copy.pages if is_ready else None,
        size_bytes=copy.size_bytes if is_ready else None,
        made_at=copy.made_at if is_ready else None,
        why=copy.why,
    )


def copies(session: Session) -> list[CopyView]:
    """Every house copy there is."""
    query = select(GuidePrint).where(GuidePrint.guide_id.is_(None))
    return [_view(copy) for copy in session.scalars(query)]


def copy_file(
    session: Session, pattern: str, edition: Edition, *, shelf: Shelf
) -> GuideFile | None:
    """The finished copy; None while there is none."""
    copy = session.scalars(_query(pattern, edition)).first()
    content = shelf.read(copy.storage_key) if copy else None
    return GuideFile(content) if content else None
