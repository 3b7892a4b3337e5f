"""The doors of machines: described as they are, and nothing that is posted to them breaks them."""

import pytest
from sqlalchemy import select

from funnel.db.people import Subscriber
from funnel.domain.people import PersonState
from tests.fuzz.doors import description, knock, open_doors

# Answers in JSON, or posts of machines; everything else is a page or a form of a page.
FOR_MACHINES = {("GET", "/health"), ("POST", "/hooks/sendgrid"), ("POST", "/unsubscribe/{token}")}


def test_the_description_names_the_doors_of_machines_as_they_are() -> None:
    described = {
        (method.upper(), path)
        for path, methods in description()["paths"].items()
        for method in methods
    }
    with open_doors(signed=False) as doors:
        served = {
            (method, rule.rule.replace("<", "{").replace(">", "}"))
            for rule in doors.app.url_map.iter_rules()
            for method in rule.methods or ()
        }
        hooks = {(m, p) for m, p in served if p.startswith("/hooks/") and m == "POST"}
    assert described == FOR_MACHINES
    assert described <= served
    assert hooks <= described


@pytest.mark.parametrize(("signed", "times"), [(True, 30), (False, 5)])
def test_no_machine_can_break_a_door_whatever_it_posts(signed: bool, times: int) -> None:
    with open_doors(signed=signed) as doors:
        assert knock(doors, times) >= times * 4
        assert doors.errors.told == []
        with doors.house.rt.reading.begin() as session:
            (only,) = session.scalars(select(Subscriber)).all()
    assert only.state == PersonState.UNSUBSCRIBED  # Ada's own link was pressed; nobody else came
