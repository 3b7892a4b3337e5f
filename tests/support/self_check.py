"""Someone who walks through the self-check, screen by screen, as a browser without scripts does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from werkzeug.test import TestResponse

from funnel.domain.self_check import Question, SelfCheck
from funnel.runtime import Runtime
from tests.support.front_door import Door, Outline, UnhurriedLinks, words_of
from tests.support.house import SECRET
from tests.support.visitor import hidden_fields

HOME = "/self-check"


@dataclass
class Walker:
    """Where she is, and every answer of the server on the way."""

    door: Door
    seen: list[TestResponse] = field(default_factory=list)

    @property
    def check(self) -> SelfCheck:
        return self.door.rt.catalog.self_check

    @property
    def page(self) -> str:
        return self.seen[-1].get_data(as_text=True)

    @property
    def status(self) -> int:
        return self.seen[-1].status_code

    @property
    def words(self) -> str:
        return words_of(self.page)

    @property
    def title(self) -> str:
        return self.page.partition("<title>")[2].partition("</title>")[0]

    @property
    def sealed(self) -> str:
        return hidden_fields(self.page)["so_far"]

    def open(self, path: str = HOME) -> "Walker":
        self.seen.append(self.door.client.get(path, buffered=True))
        return self

    def post(self, path: str = HOME, **fields: str) -> "Walker":
        """Send the page at hand, with what she chose or typed."""
        form = {**hidden_fields(self.page), **fields}
        self.seen.append(self.door.client.post(path, data=form, buffered=True))
        return self

    def send(self, email: str = "ada@example.org", **fields: str) -> "Walker":
        return self.post(f"{HOME}/send", email=email, **fields)

    def pass_the_gate(self) -> "Walker":
        return self.open().post(signs="none").post(signs="none")

    def answer(self, key: str) -> "Walker":
        return self.post(answer=key, go="next")

    def back(self, **fields: str) -> "Walker":
        return self.post(go="back", **fields)

    def answer_all(self, answers: Mapping[str, str]) -> "Walker":
        """From the start to the result."""
        self.pass_the_gate()
        for question in self.check.questions:
            self.answer(answers[question.key])
        return self

    def question(self) -> Question:
        """The question on the page at hand."""
        return next(q for q in self.check.questions if f">{q.title}</h1>" in self.page)

    def checked(self) -> list[str | None]:
        """What is ticked or chosen on the page at hand."""
        return [box["value"] for box in Outline(self.page).all("input") if "checked" in box]


def answers_for(check: SelfCheck, pattern: str) -> dict[str, str]:
    """Answers that lean towards one pattern as far as they can; neutral ones for the fallback."""
    return {q.key: _answer_for(q, pattern, pattern == check.fallback) for q in check.questions}


def _answer_for(question: Question, pattern: str, is_fallback: bool) -> str:
    def weight(key: str) -> tuple[bool, int]:
        answer = next(answer for answer in question.answers if answer.key == key)
        strays = sum(answer.points.values()) + 9 * bool(answer.decides)
        if is_fallback:
            return False, -strays
        return answer.decides == pattern, 3 * answer.points.get(pattern, 0) - strays

    return max((answer.key for answer in question.answers), key=weight)


def locations(seen: list[TestResponse]) -> Iterator[str]:
    """Every address that was asked for or answered with."""
    for answer in seen:
        yield answer.request.url
        yield answer.headers.get("Location", "")


class LateLinks(UnhurriedLinks):
    """Reads what was sealed as if two hours and a second had gone by."""

    @classmethod
    def of(cls, rt: Runtime) -> "LateLinks":
        return cls(rt.settings.base_url, [SECRET])

    def unseal(self, sealed: str, max_age_seconds: int) -> str:
        return super().unseal(sealed, max_age_seconds - 2 * 60 * 60 - 1)
