"""One table: what went wrong, and the page that says so kindly."""

import logging
from functools import partial
from uuid import uuid4

from flask import Flask, render_template, request
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from funnel.domain.errors import DayLocked, LinkExpired, LinkInvalid, NotFound, TooManyTries

log = logging.getLogger(__name__)

STATUS_OF = {
    LinkInvalid: 404,
    NotFound: 404,
    LinkExpired: 410,
    DayLocked: 403,
    TooManyTries: 429,
}
# The database is away, cannot take more, or hung up: it will do in a minute.
AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
PAGES = frozenset({400, 403, 404, 405, 410, 413, 422, 429, 500, 503})


def handle_errors(app: Flask) -> None:
    """Answer every error with a page of its own words and no details."""
    for kind, status in STATUS_OF.items():
        app.register_error_handler(kind, partial(_known, status))
    for away in AWAY:
        app.register_error_handler(away, _away)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _known(status: int, _error: Exception) -> tuple[str, int]:
    return page(status)


def _away(error: Exception) -> tuple[str, int]:
    note(error)
    return render_template("errors/503.html", status=503, number=note(error)), 503


def note(error: Exception) -> str:
    """Log what kept a request from being served, by its class alone; the number it is under."""
    number = uuid4().hex[:8]
    kind = type(error).__name__
    log.warning("request %s %s met %s: %s", request.method, request.endpoint, kind, number)
    return number


def page(status: int) -> tuple[str, int]:
    """The page for a status; one without a page of its own shows the nearest."""
    shown = status if status in PAGES else 400 if status < 500 else 500
    return render_template(f"errors/{shown}.html", status=status), status


def _http_error(error: HTTPException) -> tuple[str, int]:
    return page(error.code or 500)


def _unexpected(error: Exception) -> tuple[str, int]:
    """The request boundary: log under a number that the page shows, never the details."""
    number = uuid4().hex[:8]
    log.error("request %s %s failed: %s", request.method, request.endpoint, number, exc_info=error)
    return render_template("errors/500.html", status=500, number=number), 500
