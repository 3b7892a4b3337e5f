"""A sequence as it stands in its file: what may be written, and what each line means."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic.dataclasses import dataclass as checked

from funnel.content.brand import Line
from funnel.content.models import STRICT
from funnel.content.spans import ClockText, DelayText, SpanText, WeekdayText, WindowText
from funnel.domain.people import Purpose
from funnel.domain.schedule import DAYTIME
from funnel.domain.sequence import Fact

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
# What mail may be sent for: being allowed to count clicks is no reason to write.
MailPurpose = Literal[Purpose.SERIES, Purpose.HEALTH, Purpose.CHALLENGE]
Facts = frozenset[Fact]
SomeFacts = Annotated[frozenset[Fact], Field(min_length=1)]


def _weight(value: int) -> int:
    if not 1 <= value <= MAX_WEIGHT:
        raise ValueError(f"an arm weighs 1 to {MAX_WEIGHT}: change it, or remove the arm")
    return value


MAX_WEIGHT = 1000
Weight = Annotated[
    int,
    AfterValidator(_weight),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_WEIGHT}),
]


@checked(frozen=True, config=STRICT, kw_only=True)
class ConditionLines:
    """Whom something is for. Every line that is given must hold."""

    has: Facts = Field(frozenset(), description="They did all of these.")
    lacks: Facts = Field(frozenset(), description="They did none of these.")
    source: frozenset[Line] = Field(
        frozenset(), description="They came from one of these, as in ?src= of the link."
    )
    pattern: frozenset[Key] = Field(
        frozenset(), description="Their self-check led to one of these patterns."
    )
    days_done: int = Field(
        0, ge=0, le=14, description="They did at least so many days of the challenge."
    )


@checked(frozen=True, config=STRICT, kw_only=True)
class WaitLines:
    """A mail that waits until a person does something."""

    any_: SomeFacts = Field(alias="any", description="It goes once they did one of these.")
    at_most: DelayText = Field(description="How long it waits, counted from the step before.")
    or_: Literal["send", "skip"] = Field(
        "send", alias="or", description="When the wait is over: send it all the same, or skip it."
    )


@checked(frozen=True, config=STRICT, kw_only=True)
class WayLines:
    """One way on from a fork."""

    go_to: Key = Field(description="The key of a later step, which comes next.")
    if_: ConditionLines | None = Field(
        None, alias="if", description="Whom it is for. Without it: everybody else."
    )


@checked(frozen=True, config=STRICT, kw_only=True)
class StepLines:
    """One step: a mail, or a fork when it has ways."""

    key: Key = Field(description="Its name for ever: a new name is a new step.")
    after: DelayText = Field(description="How long after the step before.")
    at: ClockText | None = Field(None, description="The reader's own time of day.")
    weekdays: frozenset[WeekdayText] = Field(
        frozenset(), description="It goes on these days only; without it on every day."
    )
    window: WindowText | None = Field(
        None, description="Hours of its own in place of those of the sequence."
    )
    only_if: ConditionLines | None = Field(None, description="Whom it is for; others skip it.")
    skip_if: Facts = Field(frozenset(), description="Whoever did one of these skips it.")
    wait_for: WaitLines | None = Field(None, description="It waits until they did something.")
    expires_after: SpanText | None = Field(
        None, description="Later than this it does not go any more."
    )
    variants: dict[Key, Weight] = Field(
        default_factory=dict,
        description="Arms of a test and their weights. Each has a file of its own, step.arm.md.",
    )
    ways: tuple[WayLines, ...] = Field(
        (), max_length=20, description="A fork: the first way whose 'if' holds is taken."
    )


@checked(frozen=True, config=STRICT, kw_only=True)
class SequenceLines:
    """A sequence of mails: who enters, who leaves, and when each mail is due."""

    key: Key = Field(description="The name of its folder.")
    title: Line = Field(description="What the desk calls it.")
    purpose: MailPurpose = Field(description="The consent it needs.")
    steps: tuple[StepLines, ...] = Field(min_length=1, max_length=60)
    starts_on: Facts = Field(frozenset(), description="Whoever does one of these enters.")
    follows: Key | None = Field(
        None, description="Whoever comes to the end of that sequence enters."
    )
    exits_on: Facts = Field(frozenset(), description="Whoever does one of these leaves.")
    again_after: SpanText | None = Field(
        None,
        description="Whoever enters again so long after the end of the last time begins anew. "
        "Without it a person goes through once.",
    )
    priority: int = Field(
        0, ge=0, le=100, description="The higher goes first where two have a mail due."
    )
    min_gap: SpanText = Field(
        timedelta(hours=20),
        description="At least so long after their last mail.",
        json_schema_extra={"default": "20 hours"},
    )
    window: WindowText = Field(
        DAYTIME,
        description="The hours of the reader's day in which mail may leave.",
        json_schema_extra={"default": "08:00-20:00"},
    )
    on_closed_days: Literal["wait", "send"] = Field(
        "wait", description="On bank holidays and while the practice is away."
    )
