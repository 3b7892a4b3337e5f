"""The self-check: the safety gate, one question a screen, the pattern, and the form.

Every screen but the first answers a POST, so that no address tells what she answered.
"""

from dataclasses import replace
from functools import partial

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from funnel.domain.self_check import TECHNIQUES, pattern_for
from funnel.runtime import Runtime
from funnel.services.visits import CountedPage
from funnel.web import forms, public, so_far
from funnel.web.routes import routes_of
from funnel.web.so_far import RESULT, SOON, URGENT, SoFar

# Not no-store: the browser's own way back must work without asking to send a form again.
CACHING = "private, no-cache"
STOPS = {  # a sign on either part of the gate: what is counted, and the page that says whom to call
    "urgent": (CountedPage.STOP_999, "self_check/call_999.html"),
    "soon": (CountedPage.STOP_111, "self_check/call_111.html"),
}
FORM = "self-check"
RAN_OUT = (
    "Your answers ran out after two hours. Press once more to get the guide without them, or start "
    "the self-check again."
)


def routes(rt: Runtime) -> Blueprint:
    """The pages of the self-check."""
    pages = routes_of("self_check", rt, ROUTES)
    pages.after_request(_let_the_browser_keep_it)
    return pages


def _let_the_browser_keep_it(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", CACHING)
    return response


def start(rt: Runtime) -> ResponseReturnValue:
    return _show(rt, _from_the_start(rt))


def _from_the_start(rt: Runtime) -> SoFar:
    return SoFar(URGENT, {}, dict(forms.fresh_draft(rt).carried))


def step(rt: Runtime) -> ResponseReturnValue:
    """Take the answer of one screen and show the next. A warning sign counts whatever else came."""
    fields = forms.posted_fields()
    signs = fields.get("signs", "")
    if signs in STOPS:
        return _stop(*STOPS[signs])
    check = rt.catalog.self_check
    here = so_far.unseal(rt.links, fields.get("so_far", ""), check)
    if here is None:
        return _show(rt, _from_the_start(rt), is_again=True)
    chosen = _chosen(rt, here, fields)
    if fields.get("go") == "back":
        return _show(rt, so_far.back(check, chosen or here))
    if chosen is None:
        return _show(rt, here, is_missing=True), 422
    there = so_far.on(check, chosen)
    if there.at == RESULT != here.at:
        _count(CountedPage.CHECK_DONE)
    return _show(rt, there)


def _chosen(rt: Runtime, here: SoFar, fields: dict[str, str]) -> SoFar | None:
    """Where she is, with what she chose there; None when she chose nothing we offered."""
    if here.at in {URGENT, SOON}:
        return here if fields.get("signs") == "none" else None
    if here.at == RESULT:
        return here
    return so_far.answered(rt.catalog.self_check, here, fields.get("answer", ""))


def _stop(page: CountedPage, template: str) -> str:
    _count(page)
    return render_template(template)


def _count(page: CountedPage) -> None:
    """One more, tied to nobody."""
    current_app.extensions["tally"].add(page)


def _show(rt: Runtime, here: SoFar, *, is_again: bool = False, is_missing: bool = False) -> str:
    if here.at == RESULT:
        return _result(rt, here, forms.Draft(carried=here.carried))
    questions = rt.catalog.self_check.questions
    number = next((n for n, q in enumerate(questions, start=1) if q.key == here.at), 0)
    return render_template(
        "self_check/question.html" if number else "self_check/gate.html",
        part=2 if here.at == SOON else 1,
        number=number,
        total=len(questions),
        question=questions[number - 1],
        chosen=here.answers.get(here.at),
        sealed=so_far.seal(rt.links, here),
        guide_url=url_for("public.landing", _anchor="guide", **forms.passed_on(here.carried)),
        is_again=is_again,
        is_missing=is_missing,
    )


def _result(rt: Runtime, here: SoFar, draft: forms.Draft) -> str:
    check = rt.catalog.self_check
    pattern = pattern_for(check, here.answers)
    return render_template(
        "self_check/result.html",
        pattern=pattern,
        first_technique=TECHNIQUES[pattern.order[0]],
        keep_days=check.keep_days,
        sealed=so_far.seal(rt.links, here),
        draft=draft,
    )


def send(rt: Runtime) -> ResponseReturnValue:
    """Take a request for the guide. The answers go with it only when their box is ticked."""
    fields = forms.posted_fields()
    draft = replace(forms.posted_draft(rt), wants_health=fields.get("health") == "yes")
    here = so_far.unseal(rt.links, fields.get("so_far", ""), rt.catalog.self_check)
    if here is None or here.at != RESULT:
        lost = replace(draft, errors={**draft.errors, "form": RAN_OUT})
        return public.show_landing(rt, lost), 422
    show = partial(_result, rt, here)
    return public.answer_request(rt, draft, FORM, show=show, answers=here.answers)


def back_to_start(_: Runtime) -> ResponseReturnValue:
    """A result that came back with messages lives at /self-check/send: reloading starts afresh."""
    return redirect("/self-check", 303)


ROUTES = (
    ("/self-check", "GET", start),
    ("/self-check", "POST", step),
    ("/self-check/send", "GET", back_to_start),
    ("/self-check/send", "POST", send),
)
