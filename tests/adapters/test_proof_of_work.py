"""The proof of work: ours, right, and in time, or it is none."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha
import pytest

from funnel.adapters.proof_of_work import COST, FEWEST, MOST, AltchaProofs
from tests.support.proofs import solve

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
PROOFS = AltchaProofs(b"k" * 32, b"a" * 32, cost=1)
OTHER = AltchaProofs(b"x" * 32, b"y" * 32)


@pytest.fixture(scope="module")
def sum_() -> str:
    return PROOFS.challenge(LATER)


@pytest.fixture(scope="module")
def answer(sum_: str) -> str:
    return solve(sum_)


def changed(answer: str, *place: str, value: object) -> str:
    """The answer with one thing in it replaced."""
    whole: dict[str, Any] = json.loads(base64.b64decode(answer))
    inside = whole
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = value
    return base64.b64encode(json.dumps(whole).encode()).decode()


def test_a_solved_sum_is_known_by_a_name_of_its_own(sum_: str, answer: str) -> None:
    name = PROOFS.solved(answer, NOW)
    assert name == PROOFS.solved(answer, NOW + timedelta(hours=1))
    assert name
    assert name != PROOFS.solved(solve(PROOFS.challenge(LATER)), NOW)
    assert name in sum_


def test_a_sum_that_ran_out_counts_no_more(answer: str) -> None:
    assert PROOFS.solved(answer, LATER - timedelta(seconds=1))
    assert PROOFS.solved(answer, LATER) is None


def test_anothers_sum_is_none_of_ours(answer: str) -> None:
    assert OTHER.solved(answer, NOW) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("challenge", "parameters", "data"), {"until": 9_999_999_999}),
        (("challenge", "parameters", "cost"), 0),
        (("challenge", "parameters", "keyPrefix"), ""),
        (("challenge", "parameters", "keySignature"), ""),
        (("challenge", "parameters", "keySignature"), None),
        (("challenge", "signature"), "00" * 32),
        (("challenge", "signature"), None),
        (("challenge", "signature"), ["a"]),
        (("solution", "derivedKey"), "00" * 32),
        (("solution", "derivedKey"), 7),
    ],
    ids=str,
)
def test_whatever_is_tampered_with_is_refused(
    answer: str, place: tuple[str, ...], value: object
) -> None:
    assert PROOFS.solved(changed(answer, *place, value=value), NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "é", "e30=", "bnVsbA==", "W10=", "\x00" * 9, "=" * 5000, "[" * 4000,
        base64.b64encode(b"[" * 2000).decode(),
        base64.b64encode(b'{"challenge":' * 200 + b"1" + b"}" * 200).decode(),
        base64.b64encode(b'{"challenge":{"parameters":{}},"solution":{}}').decode(),
        base64.b64encode(b'{"challenge":null,"solution":null}').decode(),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_what_is_no_answer_at_all_breaks_nothing(text: str) -> None:
    assert PROOFS.solved(text, NOW) is None


def test_another_spelling_of_an_answer_is_the_same_answer(answer: str) -> None:
    spaced = json.dumps(json.loads(base64.b64decode(answer)), indent=1)
    again = base64.b64encode(spaced.encode()).decode()
    assert again != answer
    assert PROOFS.solved(again, NOW) == PROOFS.solved(answer, NOW)


def test_a_sum_costs_a_browser_its_tries_and_us_one() -> None:
    made = json.loads(PROOFS.challenge(LATER))
    found = altcha.solve_challenge(altcha.Challenge.from_dict(made))
    assert found is not None
    assert FEWEST <= found.counter < MOST


def test_a_try_is_dear_where_nobody_asks_for_less() -> None:
    made = json.loads(AltchaProofs(b"k" * 32, b"a" * 32).challenge(LATER))["parameters"]
    assert (made["algorithm"], made["cost"]) == ("PBKDF2/SHA-256", COST)
