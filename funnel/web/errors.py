"""One table: what went wrong, and the page that says so kindly."""

import logging
from functools import partial
from uuid import uuid4

from flask import Flask, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from funnel.domain.errors import DayLocked, LinkExpired, LinkInvalid, NotFound, TooManyTries

log = logging.getLogger(__name__)

STATUS_OF = {
    LinkInvalid: 404,
    NotFound: 404,
    LinkExpired: 410,
    DayLocked: 403,
    TooManyTries: 429,
    OperationalError: 503,
}
PAGES = frozenset({400, 403, 404, 405, 410, 413, 422, 429, 500, 503})


def handle_errors(app: Flask) -> None:
    """Answer every error with a page of its own words and no details."""
    for kind, status in STATUS_OF.items():
        app.register_error_handler(kind, partial(_known, status))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _known(status: int, _error: Exception) -> tuple[str, int]:
    return page(status)


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
