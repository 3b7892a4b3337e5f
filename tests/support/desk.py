"""The desk as a browser meets it: setting up, signing in, reading pages."""

import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from funnel.services import staff
from funnel.web.app import create_app
from tests.support.house import House

EMAIL, PASSWORD = "reyes@example.org", "kettle lamp otter"


def signed_in(house: House) -> FlaskClient:
    """Dr Reyes's browser, just set up and signed in."""
    browser = create_app(house.rt).test_client()
    path = house.rt.links.url("desk-setup", token=setup_token(house))
    browser.post(path, data={"name": "Dr Reyes", "email": EMAIL, "password": PASSWORD})
    return browser


def setup_token(house: House) -> str:
    """A one-time token for the first account."""
    with house.rt.sessions.begin() as session:
        return staff.make_setup_link(session, now=house.clock.machine()) or ""


def text_of(response: TestResponse) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


def sign_in(browser: FlaskClient, password: str, **more: str) -> TestResponse:
    """Sign in with what the page's own form holds."""
    stamp = hidden(browser.get("/desk/sign-in").text, "stamp")
    form = {"stamp": stamp, "email": EMAIL, "password": password} | more
    return browser.post("/desk/sign-in", data=form)


def csrf_of(browser: FlaskClient) -> str:
    """The token that the forms of this browser's session carry."""
    return hidden(browser.get("/desk/people").text, "csrf")


def csrf_of_page(page: str) -> str:
    """The token in the forms of one page."""
    return hidden(page, "csrf")


def desk_pages(app: Flask) -> list[tuple[str, str]]:
    """Every endpoint and path of the desk, with something in each open place."""
    return [
        (rule.endpoint, re.sub(r"<[^>]+>", "1", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("desk.")
    ]
