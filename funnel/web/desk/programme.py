"""Who waits for the programme, and who bought it."""

from flask import Blueprint, render_template

from funnel.runtime import Runtime
from funnel.services.reports import moves


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The programme's page, with every offer there is."""

    @routes.get("/programme")
    def programme() -> str:
        with rt.reading.begin() as session:
            found = [moves.offer(session, key) for key in rt.catalog.offers]
        return render_template("desk/programme.html", reports=found, offers=rt.catalog.offers)
