"""The therapist's desk: its pages behind one door."""

from flask import Blueprint

from funnel.runtime import Runtime
from funnel.web.desk import (
    access,
    account,
    ask_password,
    away,
    complaints,
    delivery,
    editor,
    filters,
    gate,
    guide,
    mail,
    overview,
    own_second_step,
    people,
    person,
    privacy,
    programme,
    second_step,
    sequences,
    set_up,
    sign_in,
    steering,
    step_acts,
    walkers,
)


def routes(rt: Runtime) -> Blueprint:
    """Every page of the desk; all but sign-in and set-up ask for a session."""
    made = Blueprint("desk", __name__, url_prefix="/desk")
    access.guard(made, rt)
    filters.add_filters(made, rt)
    pages = (
        sign_in, set_up, overview, people, person, steering, walkers, programme,
        sequences, step_acts, away, editor, guide, privacy, mail, delivery, complaints, gate,
        account, ask_password, second_step, own_second_step,
    )  # fmt: skip
    for page in pages:
        page.add_pages(made, rt)
    return made
