"""A fuzzer at the doors of machines: what fits their description, and what does not."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from funnel.links import LinkPurpose
from tests.fuzz.crowd import Errors
from tests.support import make
from tests.support.front_door import open_door
from tests.support.house import House, open_house

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.yaml"
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.sampled_from(["event", "email"]), each),
    max_leaves=8,
)
LISTS = st.lists(ANYTHING, min_size=1, max_size=4)


class OpenVerifier:
    """Takes every webhook for signed, so that the fuzzer comes past the signature."""

    def verify(
        self, raw: bytes, signature: str | None, timestamp: str | None, now: datetime
    ) -> None:
        """All may pass."""


@dataclass(frozen=True)
class Doors:
    """A house in which Ada lives, seen by machines, and what went wrong there."""

    house: House
    app: Any
    token: str
    errors: Errors


def description() -> dict[str, Any]:
    """The described doors."""
    read: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return read


@contextmanager
def open_doors(*, signed: bool) -> Iterator[Doors]:
    """`signed` lets every webhook in; otherwise each is refused at the signature."""
    errors, log = Errors(), logging.getLogger("funnel")
    log.addHandler(errors)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_house(f"sqlite:///{folder}/funnel.db", Path(folder)) as house,
    ):
        ada = make.confirmed(house)
        token = house.rt.links.token(LinkPurpose.UNSUBSCRIBE, ada.subscriber_handle)
        rt = replace(house.rt, verifier=OpenVerifier()) if signed else house.rt
        try:
            yield Doors(house, open_door(house, rt).client.application, token, errors)
        finally:
            log.removeHandler(errors)


def knock(doors: Doors, times: int, number: int | None = None) -> int:
    """Post `times` requests of each kind to each door; returns how many were posted."""
    schema = schemathesis.openapi.from_dict(description())
    schema.app = doors.app
    knocked = 0
    for operation in map(_read, schema.get_all_operations()):
        for cases in _kinds(operation, doors.token):
            knocked += _try(cases, times, number)
            doors.house.rt.worker.mail_round()
    return knocked


def _read(found: Any) -> Any:
    return found.ok()


def _kinds(operation: Any, token: str) -> Iterator[Any]:
    """What fits the description, and what does not; for the latter Ada's own link is pressed."""
    yield operation.as_strategy(GenerationMode.POSITIVE)
    if operation.body:  # where nothing is described, nothing is wrong
        hers = {"path_parameters": {"token": token}} if "{token}" in operation.path else {}
        yield operation.as_strategy(GenerationMode.NEGATIVE, **hers)
    if any(each.media_type == "application/json" for each in operation.body):
        yield st.builds(_carry, operation.as_strategy(GenerationMode.POSITIVE), LISTS)


def _carry(case: Case[Any], body: Any) -> Case[Any]:
    case.body = body
    return case


def _try(cases: Any, times: int, number: int | None) -> int:
    knocked = 0

    @settings(
        max_examples=times,
        derandomize=number is None,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def each(case: Case[Any]) -> None:
        nonlocal knocked
        knocked += 1
        case.call_and_validate(checks=CHECKS)

    (each if number is None else seed(number)(each))()
    return knocked
