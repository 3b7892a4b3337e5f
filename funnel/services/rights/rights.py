"""All that rights take, put together once."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel.content.catalog import Catalog
from funnel.domain.clock import Clock
from funnel.domain.ports import Journal, ProviderErasure
from funnel.links import Links
from funnel.services.recipes import Recipe
from funnel.services.rights.erasure import Eraser
from funnel.services.rights.outside import OutsideErasure
from funnel.services.rights.replay import Replay
from funnel.services.rights.retention import Timers
from funnel.services.rights.rotation import Rotation
from funnel.services.rights.rules import rules
from funnel.services.shelf import Shelf


@dataclass(frozen=True)
class Rights:
    """Erasing, here and outside; what goes by itself; what a restore must not bring back; keys."""

    eraser: Eraser
    outside: OutsideErasure
    timers: Timers
    replay: Replay
    rotation: Rotation


def make_rights(
    catalog: Catalog,
    *,
    sessions: sessionmaker[Session],
    reading: sessionmaker[Session],
    clock: Clock,
    links: Links,
    shelf: Shelf,
    recipe: Recipe,
    journal: Journal,
    provider: ProviderErasure,
    margin: timedelta,
) -> Rights:
    """For `margin` a mail that was claimed may still be under way."""
    eraser = Eraser(links, shelf.vault, clock, margin)
    days = catalog.self_check.keep_days
    timers = rules(catalog.retention, answers_days=days, pepper=links.pepper)
    return Rights(
        eraser=eraser,
        outside=OutsideErasure(sessions, clock, shelf.vault, provider),
        timers=Timers(sessions, reading, clock, timers),
        replay=Replay(journal, links, eraser),
        rotation=Rotation(sessions, shelf, recipe.is_ours),
    )
