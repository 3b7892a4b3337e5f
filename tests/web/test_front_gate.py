"""The front gate seen by visitors: nothing on quiet days, a small sum under attack."""

import gzip
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from funnel.adapters.proof_of_work import AltchaProofs
from funnel.db.mail import Message
from funnel.db.people import AddressChange, Subscriber
from funnel.domain.proof_of_work import ProofMode
from funnel.links import LinkPurpose
from funnel.services import front_gate
from funnel.web.gate import FRESH_SECONDS
from tests.support import make
from tests.support.front_door import Door, Outline, open_door, words_of
from tests.support.house import House
from tests.support.proofs import EasyProofs, solve
from tests.support.self_check import Walker
from tests.support.visitor import hidden_fields

BUSY = "Please press the button once more."
INBOX = "/check-your-inbox/"


@pytest.fixture
def gate(house: House) -> Door:
    """A front door that asks everybody for a proof."""
    with house.rt.sessions.begin() as session:
        front_gate.set_mode(session, ProofMode.ON, by="Dr Reyes")
    return open_door(house, replace(open_door(house).rt, proofs=EasyProofs()))


def sum_on(page: str) -> str:
    """The sum that a page's form asks for."""
    (widget,) = Outline(page).all("altcha-widget")
    return str(widget["challenge"])


def count_of(house: House, table: type) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def scripts(page: str) -> list[str]:
    return [str(tag["src"]).partition("?")[0] for tag in Outline(page).all("script")]


# --- quiet days ---------------------------------------------------------------------------------


def test_on_quiet_days_no_page_knows_of_it(door: Door) -> None:
    sealed = door.rt.links.seal("ada@example.org")
    for path in ("/", "/challenge", f"{INBOX}{sealed}"):
        page = door.get(path)
        assert "altcha" not in page
        assert set(scripts(page)) <= {"/static/tz.js"}


# --- under attack: every form that can send a mail ------------------------------------------------


def landing(gate: Door) -> tuple[str, str, dict[str, str]]:
    page = gate.get("/")
    return page, "/signup", {**hidden_fields(page), "email": "ada@example.org", "name": "Ada"}


def self_check(gate: Door) -> tuple[str, str, dict[str, str]]:
    page = Walker(gate).answer_all(make.some_answers(gate.house)).page
    form = {**hidden_fields(page), "email": "ada@example.org", "name": "Ada", "health": "yes"}
    return page, "/self-check/send", form


def send_again(gate: Door) -> tuple[str, str, dict[str, str]]:
    make.request(gate.house)
    gate.house.clock.advance(timedelta(minutes=5))
    path = INBOX + gate.rt.links.seal("ada@example.org")
    page = gate.get(path)
    return page, f"{path}/resend", hidden_fields(page)


def challenge_link(gate: Door) -> tuple[str, str, dict[str, str]]:
    make.confirmed(gate.house)
    page = gate.get("/challenge")
    return page, "/challenge", {**hidden_fields(page), "email": "ada@example.org"}


FORMS = [landing, self_check, send_again, challenge_link]


def test_so_does_the_form_for_another_address(gate: Door) -> None:
    make.confirmed(gate.house)
    token = gate.rt.links.token(LinkPurpose.PREFERENCES, make.person(gate.house).public_id)
    path = f"/preferences/{token}/address"
    fields = {"email": "new@example.org"}
    before = count_of(gate.house, AddressChange)
    refused = gate.client.post(path, data=fields)
    assert refused.status_code == 422
    assert BUSY in words_of(refused.text)
    assert count_of(gate.house, AddressChange) == before
    taken = gate.client.post(path, data={**fields, "altcha": sum_on(refused.text)})
    assert taken.status_code == 303
    assert count_of(gate.house, AddressChange) == before + 1


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_form_that_sends_mail_asks_for_a_sum_and_takes_it_once(
    gate: Door, form: Callable[[Door], tuple[str, str, dict[str, str]]]
) -> None:
    page, path, fields = form(gate)
    before = count_of(gate.house, Message)
    refused = gate.client.post(path, data=fields)
    assert refused.status_code == 422
    assert BUSY in words_of(refused.text)
    assert count_of(gate.house, Message) == before
    typed = {tag.get("name"): tag.get("value") for tag in Outline(refused.text).all("input")}
    assert typed.get("email", "ada@example.org") == "ada@example.org"
    assert typed.get("name", "Ada") == "Ada"
    taken = gate.client.post(path, data={**fields, "altcha": sum_on(refused.text)})
    assert taken.status_code == 303
    assert count_of(gate.house, Message) == before + 1
    assert (
        gate.client.post(path, data={**fields, "altcha": sum_on(refused.text)}).status_code == 422
    )
    fresh = gate.client.post(path, data={**fields, "altcha": sum_on(page)})
    assert fresh.status_code == 303, "the sum of the first page was not used up"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_without_a_script_the_page_says_kindly_what_to_do(
    gate: Door, form: Callable[[Door], tuple[str, str, dict[str, str]]]
) -> None:
    page, path, fields = form(gate)
    for shown in (page, gate.client.post(path, data=fields).text):
        assert shown.count("<noscript>") == 1
        words = words_of(shown)
        assert "This needs JavaScript, which is switched off in your browser." in words
        assert "try again in an hour or two" in words


def test_a_ticked_box_and_a_hint_survive_the_gate(gate: Door) -> None:
    _, path, fields = landing(gate)
    refused = gate.client.post(path, data={**fields, "series": "yes", "utm_source": "poster"})
    inputs = {tag.get("name"): tag for tag in Outline(refused.text).all("input")}
    assert "checked" in inputs["series"]
    assert inputs["utm_source"]["value"] == "poster"
    asked = gate.client.post(path, data={**fields, "email": "ada@gmial.com"})
    assert "Did you mean" in words_of(asked.text), "a question about the address uses up no sum"
    kept = {**fields, **hidden_fields(asked.text), "email": "ada@gmial.com", "hint": "keep"}
    refused = gate.client.post(path, data=kept)
    assert BUSY in words_of(refused.text)
    again = {**kept, **hidden_fields(refused.text), "hint": "", "altcha": sum_on(refused.text)}
    assert gate.client.post(path, data=again).status_code == 303, "it was asked about once"


def test_the_widget_comes_from_here_and_watches_nobody(gate: Door) -> None:
    page = gate.get("/")
    assert scripts(page) == ["/static/tz.js", "/static/altcha/widget.js", "/static/proof.js"]
    (widget,) = Outline(page).all("altcha-widget")
    settings = json.loads(str(widget["configuration"]))
    assert settings["humanInteractionSignature"] is False
    assert str(widget["data-worker"]).startswith("/static/altcha/pbkdf2.js?v=")
    assert not [tag for tag in Outline(page).all("script") if "src" not in tag]
    assert "style" not in widget


def test_the_page_with_its_sum_is_still_light_on_the_wire(gate: Door) -> None:
    door = open_door(gate.house)
    page = door.get("/")
    loaded = {str(tag["src"]) for tag in Outline(page).all("script")}
    loaded |= {str(tag["href"]) for tag in Outline(page).all("link") if tag["rel"] != "canonical"}
    loaded |= {f"/static/fonts/{name}.woff2" for name in ("fraunces", "source-sans-3")}
    loaded |= {str(tag["data-worker"]) for tag in Outline(page).all("altcha-widget")}
    whole = [page.encode(), *(door.client.get(url, buffered=True).data for url in loaded)]
    assert sum(len(gzip.compress(part)) for part in whole) < 150_000


def test_the_real_sum_is_solved_and_taken(house: House) -> None:
    with house.rt.sessions.begin() as session:
        front_gate.set_mode(session, ProofMode.ON, by="Dr Reyes")
    cheap = AltchaProofs(b"k" * 32, b"a" * 32, cost=1)
    gate = open_door(house, replace(open_door(house).rt, proofs=cheap))
    page, path, fields = landing(gate)
    assert gate.client.post(path, data={**fields, "altcha": "e30="}).status_code == 422
    answer = solve(sum_on(page))
    assert gate.client.post(path, data={**fields, "altcha": answer}).status_code == 303
    assert count_of(house, Subscriber) == 1


def test_the_trap_answers_as_always(gate: Door) -> None:
    _, path, fields = landing(gate)
    answer = gate.client.post(path, data={**fields, "website": "x"})
    assert answer.status_code == 303
    assert count_of(gate.house, Subscriber) == 0


def test_a_reload_of_the_refused_resend_leads_back_to_the_inbox_page(gate: Door) -> None:
    path = INBOX + gate.rt.links.seal("ada@example.org")
    answer = gate.client.get(f"{path}/resend")
    assert (answer.status_code, answer.headers["Location"]) == (303, path)


class OnceAway(sessionmaker[Session]):
    """Sessions on a database that may go away."""

    is_away = False

    def begin(self) -> AbstractContextManager[Session]:
        if self.is_away:
            raise OperationalError("SELECT 1", {}, Exception())
        return super().begin()


# --- all processes agree --------------------------------------------------------------------------


def test_every_process_knows_within_seconds(house: House) -> None:
    first, second = open_door(house), open_door(house)
    assert "altcha" not in first.get("/")
    with house.rt.sessions.begin() as session:
        front_gate.set_mode(session, ProofMode.ON, by="Dr Reyes")
    refused = second.ask()
    assert refused.status_code == 422, "a form is judged by the database, at once"
    assert sum_on(refused.text)
    house.clock.advance(timedelta(seconds=FRESH_SECONDS))
    assert sum_on(first.get("/"))


def test_while_the_database_is_away_the_page_comes_as_it_was_last_known(gate: Door) -> None:
    reading = OnceAway(gate.rt.engine)
    gate = open_door(gate.house, replace(gate.rt, reading=reading))
    assert sum_on(gate.get("/"))
    gate.house.clock.advance(timedelta(seconds=FRESH_SECONDS))
    reading.is_away = True
    assert sum_on(gate.get("/"))
