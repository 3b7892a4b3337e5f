"""The answer is the same for every address, in every standing (reliability A1, S4)."""

import itertools
import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from funnel.domain.people import SuppressionReason
from funnel.domain.proof_of_work import ProofMode
from funnel.services import front_gate, suppression
from tests.support import make
from tests.support.desk import sign_in, signed_in
from tests.support.front_door import Door, open_door
from tests.support.house import House
from tests.support.visitor import hidden_fields

NAME = "someone@example.org"  # all are as long as this one
networks = itertools.count(1)


def nothing(_: House, __: str) -> None:
    """Nobody has heard of it."""


def pending(house: House, email: str) -> None:
    make.request(house, email)


def limited(house: House, email: str) -> None:
    for _ in range(3):
        make.request(house, email)


def confirmed(house: House, email: str) -> None:
    make.confirmed(house, email)


def unsubscribed(house: House, email: str) -> None:
    make.confirmed(house, email)
    make.unsubscribed(house, email)


def suppressed(reason: SuppressionReason) -> Callable[[House, str], None]:
    def suppress(house: House, email: str) -> None:
        make.confirmed(house, email)
        with house.rt.sessions.begin() as session:
            suppression.suppress_person(
                session,
                session.merge(make.person(house, email)),
                reason,
                evidence=make.EVIDENCE,
                links=house.rt.links,
                now=house.clock.now(),
            )

    return suppress


STANDINGS = {
    "unknown": nothing,
    "pending": pending,
    "limited": limited,
    "confirmed": confirmed,
    "unsubscribed": unsubscribed,
    "bounced": suppressed(SuppressionReason.BOUNCED),
    "complained": suppressed(SuppressionReason.COMPLAINED),
}


def addresses(house: House) -> dict[str, str]:
    """One address of each standing, all of one length."""
    found = {}
    for number, (standing, bring_about) in enumerate(STANDINGS.items()):
        found[standing] = f"someon{number}@example.org"
        assert len(found[standing]) == len(NAME)
        bring_about(house, found[standing])
    return found


def seen(answer: TestResponse, email: str) -> tuple[object, ...]:
    """All that a stranger can see of an answer; where it leads, as a length: it is sealed."""
    headers = {name: value for name, value in answer.headers if name != "Location"}
    leads = len(answer.headers.get("Location", "").partition("?")[0])
    return answer.status, sorted(headers.items()), leads, blurred(answer, email)


def blurred(answer: TestResponse, email: str) -> str:
    text = answer.get_data(as_text=True).replace(email, NAME)
    return text.replace(answer.headers.get("Location", "nothing"), "there")


def network() -> dict[str, str]:
    return {"REMOTE_ADDR": f"198.51.100.{next(networks) % 250}"}


def sign_up(door: Door, email: str) -> tuple[object, ...]:
    return _asked(door, email, network())


def _asked(door: Door, email: str, network: dict[str, str]) -> tuple[object, ...]:
    fields = {**hidden_fields(door.get("/")), "email": email}
    answer = door.client.post("/signup", data=fields, environ_overrides=network)
    inbox = answer.headers.get("Location")
    page = blurred(door.client.get(inbox), email) if inbox else ""
    return *seen(answer, email), _without_sealed(page)


def resend(door: Door, email: str) -> tuple[object, ...]:
    path = f"/check-your-inbox/{door.rt.links.seal(email)}"
    answer = door.client.post(f"{path}/resend", data={}, environ_overrides=network())
    return answer.status, len(answer.headers.get("Location", "")), _without_sealed(answer.text)


def ask_for_link(door: Door, email: str) -> tuple[object, ...]:
    fields = {**hidden_fields(door.get("/challenge")), "email": email}
    answer = door.client.post("/challenge", data=fields, environ_overrides=network())
    return *seen(answer, email), answer.headers.get("Location")


def _without_sealed(page: str) -> str:
    """The page without what is sealed anew each time."""
    return "".join(line for line in page.splitlines() if "/check-your-inbox/" not in line)


@pytest.mark.parametrize("ask", [sign_up, resend, ask_for_link], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("mode", [ProofMode.OFF, ProofMode.ON])
def test_every_address_gets_the_same_answer(
    door: Door, ask: Callable[[Door, str], tuple[object, ...]], mode: ProofMode
) -> None:
    known = addresses(door.house)
    with door.house.rt.sessions.begin() as session:
        front_gate.set_mode(session, mode, by="Dr Reyes")
    stamps = hidden_fields(door.get("/"))["stamp"]
    answers = {standing: ask(door, email) for standing, email in known.items()}
    expected = answers["unknown"]
    for standing, answer in answers.items():
        assert _even(answer, stamps) == _even(expected, stamps), standing


def _even(answer: tuple[object, ...], stamp: str) -> tuple[object, ...]:
    """Sums are drawn anew for each page; stamps tell the time of day."""
    return tuple(_no_sum(part).replace(stamp, "") if isinstance(part, str) else part
                 for part in answer)  # fmt: skip


def _no_sum(text: str) -> str:
    return "".join(line for line in text.splitlines() if "altcha-widget" not in line)


def test_whoever_asks_too_often_gets_the_same_answer_too(door: Door) -> None:
    stamps = hidden_fields(door.get("/"))["stamp"]
    here = {"REMOTE_ADDR": "203.0.113.7"}
    answers = [
        _even(_asked(door, f"someo{number:02}@example.org", here), stamps) for number in range(25)
    ]
    assert all(answer == answers[0] for answer in answers)


def test_signing_in_does_not_tell_who_has_an_account(house: House) -> None:
    signed_in(house)
    stranger = open_door(house).client
    addresses = ("reyes@example.org", "nobody@example.org", "", "no address", "x" * 5_000)
    found = [sign_in(stranger, "wrong", email=each) for each in addresses]
    pages = {re.sub(r'value="[^"]*"', "", answer.text) for answer in found}
    assert {answer.status_code for answer in found} == {found[0].status_code}
    assert len(pages) == 1
