"""The door of the desk: nobody passes without a session, and no form without its token."""

from flask import Blueprint, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response

from funnel.runtime import Runtime
from funnel.services import control, staff

# The only pages that may be seen from outside.
OPEN_PAGES = frozenset({"desk.sign_in", "desk.set_up"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def guard(routes: Blueprint, rt: Runtime) -> None:
    """Refuse every request of the desk that brings no live session."""

    @routes.before_request
    def let_in() -> Response | None:
        g.csrf = ""
        if request.endpoint in OPEN_PAGES:
            return None
        if not _recognise(rt):
            return redirect(url_for("desk.sign_in", to=_page_to_return_to()), 303)
        if request.method not in SAFE_METHODS:
            _check_csrf()
        return None

    @routes.context_processor
    def who() -> dict[str, object]:
        return {"staff": g.get("staff"), "sending": g.get("sending")}


def _recognise(rt: Runtime) -> bool:
    token, now = session_token(rt), rt.clock.machine()
    if not token:
        return False
    with rt.reading.begin() as session:
        view = staff.find_session(session, token, now=now)
        g.sending = control.sending_state(session)
    if view is None:
        return False
    g.staff, g.csrf = view, view.csrf
    if view.needs_keep_alive:
        with rt.sessions.begin() as session:
            staff.keep_alive(session, token, now=now)
    return True


def _check_csrf() -> None:
    if not staff.same_token(g.csrf, request.form.get("csrf", "")):
        abort(403)


def _page_to_return_to() -> str | None:
    return request.full_path.rstrip("?") if request.method == "GET" else None


def safe_return(path: str | None) -> str:
    """A page of the desk to go on to; anything else leads to the overview."""
    is_ours = path is not None and path.startswith("/desk/") and path.isprintable()
    if path is None or not is_ours or "//" in path or "\\" in path:
        return url_for("desk.overview")
    return path


def session_token(rt: Runtime) -> str:
    """The secret of the browser's session; empty when it has none."""
    return request.cookies.get(_cookie_name(rt), "")


def remember(response: Response, rt: Runtime, signed_in: staff.SignedIn) -> Response:
    """Give the browser its session, for as long as it stays open."""
    response.set_cookie(
        _cookie_name(rt),
        signed_in.token,
        path="/",
        secure=rt.settings.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: Response, rt: Runtime) -> Response:
    """Take the session out of the browser."""
    response.delete_cookie(
        _cookie_name(rt),
        path="/",
        secure=rt.settings.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _cookie_name(rt: Runtime) -> str:
    return "__Host-desk" if rt.settings.is_secure else "desk"
