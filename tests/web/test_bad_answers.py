"""Corpus S-bad-3: whatever comes instead of an answer, nothing of it is kept or acted on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from funnel.web import so_far
from funnel.web.so_far import SoFar
from tests.support.corpora import quiz
from tests.support.hostile import Siege, changed, rows, under_siege

KIND = {200, 400, 413, 422}
MARKUP = ("<script>", "<img src=x")


@pytest.fixture
def siege(
    prepared_sqlite: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Siege]:
    """Afterwards nothing was kept of anything."""
    with under_siege(prepared_sqlite, tmp_path, caplog) as begun:
        before = rows(begun.house)
        yield begun
        assert changed(before, rows(begun.house)) == {}


def state(siege: Siege, at: str = "sitting") -> str:
    return so_far.seal(siege.door.rt.links, SoFar(at, {}, {}))


def post(siege: Siege, **fields: str) -> None:
    for path in ("/self-check", "/self-check/send"):
        answer = siege.post(path, fields)
        assert answer.status_code in KIND, (path, fields)
        assert not any(part in answer.text for part in MARKUP), (path, fields)


def test_no_answer_that_was_not_offered_is_taken(siege: Siege) -> None:
    sealed = state(siege)
    for answer in [*quiz.ANSWERS, *quiz.NUMBERS]:
        post(siege, so_far=sealed, answer=answer, go="next")
        post(siege, so_far=sealed, signs=answer)


def test_no_state_that_is_not_ours_is_believed(siege: Siege) -> None:
    ours_of_another_kind = [siege.door.rt.links.seal(text) for text in quiz.FOREIGN]
    for sealed in [*quiz.SEALED, *ours_of_another_kind]:
        post(siege, so_far=sealed, answer="desk", go="next", health="yes", email="q@q.example")


def test_no_form_that_we_did_not_make_goes_further_than_a_page(siege: Siege) -> None:
    for fields in quiz.FORMS:
        post(siege, **{"so_far": state(siege), **fields})
        post(siege, **{"so_far": state(siege, so_far.RESULT), **fields})


def test_no_body_is_more_than_a_form(siege: Siege) -> None:
    for raw, kind, _ in quiz.BODIES:
        for path in ("/self-check", "/self-check/send"):
            assert siege.post(path, raw, kind).status_code in KIND, (path, raw[:80])
