"""The bad inputs are as many as was promised, so that nobody thins them out unnoticed."""

import pytest

from tests.support.corpora import quiz, redirects, sign_up, tokens, wire

A_TOKEN = "AbCdEfGhIjKlMnOpQrStUv." + "x" * 43


@pytest.mark.parametrize(
    ("number", "cases", "floor"),
    [
        (1, sign_up.cases(), 400),
        (2, len({*tokens.MADE_UP, *tokens.spoiled(A_TOKEN, [])}), 200),
        (3, quiz.cases(), 150),
        (6, len(set(redirects.TARGETS)), 60),
        (9, len({each.raw for each in wire.ALL}), 80),
    ],
)
def test_a_corpus_is_as_large_as_promised(number: int, cases: int, floor: int) -> None:
    assert cases >= floor, f"corpus {number}"
