"""The guide at the desk: every pattern and edition to look at, and the self-check in numbers."""

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from funnel.domain.guides import Edition
from funnel.runtime import Runtime
from funnel.services import house_copies
from funnel.services.guides import PLAIN
from funnel.services.reports.self_check import self_check
from funnel.web.guide import LOOK_AGAIN_SECONDS, PDF_NAMES, send_pdf

NO_PATTERN = "no-self-check"  # the plain copy's name in an address


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The list of copies, the button that asks for one, and the copy itself."""

    @routes.get("/guide")
    def guide() -> ResponseReturnValue:
        with rt.reading.begin() as session:
            copies = {(each.pattern, each.edition): each for each in house_copies.copies(session)}
            counts = self_check(session, now=rt.clock.now())
        page = render_template(
            "desk/guide.html",
            patterns=[("", NO_PATTERN, "Without the self-check")]
            + [(each.key, each.key, each.name) for each in rt.catalog.self_check.patterns],
            editions=Edition,
            copies=copies,
            counts=counts,
        )
        is_waiting = any(copy.is_waiting for copy in copies.values())
        return (page, {"Refresh": str(LOOK_AGAIN_SECONDS)}) if is_waiting else page

    @routes.post("/guide/<pattern>/<edition>")
    def ask_copy(pattern: str, edition: str) -> ResponseReturnValue:
        key, wanted = _copy(pattern, edition)
        with rt.sessions.begin() as session:
            copy = house_copies.want(session, rt.recipe, key, wanted, now=rt.clock.now())
        if copy.is_ready:
            return redirect(url_for("desk.copy", pattern=pattern, edition=edition), 303)
        rt.bell.ring("pdf")
        return redirect(url_for("desk.guide"), 303)

    @routes.get("/guide/<pattern>/<edition>")
    def copy(pattern: str, edition: str) -> ResponseReturnValue:
        key, wanted = _copy(pattern, edition)
        with rt.reading.begin() as session:
            file = house_copies.copy_file(session, key, wanted, shelf=rt.shelf)
        if file is None:
            return redirect(url_for("desk.guide"), 303)
        return send_pdf(file, PDF_NAMES[wanted], as_attachment=False)

    def _copy(pattern: str, edition: str) -> tuple[str, Edition]:
        """The pattern's key and the edition of an address; 404 for one that does not exist."""
        key = PLAIN if pattern == NO_PATTERN else pattern
        if key not in rt.recipe.house or edition not in set(Edition):
            abort(404)
        return key, Edition(edition)
