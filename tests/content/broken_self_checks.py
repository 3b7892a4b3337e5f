"""The shipped self-check with one thing broken: each way, and what must be told of it."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import yaml

from tests.content.samples import TEMPLATES

FILE = TEMPLATES / "self_check.yaml"
SHIPPED: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> str:
    """The shipped file with one thing changed, written out again."""
    data = deepcopy(SHIPPED)
    change(data)
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False)


def put(*place: str | int, value: object) -> Change:
    def change(data: Any) -> None:
        for step in place[:-1]:
            data = data[step]
        data[place[-1]] = value

    return change


def drop(*place: str | int) -> Change:
    def change(data: Any) -> None:
        for step in place[:-1]:
            data = data[step]
        del data[place[-1]]

    return change


def without_points(data: dict[str, Any], key: str) -> None:
    for question in data["questions"]:
        for answer in question["answers"]:
            answer.get("points", {}).pop(key, None)


def only_equal_points(data: dict[str, Any]) -> None:
    """Desk hips never get more than quiet glutes do."""
    for question in data["questions"]:
        for answer in question["answers"]:
            points = answer.get("points", {})
            if "desk-hips" in points:
                points["quiet-glutes"] = points["desk-hips"]


def twice(list_name: str) -> Change:
    return lambda data: data[list_name].append(deepcopy(data[list_name][0]))


def question(data: dict[str, Any], key: str) -> dict[str, Any]:
    return next(each for each in data["questions"] if each["key"] == key)


FIRST = ("questions", 0, "answers", 0)
BROKEN: dict[str, tuple[Change, str]] = {
    "no version": (drop("version"), "'version' is missing: add it"),
    "version in words": (put("version", value="one"), "'version' does not fit"),
    "version nought": (put("version", value=0), "'version' does not fit"),
    "version yes": (put("version", value=True), "'version' does not fit"),
    "kept for no day": (put("keep_days", value=0), "'keep_days' does not fit"),
    "kept for ever": (put("keep_days", value=731), "'keep_days' does not fit"),
    "kept for minus one day": (put("keep_days", value=-1), "'keep_days' does not fit"),
    "kept for half a day": (put("keep_days", value=0.5), "'keep_days' does not fit"),
    "kept as text": (put("keep_days", value="90"), "'keep_days' does not fit"),
    "no questions": (put("questions", value=[]), "there are 0 questions: make it 6 to 9"),
    "questions missing": (drop("questions"), "'questions' is missing"),
    "five questions": (
        lambda data: data.update(questions=data["questions"][:5]),
        "there are 5 questions: make it 6 to 9",
    ),
    "ten questions": (
        lambda data: data.update(
            questions=[deepcopy(data["questions"][n % 7]) for n in range(10)]
        ),
        "there are 10 questions: make it 6 to 9",
    ),
    "questions as text": (put("questions", value="seven"), "'questions' does not fit"),
    "questions by name": (put("questions", value={"a": 1}), "'questions' does not fit"),
    "a question that is a number": (put("questions", 0, value=7), "'questions.0' does not fit"),
    "a question that is nothing": (put("questions", 0, value=None), "'questions.0' does not fit"),
    "a question without a title": (drop("questions", 0, "title"), "title' is missing"),
    "an empty title": (put("questions", 0, "title", value="  "), "title' does not fit"),
    "a title too long": (put("questions", 0, "title", value="x" * 91), "keep it to 90"),
    "an aside too long": (put("questions", 0, "aside", value="x" * 161), "keep it to 160"),
    "a word nobody knows": (put("questions", 0, "tilte", value="x"), "'questions.0.tilte' is not"),
    "a stray part": (put("scoring", value="x"), "'scoring' is not known here: remove it"),
    "a key in capitals": (put("questions", 0, "key", value="Sitting"), "key' does not fit"),
    "a key with a path": (put("questions", 0, "key", value="../x"), "key' does not fit"),
    "a key that is a number": (put("questions", 0, "key", value=1), "key' does not fit"),
    "the same question twice": (twice("questions"), "the key 'sitting' is here twice"),
    "the same pattern twice": (twice("patterns"), "the key 'desk-hips' is here twice"),
    "the same answer twice": (put(*FIRST, "key", value="sofa"), "the key 'sofa' is here twice"),
    "one answer": (
        lambda data: data["questions"][0].update(answers=data["questions"][0]["answers"][-1:]),
        "there are 1 answers: make it 2 to 6",
    ),
    "seven answers": (
        lambda data: data["questions"][0]["answers"].extend(
            {"key": f"a{n}", "text": "x"} for n in range(3)
        ),
        "there are 7 answers: make it 2 to 6",
    ),
    "no neutral answer": (
        put("questions", 0, "answers", value=[{"key": k, "text": k, "decides": "x"} for k in "ab"]),
        "no answer is neutral",
    ),
    "only points left": (lambda d: d["questions"][1]["answers"].pop(), "no answer is neutral"),
    "an answer without text": (drop(*FIRST, "text"), "text' is missing"),
    "an answer too long": (put(*FIRST, "text", value="x" * 61), "keep it to 60"),
    "an answer in two lines": (put(*FIRST, "text", value="a\nb"), "keep this in one paragraph"),
    "an answer that is a list": (put(*FIRST, "text", value=["a"]), "text' does not fit"),
    "an answer that is unseen": (put(*FIRST, "text", value="\u200b"), "cannot be seen"),
    "an answer that turns round": (put(*FIRST, "text", value="a\u202eb"), "cannot be seen"),
    "told too long": (put(*FIRST, "told", value="x" * 111), "keep it to 110"),
    "told is empty": (put(*FIRST, "told", value=""), "told' does not fit"),
    "points for nobody": (put(*FIRST, "points", value={"hips": 1}), "there is no pattern 'hips'"),
    "no points at all": (put(*FIRST, "points", value={"desk-hips": 0}), "points.desk-hips' does"),
    "six points": (put(*FIRST, "points", value={"desk-hips": 6}), "points.desk-hips' does not fit"),
    "points taken away": (put(*FIRST, "points", value={"desk-hips": -1}), "desk-hips' does not"),
    "points that are no number": (
        put(*FIRST, "points", value={"desk-hips": math.nan}),
        "points.desk-hips' does not fit",
    ),
    "points without end": (
        put(*FIRST, "points", value={"desk-hips": math.inf}),
        "points.desk-hips' does not fit",
    ),
    "half a point": (put(*FIRST, "points", value={"desk-hips": 1.5}), "desk-hips' does not fit"),
    "points as text": (put(*FIRST, "points", value={"desk-hips": "2"}), "desk-hips' does not fit"),
    "points as yes": (put(*FIRST, "points", value={"desk-hips": True}), "desk-hips' does not fit"),
    "points as a list": (put(*FIRST, "points", value=["desk-hips"]), "points' does not fit"),
    "huge points": (put(*FIRST, "points", value={"desk-hips": 10**11}), "desk-hips' does not fit"),
    "decides for nobody": (
        put("questions", 5, "answers", 0, "decides", value="sciatica"),
        "there is no pattern 'sciatica': use one of desk-hips",
    ),
    "decides and points": (
        put("questions", 5, "answers", 0, "points", value={"one-side": 1}),
        "an answer that decides needs no points",
    ),
    "a figure nobody drew": (
        put("questions", 0, "figure", value="handstand"),
        "there is no figure 'handstand': use one of ball-release",
    ),
    "a figure of a pattern": (put("patterns", 0, "figure", value="../x"), "there is no figure"),
    "no fallback": (drop("fallback"), "'fallback' is missing"),
    "a fallback nobody knows": (put("fallback", value="other"), "there is no pattern 'other'"),
    "a fallback that is a list": (put("fallback", value=["desk-hips"]), "'fallback' does not fit"),
    "no patterns": (put("patterns", value=[]), "there are 0 patterns: make it 4 to 6"),
    "three patterns": (lambda d: d.update(patterns=d["patterns"][:3]), "there are 3 patterns"),
    "no headline": (drop("patterns", 0, "headline"), "headline' is missing"),
    "a headline too long": (put("patterns", 0, "headline", value="x" * 61), "keep it to 60"),
    "a name too long": (put("patterns", 0, "name", value="x" * 31), "keep it to 30"),
    "a lead too long": (put("patterns", 0, "lead", value="x" * 241), "keep it to 240"),
    "nothing explained": (put("patterns", 0, "explanation", value=[]), "there are 0 paragraphs"),
    "three paragraphs": (put("patterns", 0, "explanation", value=["x"] * 3), "are 3 paragraphs"),
    "a paragraph too long": (
        put("patterns", 0, "explanation", 1, value="x" * 441),
        "'patterns.0.explanation.1': this has 441 characters: keep it to 440",
    ),
    "explained in one text": (put("patterns", 0, "explanation", value="x"), "does not fit"),
    "not this, too long": (put("patterns", 0, "not_this", value="x" * 281), "keep it to 280"),
    "a note too long": (put("patterns", 0, "order_note", value="x" * 281), "keep it to 280"),
    "four techniques": (drop("patterns", 0, "order", 4), "each of the five techniques once"),
    "a technique twice": (put("patterns", 0, "order", 4, value="bridge"), "five techniques once"),
    "a technique of another": (put("patterns", 0, "order", 4, value="plank"), "techniques once"),
    "an order of numbers": (put("patterns", 0, "order", value=[1, 2, 3, 4, 5]), "does not fit"),
    "a dose for nothing": (put("patterns", 0, "doses", value={"plank": "5"}), "no technique plank"),
    "a dose too long": (put("patterns", 0, "doses", "squat", value="x" * 51), "keep it to 50"),
    "a dose as a number": (put("patterns", 0, "doses", "squat", value=5), "squat' does not fit"),
    "doses as a list": (put("patterns", 0, "doses", value=["5"]), "doses' does not fit"),
    "a pattern no answer leads to": (
        lambda data: without_points(data, "one-side"),
        "no answers lead to 'one-side': give it more points somewhere, or remove it",
    ),
    "a pattern always outrun": (only_equal_points, "no answers lead to 'desk-hips'"),
}  # fmt: skip
