"""Answers about health stay in the page: no address, log, cookie, title or mail tells them."""

import json
import logging
from dataclasses import replace

import pytest

from funnel.domain.self_check import Question, SelfCheck
from tests.support.front_door import Door, open_door
from tests.support.self_check import Walker

CANARY = "zaunkoenig"


def canaries(check: SelfCheck) -> SelfCheck:
    """The same self-check, with every key and name one that occurs nowhere else."""

    def key_of(number: int, question: Question) -> str:
        return f"{CANARY}-{number}-{question.key}"

    questions = tuple(
        replace(
            question,
            key=key_of(number, question),
            answers=tuple(
                replace(answer, key=f"{CANARY}-{place}", text=f"{CANARY} {answer.text}")
                for place, answer in enumerate(question.answers)
            ),
        )
        for number, question in enumerate(check.questions)
    )
    patterns = tuple(
        replace(pattern, name=f"{CANARY} {pattern.name}", headline=f"{CANARY}: {pattern.headline}")
        for pattern in check.patterns
    )
    return replace(check, questions=questions, patterns=patterns)


@pytest.mark.parametrize("ticks", [{}, {"health": "yes", "series": "yes"}], ids=["none", "both"])
@pytest.mark.parametrize("last", ["none", "urgent"])
def test_no_address_log_cookie_or_title_ever_tells_an_answer_or_a_pattern(
    door: Door, caplog: pytest.LogCaptureFixture, ticks: dict[str, str], last: str
) -> None:
    caplog.set_level(logging.DEBUG)
    catalog = replace(door.rt.catalog, self_check=canaries(door.rt.catalog.self_check))
    watched = open_door(door.house, replace(door.rt, catalog=catalog))
    walker = Walker(watched).pass_the_gate().answer("nothing we offered")
    for question in walker.check.questions:
        walker.answer(question.answers[0].key)
        walker.back().answer(question.answers[-1].key)
    assert CANARY in walker.page
    walker.send("ada@", **ticks).send(**ticks)
    walker.open(walker.seen[-1].headers["Location"])
    walker.open().post(signs=last)
    door.house.work()
    titles = [a.get_data(as_text=True).partition("</title>")[0] for a in walker.seen]
    told = [*titles, *(str(a.headers) + a.request.url for a in walker.seen)]
    told += [json.dumps(record.__dict__, default=str) for record in caplog.records]
    told += [mail.subject + mail.html + mail.text for mail in door.house.mailer.accepted]
    assert len(told) > 50
    assert [text for text in told if CANARY in text] == []
