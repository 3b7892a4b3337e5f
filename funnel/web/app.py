"""The Flask application: made from a Runtime, with nothing global."""

import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path

from flask import Flask, g, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup

from funnel.domain.schedule import zone_of
from funnel.runtime import Runtime
from funnel.services.health import is_alive
from funnel.web import (
    choices,
    complaint,
    desk,
    errors,
    gate,
    guide,
    hooks,
    mailbox,
    paper,
    portal,
    public,
    security,
    self_check,
    your_data,
)
from funnel.web.tally import Tally

STATIC = Path(__file__).parent / "static"
YEAR_SECONDS = 31_536_000


def create_app(rt: Runtime) -> Flask:
    """The whole web side of the funnel."""
    app = Flask(
        "funnel.web",
        static_folder=str(STATIC),
        template_folder=str(Path(rt.settings.templates_path).resolve() / "web"),
    )
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR_SECONDS
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.secure(app, rt)
    errors.handle_errors(app)
    _add_words(app, rt)
    paper.add_filters(app)
    gate.put_up(app, rt)
    for part in (public, self_check, guide, portal, choices, complaint, your_data, desk, hooks):
        app.register_blueprint(part.routes(rt))
    if rt.mailbox is not None:
        app.register_blueprint(mailbox.routes(rt))
    _add_health(app, rt)
    tally = Tally(rt)
    tally.attach(app)
    app.extensions["tally"] = tally
    return app


def _add_health(app: Flask, rt: Runtime) -> None:
    @app.get("/health")
    def health() -> tuple[dict[str, bool], int]:
        with rt.reading.begin() as session:
            is_well = is_alive(session)
        return {"ok": is_well}, 200 if is_well else 503


def _add_words(app: Flask, rt: Runtime) -> None:
    """What every template may use."""
    zone = zone_of(rt.catalog.brand.time_zone)
    app.jinja_env.globals.update(
        brand=rt.catalog.brand,
        safety=rt.catalog.safety,
        wordings=rt.catalog.wordings,
        is_demo=rt.settings.demo,
        figure=lambda name: Markup(rt.figure(name).svg),  # noqa: S704 - drawn by our own code
        asset=_asset,
        form_stamp=lambda: rt.links.stamp(rt.clock.machine()),
        csrf_field=_csrf_field,
        now=rt.clock.now,
        has_mailbox=rt.mailbox is not None,
    )
    app.jinja_env.filters.update(
        local_time=lambda when: _local_time(when.astimezone(zone)),
        local_day=lambda when: _local_day(when.astimezone(zone)),
        day_in=lambda when, name: _local_day(when.astimezone(zone_of(name))),
    )


def _asset(name: str) -> str:
    """The URL of a static file, with a mark that changes when the file does."""
    return url_for("static", filename=name, v=_mark(name))


@cache
def _mark(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


def _csrf_field() -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(g.csrf)


def _local_day(when: datetime) -> str:
    return f"{when:%A} {when.day} {when:%B %Y}"


def _local_time(when: datetime) -> str:
    return f"{_local_day(when)}, {when:%H:%M}"
