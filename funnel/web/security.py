"""What every request is held to: its host, its origin, its size, and the headers of answers."""

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from funnel.domain.evidence import Evidence, truncate_ip
from funnel.runtime import Runtime

MAX_FORM_BYTES = 16 * 1024
MAX_WEBHOOK_BYTES = 1024 * 1024
MAX_TEXT_BYTES = 512 * 1024
MAX_FIELDS = 32
MAX_AGENT = 200
NOT_HERE = "This site goes by another name. Please check the address.\n"
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
LOCAL_NAMES = ["127.0.0.1", "localhost"]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# A whole mail or plan is edited in these, with a tick box for each step.
WHOLE_TEXTS = frozenset({"desk.save_plan", "desk.save_words", "desk.look_at_words"})
# One question with several boxes; every other field comes once.
SEVERAL_TIMES = frozenset({"past"})
# These carry their own proof: a signed body, or a token that mail programs post by themselves.
FOREIGN_ORIGINS_WELCOME = ("hooks.", "portal.unsubscribe")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Same-origin and not no-referrer: with the latter a browser hides the origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def secure(app: Flask, rt: Runtime) -> None:
    """Put the limits and headers on an application."""
    app.debug = False  # whatever FLASK_DEBUG says: a trace must never be a page
    app.config["MAX_CONTENT_LENGTH"] = MAX_WEBHOOK_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_FORM_BYTES
    app.config["MAX_FORM_PARTS"] = MAX_FIELDS
    if rt.settings.trusted_proxies:
        hops = rt.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # Flask's own way
    app.wsgi_app = HostGate(app.wsgi_app, rt.settings.base_url)  # type: ignore[method-assign]  # the same
    app.before_request(_refuse_large_form)
    app.before_request(lambda: _refuse_foreign_origin(rt.settings.base_url))
    app.before_request(_refuse_odd_fields)
    app.after_request(lambda response: _dress(response, rt.settings.is_secure))


class HostGate:
    """Refuses a request for another host than ours, before anything is made of that name.

    It stands outside Flask, which cannot even show an error page for a host it cannot read.
    """

    def __init__(self, inner: WSGIApplication, base_url: str) -> None:
        self._inner = inner
        self._names = frozenset({urlsplit(base_url).hostname or "", *LOCAL_NAMES})

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = _HOST.fullmatch(environ.get("HTTP_HOST", "").lower())
        if found and found[1].strip("[]") in self._names:
            return self._inner(environ, start_response)
        refused = Response(NOT_HERE, 400, HEADERS, mimetype="text/plain")
        return refused(environ, start_response)


def _refuse_large_form() -> None:
    is_form = request.blueprint != "hooks" and request.method not in SAFE_METHODS
    most = MAX_TEXT_BYTES if request.endpoint in WHOLE_TEXTS else MAX_FORM_BYTES
    if is_form and (request.content_length or 0) > most:
        abort(413)
    request.max_form_memory_size = most


def _refuse_foreign_origin(base_url: str) -> None:
    """Refuse a form that another site sent. Browsers say who did; silence is a plain client.

    An old browser may hide the origin of a form: the desk's forms carry a token of their own too.
    """
    if request.method in SAFE_METHODS or _welcomes_foreigners():
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(403)
    origin = request.headers.get("Origin", "null")
    if origin != "null" and origin not in _own_origins(base_url):
        abort(403)


def _refuse_odd_fields() -> None:
    """Refuse a form with a crowd of fields, or with one field twice: who reads it might differ."""
    if request.method in SAFE_METHODS or _welcomes_foreigners():
        return
    fields = list(request.form.lists())
    if any(len(values) > 1 and name not in SEVERAL_TIMES for name, values in fields):
        abort(400)
    if len(fields) > MAX_FIELDS:
        abort(413)


def _welcomes_foreigners() -> bool:
    return (request.endpoint or "").startswith(FOREIGN_ORIGINS_WELCOME)


@cache
def _own_origins(base_url: str) -> frozenset[str]:
    parts = urlsplit(base_url)
    port = f":{parts.port}" if parts.port else ""
    local = {f"http://{name}{port}" for name in LOCAL_NAMES} if parts.scheme == "http" else set()
    return frozenset({base_url, *local})


def _dress(response: Response, is_secure: bool) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if request.view_args and request.endpoint != "static":
        response.headers.setdefault("X-Robots-Tag", "noindex")
    return response


def evidence(form: str, seconds_on_page: float | None = None) -> Evidence:
    """The evidence of the request at hand, for a consent given on this form."""
    return Evidence(
        page_url=request.base_url.partition("?")[0]
        if not request.view_args
        else request.endpoint or "",
        form_version=form,
        ip_truncated=truncate_ip(request.remote_addr or ""),
        user_agent=request.user_agent.string[:MAX_AGENT],
        seconds_on_page=seconds_on_page,
    )
