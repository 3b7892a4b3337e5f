"""Waits that the product counts in minutes, made seconds in the processes of a run."""

from datetime import timedelta
from importlib import import_module
from typing import Any

from funnel import tasks
from funnel.domain import breaker, delivery
from funnel.services import catch_up, doubt, printing, work
from tests.chaos.site import Site

PROBE_SECONDS = 2.0


def quicken(site: Site) -> None:
    """Shorten them in this process. Backoff runs on the funnel's calendar, the rest on ours.

    A message is given up after a time that a run cannot reach: the run must end with every mail
    sent, and giving up has tests of its own.
    """
    _set(delivery, "BACKOFF_FIRST", timedelta(seconds=0.4 * site.speed))
    _set(delivery, "BACKOFF_CAP", timedelta(seconds=2 * site.speed))
    # An hour's lateness is the sixth of a second here: catching up would never end.
    _set(catch_up, "LATE", timedelta(days=3650))
    _set(doubt, "LONGEST_PAUSE", timedelta(seconds=1 * site.speed))
    _set(breaker, "PROBE_EVERY", timedelta(seconds=PROBE_SECONDS))
    _set(printing, "GUIDE_LEASE", timedelta(seconds=3))
    _set(work, "SWEEP_EVERY", timedelta(seconds=1))
    _set(tasks, "POLL_SECONDS", 1.0)
    # The package names its command `up` as well, which hides the module.
    _set(import_module("funnel.cli.up"), "POLL_SECONDS", 0.5)
    for mail_class in delivery.GIVE_UP_AFTER:
        delivery.GIVE_UP_AFTER[mail_class] = timedelta(days=3650)
    for mail_class in delivery.RESEND_WHEN_IN_DOUBT:
        delivery.RESEND_WHEN_IN_DOUBT[mail_class] = timedelta(seconds=4)


def _set(module: Any, name: str, value: object) -> None:
    """A name that is no longer there would leave the run at its old pace: better it fails."""
    if not hasattr(module, name):
        raise AttributeError(f"{module.__name__} has no {name} any more")
    setattr(module, name, value)
