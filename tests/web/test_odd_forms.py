"""Forms that are too large, too many-fielded, or say one thing twice are refused at the door."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from funnel.web import security
from funnel.web.app import create_app
from tests.support.crawl import Places, places, rules
from tests.support.desk import csrf_of, signed_in
from tests.support.hostile import changed, rows
from tests.support.house import House

# A mail program's own form, and a provider's: each proves itself in another way.
WITHOUT_A_FORM = ("hooks.", "portal.unsubscribe")


@pytest.fixture
def app(house: House) -> Flask:
    """The whole web side."""
    return create_app(house.rt)


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser, so that a form is refused for its fields and for nothing else."""
    return signed_in(house)


@pytest.fixture
def found(house: House) -> Places:
    """Pages of somebody who joined everything."""
    return places(house)


def forms(app: Flask) -> Iterator[Rule]:
    """Every route that takes a form."""
    for rule, methods in rules(app):
        if "POST" in methods and not rule.endpoint.startswith(WITHOUT_A_FORM):
            yield rule


def test_no_form_says_one_thing_twice(
    house: House, app: Flask, desk: FlaskClient, found: Places
) -> None:
    token, before = csrf_of(desk), rows(house)
    for rule in forms(app):
        for name in ("email", "csrf", "act", "answer", "password", "anything"):
            fields = {"csrf": token} | {name: [token, "b"]}
            assert desk.post(found.path(rule), data=fields).status_code == 400, rule.rule
    assert changed(before, rows(house)) == {}


def test_no_form_has_a_crowd_of_fields(
    house: House, app: Flask, desk: FlaskClient, found: Places
) -> None:
    token, before = csrf_of(desk), rows(house)
    crowd = {"csrf": token} | {f"f{number}": "x" for number in range(security.MAX_FIELDS)}
    for rule in forms(app):
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            answer = desk.post(found.path(rule), data=crowd, content_type=kind)
            assert answer.status_code == 413, f"{rule.rule} as {kind}"
    assert changed(before, rows(house)) == {}


def test_no_form_is_larger_than_it_need_be(app: Flask, desk: FlaskClient, found: Places) -> None:
    token = csrf_of(desk)
    for rule in forms(app):
        most = (
            security.MAX_TEXT_BYTES
            if rule.endpoint in security.WHOLE_TEXTS
            else security.MAX_FORM_BYTES
        )
        answer = desk.post(found.path(rule), data={"csrf": token, "a": "b" * most})
        assert answer.status_code == 413, rule.rule


def test_the_steps_past_which_a_mail_is_sent_are_named_several_times(desk: FlaskClient) -> None:
    form = {"csrf": csrf_of(desk), "past": ["one", "two", "three"], "source": "no plan"}
    assert desk.post("/desk/sequences/nurture/plan", data=form).status_code not in {400, 413}


def test_a_mail_program_may_say_more_than_we_asked(house: House, found: Places) -> None:
    client = create_app(house.rt).test_client()
    body = {"List-Unsubscribe": ["One-Click", "One-Click"]} | {f"f{n}": "x" for n in range(50)}
    assert client.post(f"/unsubscribe/{found.tokens['unsubscribe']}", data=body).status_code == 200


@pytest.mark.parametrize("depth", [20, 1_000, 100_000])
def test_nesting_without_a_signature_is_never_read(app: Flask, depth: int) -> None:
    for body in ("[" * depth, "[" * depth + "]" * depth, json.dumps([{"a": [1]}])):
        answer = app.test_client().post("/hooks/sendgrid", data=body)
        assert answer.status_code == 403
