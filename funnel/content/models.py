"""Checks plain values against a model and tells every problem in plain words, with its line."""

from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from funnel.content.findings import Findings
from funnel.content.yaml_source import Document, read_yaml

STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=4_000)
T = TypeVar("T")


def read_model(model: type[T], source: str, found: Findings, first_line: int = 1) -> T | None:
    """The model in a YAML source; None when there are problems, which go into `found`."""
    before = len(found.items)
    document = read_yaml(source, found, first_line)
    if document is None:
        return None
    value = check(model, document, found)
    return value if len(found.items) == before else None


def check(model: type[T], document: Document, found: Findings) -> T | None:
    """The model made of a document's values; None when they do not fit."""
    value = {} if document.value is None else document.value
    try:
        checked = TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        for detail in _causes(error.errors(include_url=False)):
            found.add(document.line(detail["loc"]), explain(detail))
        return None
    return checked


def _causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """The problems without those that only follow from others: a list is told to be too short
    when none of its items fits."""
    return [
        each
        for each in details
        if each["type"] != "too_short"
        or not any(_is_inside(other["loc"], each["loc"]) for other in details)
    ]


def _is_inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def explain(detail: ErrorDetails) -> str:
    """One problem in plain words: what is wrong and how to mend it."""
    field = ".".join(str(part) for part in detail["loc"]) or "the file"
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return f"'{field}' is missing: add it"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"'{field}' is not known here: remove it or check its spelling"
        case "enum" | "literal_error":
            return f"'{field}' must be one of {context.get('expected')}, not {_shown(detail)}"
        case "value_error":
            return f"'{field}': {context.get('error')}"
        case _:
            reason = detail["msg"][:1].lower() + detail["msg"][1:]
            return f"'{field}' does not fit: {reason}; it is {_shown(detail)}"


def _shown(detail: ErrorDetails) -> str:
    text = repr(detail["input"])
    return text if len(text) <= 60 else f"{text[:57]}..."
