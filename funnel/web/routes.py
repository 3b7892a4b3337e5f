"""Routes from a table: a rule, a method and a view that takes the runtime first."""

from collections.abc import Callable, Sequence
from functools import partial

from flask import Blueprint
from flask.typing import ResponseReturnValue

from funnel.runtime import Runtime

Route = tuple[str, str, Callable[..., ResponseReturnValue]]


def routes_of(name: str, rt: Runtime, table: Sequence[Route]) -> Blueprint:
    """The pages of a table; each endpoint has the name of its view."""
    pages = Blueprint(name, __name__)
    for rule, method, view in table:
        pages.add_url_rule(
            rule, endpoint=view.__name__, view_func=partial(view, rt), methods=[method]
        )
    return pages
