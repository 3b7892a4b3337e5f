"""Everybody who is on the way through the challenge."""

from flask import Blueprint, render_template

from funnel.runtime import Runtime
from funnel.services.reports import moves


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The challenge's page."""

    @routes.get("/challenge")
    def walkers() -> str:
        days = rt.catalog.challenge.days
        with rt.reading.begin() as session:
            found = moves.challenge(
                session, days=len(days), engine=rt.sequences, now=rt.clock.now()
            )
        return render_template("desk/challenge.html", it=found, challenge=rt.catalog.challenge)
