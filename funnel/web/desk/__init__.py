"""The therapist's desk: its pages behind one door."""

from flask import Blueprint

from funnel.runtime import Runtime
from funnel.web.desk import (
    access,
    filters,
    guide,
    mail,
    overview,
    people,
    person,
    programme,
    set_up,
    sign_in,
    walkers,
)


def routes(rt: Runtime) -> Blueprint:
    """Every page of the desk; all but sign-in and set-up ask for a session."""
    made = Blueprint("desk", __name__, url_prefix="/desk")
    access.guard(made, rt)
    filters.add_filters(made, rt)
    for page in (sign_in, set_up, overview, people, person, walkers, programme, guide, mail):
        page.add_pages(made, rt)
    return made
