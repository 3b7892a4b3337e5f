"""Loads the words that are not mails: brand, safety, self-check, challenge, offers, consents,
what is kept and for how long."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.brand import Brand, Letter, Line
from funnel.content.files import read_text, shown_path
from funnel.content.findings import Findings
from funnel.content.house_rules import HouseRules
from funnel.content.models import STRICT, read_model
from funnel.content.privacy import PrivacyFacts
from funnel.content.retention import Retention
from funnel.content.self_check import read_self_check
from funnel.domain.errors import ContentInvalid
from funnel.domain.self_check import SelfCheck

Words = Annotated[str, Field(min_length=1, max_length=1_000)]
Lines = Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
FigureName = Literal[
    "stand", "rest", "bridge-start", "bridge-top", "clamshell-start", "clamshell-end",
    "hip-flexor-start", "hip-flexor-end", "figure-four-start", "figure-four-end",
    "squat-start", "squat-end", "rise", "sit", "walk", "one-side", "leg-line", "crossed-posture",
    "knees-to-chest", "pelvis-tilt-start", "pelvis-tilt-end", "side-step-start", "side-step-end",
    "ball-release", "seated-fold",
]  # fmt: skip
T = TypeVar("T")


@checked(frozen=True, config=STRICT, kw_only=True)
class Safety:
    """When to get help: the one source for guide, site and mails. Add lines, never drop one."""

    urgent_title: Line
    urgent: Annotated[tuple[Line, ...], Field(min_length=8, max_length=20)]
    urgent_note: Line
    soon_title: Line
    soon: Annotated[tuple[Line, ...], Field(min_length=9, max_length=20)]
    routine: Words
    ask_first: Words
    one_line: Line
    disclaimer: Line
    reviewed_on: date | None = None
    reviewed_by: Line | None = None


@checked(frozen=True, config=STRICT, kw_only=True)
class ChallengeDay:
    """One day: its task, its figures in order and the words around them."""

    number: Annotated[int, Field(ge=1, le=14)]
    title: Line
    exercise: Line
    phase: Letter
    minutes: Annotated[int, Field(ge=1, le=30)]
    why: Words
    figures: Annotated[tuple[FigureName, ...], Field(min_length=1, max_length=4)]
    steps: Lines
    dose: Line
    you_should_feel: Words
    stop_if: Words
    easier: Words
    done_line: Line


def _in_order(days: tuple[ChallengeDay, ...]) -> tuple[ChallengeDay, ...]:
    if [day.number for day in days] != list(range(1, len(days) + 1)):
        raise ValueError("number the days 1, 2, 3 and so on, in their order")
    return days


@checked(frozen=True, config=STRICT, kw_only=True)
class Challenge:
    """The free challenge: its promise and its days in order."""

    title: Line
    promise: Words
    days: Annotated[
        tuple[ChallengeDay, ...], Field(min_length=1, max_length=14), AfterValidator(_in_order)
    ]


@checked(frozen=True, config=STRICT, kw_only=True)
class Offer:
    """Something on offer; while its status is "waitlist" it has no price and nothing is sold."""

    title: Line
    promise: Words
    status: Literal["waitlist", "open"]
    includes: Lines
    for_whom: Lines
    not_for: Words
    waitlist_line: Line
    price_pence: Annotated[int, Field(gt=0)] | None = None
    currency: Literal["GBP"] = "GBP"

    def __post_init__(self) -> None:
        if (self.status == "open") != (self.price_pence is not None):
            raise ValueError("an open offer needs a price_pence; one on a waitlist has none")


@checked(frozen=True, config=STRICT, kw_only=True)
class _WordingFile:
    """A consent sentence as it stands in the file."""

    version: Annotated[int, Field(ge=1)]
    text: Words


@dataclass(frozen=True)
class Wording:
    """The exact sentence a person agrees to. A changed text gets a new version number."""

    key: str
    version: int
    text: str


@dataclass(frozen=True)
class Catalog:
    """All shipped words but the mails."""

    brand: Brand
    safety: Safety
    challenge: Challenge
    offers: Mapping[str, Offer]
    wordings: Mapping[str, Wording]
    self_check: SelfCheck
    house_rules: HouseRules
    privacy: PrivacyFacts
    retention: Retention


def load_catalog(root: Path) -> Catalog:
    """The catalog under a templates folder; raises ContentInvalid with every problem at once."""
    problems: list[str] = []
    brand = _load(Brand, root, "brand.yaml", problems)
    safety = _load(Safety, root, "safety.yaml", problems)
    challenge = _load(Challenge, root, "challenge.yaml", problems)
    offers = _load(dict[Key, Offer], root, "offers.yaml", problems)
    wordings = _load(dict[Key, _WordingFile], root, "wordings.yaml", problems)
    self_check = _load_self_check(root, problems)
    rules = _load(HouseRules, root, "sending.yaml", problems)
    privacy = _load(PrivacyFacts, root, "privacy.yaml", problems)
    retention = _load(Retention, root, "retention.yaml", problems)
    if not (brand and safety and challenge and self_check):
        raise ContentInvalid(tuple(problems))
    if not (rules and privacy and retention) or offers is None or wordings is None:
        raise ContentInvalid(tuple(problems))
    _refuse_another_promise(wordings, self_check)
    named = {key: Wording(key, each.version, each.text) for key, each in wordings.items()}
    return Catalog(
        brand=brand,
        safety=safety,
        challenge=challenge,
        offers=MappingProxyType(offers),
        wordings=MappingProxyType(named),
        self_check=self_check,
        house_rules=rules,
        privacy=privacy,
        retention=retention,
    )


def _refuse_another_promise(wordings: dict[str, _WordingFile], self_check: SelfCheck) -> None:
    """People agree to a sentence: it must name the days that their answers are kept."""
    promise, health = f"{self_check.keep_days} days", wordings.get("health")
    if health is None or promise not in health.text:
        problem = f'wordings.yaml: health: say "{promise}", as keep_days in self_check.yaml does'
        raise ContentInvalid((f"{problem}, and give the sentence its next version number",))


def _load(model: type[T], root: Path, name: str, problems: list[str]) -> T | None:
    return _read(root, name, problems, lambda source, found: read_model(model, source, found))


def _load_self_check(root: Path, problems: list[str]) -> SelfCheck | None:
    figures = get_args(FigureName)
    return _read(
        root,
        "self_check.yaml",
        problems,
        lambda source, found: read_self_check(source, found, figures),
    )


def _read(
    root: Path, name: str, problems: list[str], read: Callable[[str, Findings], T | None]
) -> T | None:
    found = Findings(shown_path(root, root / name))
    source = read_text(root / name, found)
    value = None if source is None else read(source, found)
    problems.extend(found.items)
    return value
