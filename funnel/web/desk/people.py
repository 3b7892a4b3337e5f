"""The list of people, searched and filtered."""

from flask import Blueprint, render_template, request

from funnel.runtime import Runtime
from funnel.services.reports import people as report
from funnel.services.reports.people import Concern, Whereabouts


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The list."""

    @routes.get("/people")
    def people() -> str:
        search, where = request.args.get("q", "").strip(), _where(request.args.get("where"))
        concern = _concern(request.args.get("look"))
        with rt.reading.begin() as session:
            found = report.people(
                session,
                engine=rt.sequences,
                now=rt.clock.now(),
                search=search,
                where=where,
                concern=concern,
                page=_page(),
            )
        return render_template(
            "desk/people.html",
            it=found,
            search=search,
            where=where,
            look=concern,
            is_erased="erased" in request.args,
        )


def _where(text: str | None) -> Whereabouts | None:
    return Whereabouts(text) if text in set(Whereabouts) else None


def _concern(text: str | None) -> Concern | None:
    return Concern(text) if text in set(Concern) else None


def _page() -> int:
    text = request.args.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
