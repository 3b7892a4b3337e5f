"""Reads who is rehearsed and what she does: two small files, with every problem at once."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.brand import Line
from funnel.content.files import read_text
from funnel.content.findings import Findings
from funnel.content.models import STRICT, check, read_model
from funnel.content.yaml_source import Document, read_yaml
from funnel.domain.errors import ContentInvalid
from funnel.domain.rehearsal import Cue, Deed, Sample
from funnel.domain.self_check import SelfCheck

PEOPLE = Path("rehearsal", "people")
USUAL_SCRIPT = Path("rehearsal", "usual.yaml")
MAX_CUES = 200
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SPAN = re.compile(r"(?:(\d{1,3}) days?)?\s*(?:(\d{1,4}) hours?)?\s*(?:(\d{1,5}) minutes?)?")


def _clock(value: object) -> time:
    read = _CLOCK.fullmatch(str(value))
    if read is None:
        raise ValueError('write a time of day as in "18:30", in quotes')
    return time(int(read[1]), int(read[2]))


def _moment(value: object) -> datetime:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M")  # noqa: DTZ007 - her own wall time
    except ValueError:
        raise ValueError("write a moment as in 2027-03-24 19:00, her own time") from None


def _span(value: object) -> timedelta:
    read = _SPAN.fullmatch(str(value).strip())
    if read is None or not any(read.groups()):
        raise ValueError("write a wait as in '3 hours', '2 days' or '1 day 30 minutes'")
    days, hours, minutes = (int(part or 0) for part in read.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


@checked(frozen=True, config=STRICT, kw_only=True)
class _SampleFile:
    """A sample as it stands in the file."""

    name: Line | None = None
    about: Line
    email: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,40}@example\.(?:org|com|net)$")]
    time_zone: Line | None = None
    asks_at: Annotated[time, BeforeValidator(_clock)] = time(18, 30)
    wants_series: bool = True
    keeps_answers: bool = False
    source: Line = "direct"
    answers: dict[str, str] = Field(default_factory=dict)


@checked(frozen=True, config=STRICT, kw_only=True)
class _CueLines:
    """One line of a script as it stands in the file."""

    do: Deed
    on: Annotated[datetime, BeforeValidator(_moment)] | None = None
    after_mail: str | None = None
    after: Deed | None = None
    wait: Annotated[timedelta, BeforeValidator(_span)] | None = None
    day: Annotated[int, Field(ge=1, le=14)] | None = None
    series: Literal["on", "off"] = "on"
    challenge: Literal["on", "off"] = "on"


def sample_names(root: Path) -> list[str]:
    """The names of the people that can be rehearsed."""
    return sorted(path.stem for path in (root / PEOPLE).glob("*.yaml"))


def load_sample(root: Path, name: str, self_check: SelfCheck) -> Sample:
    """An invented person by name; raises ContentInvalid with every problem."""
    if name not in sample_names(root):
        known = ", ".join(sample_names(root)) or "none"
        raise ContentInvalid((f"there is nobody called '{name}' to rehearse; there are: {known}",))
    path = root / PEOPLE / f"{name}.yaml"
    found = Findings((Path(root.name) / PEOPLE / path.name).as_posix())
    source = read_text(path, found)
    read = None if source is None else read_model(_SampleFile, source, found)
    if read is not None:
        _check_answers(read.answers, self_check, found)
    if read is None or found.items:
        raise ContentInvalid(found.items)
    return Sample(
        key=name,
        name=read.name,
        about=read.about,
        email=read.email,
        time_zone=read.time_zone,
        asks_at=read.asks_at,
        wants_series=read.wants_series,
        keeps_answers=read.keeps_answers,
        source=read.source,
        answers=read.answers,
    )


def _check_answers(answers: Mapping[str, str], self_check: SelfCheck, found: Findings) -> None:
    known = {
        question.key: [each.key for each in question.answers] for question in self_check.questions
    }
    for question, answer in answers.items():
        if question not in known:
            found.add(1, f"the self-check asks nothing called '{question}'")
        elif answer not in known[question]:
            choices = ", ".join(known[question])
            found.add(1, f"'{answer}' is no answer to '{question}': choose one of {choices}")
    missing = sorted(known.keys() - answers.keys())
    if answers and missing:
        found.add(1, f"answer the whole self-check or none of it: {', '.join(missing)} is missing")


def load_script(path: Path, mails: Collection[str]) -> tuple[Cue, ...]:
    """A script from a file of hers; raises ContentInvalid with every problem at once."""
    found = Findings(path.name)
    source = read_text(path, found)
    if source is None:
        raise ContentInvalid(found.items)
    return parse_script(source, path.name, mails)


def usual_script(root: Path, mails: Collection[str]) -> tuple[Cue, ...]:
    """What she does when nobody says so: of the shipped script what fits these mails."""
    path = root / USUAL_SCRIPT
    found = Findings(path.name)
    source = read_text(path, found)
    cues = _cues(source, found) if source is not None else ()
    if found.items:
        raise ContentInvalid(found.items)
    return tuple(cue for cue in cues if cue.after_mail is None or cue.after_mail in mails)


def parse_script(source: str, where: str, mails: Collection[str]) -> tuple[Cue, ...]:
    """The cues of a script, in its order; `mails` are the keys of all mails there are."""
    found = Findings(where)
    cues = _cues(source, found, mails)
    if found.items:
        raise ContentInvalid(found.items)
    return cues


def _cues(source: str, found: Findings, mails: Collection[str] | None = None) -> tuple[Cue, ...]:
    document = read_yaml(source, found)
    if document is None:
        return ()
    if not isinstance(document.value, list) or len(document.value) > MAX_CUES:
        found.add(1, f"a script is a list of up to {MAX_CUES} lines, each beginning with a dash")
        return ()
    lines = check(tuple[_CueLines, ...], document, found) or ()
    for number, line in enumerate(lines):
        _check_cue(line, document.line((number,)), mails, found)
    _check_order(lines, document, found)
    return tuple(_cue(line) for line in lines)


def _check_cue(line: _CueLines, at: int, mails: Collection[str] | None, found: Findings) -> None:
    whens = [each for each in (line.on, line.after_mail, line.after) if each is not None]
    if len(whens) != 1 and line.do is not Deed.LEAVE_UNCONFIRMED:
        found.add(at, "say when in one way: on, after_mail or after")
    if line.on is not None and line.wait is not None:
        found.add(at, "a wait belongs to after_mail or after; with on, write the moment itself")
    if (line.do is Deed.TICK) != (line.day is not None):
        found.add(at, "'do: tick' needs the day, as in 'day: 1'; nothing else has one")
    if mails is not None and line.after_mail is not None and line.after_mail not in mails:
        close = get_close_matches(line.after_mail, mails, 1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        found.add(at, f"there is no mail '{line.after_mail}'{hint}")


def _check_order(lines: tuple[_CueLines, ...], document: Document, found: Findings) -> None:
    """What she does after something else must come after it in the script as well."""
    done = {Deed.CONFIRM}
    for number, line in enumerate(lines):
        if line.after is not None and line.after not in done:
            at = document.line((number, "after"))
            found.add(at, f"nothing above says 'do: {line.after}': write that line first")
        done.add(line.do)


def _cue(line: _CueLines) -> Cue:
    return Cue(
        do=line.do,
        on=line.on,
        after_mail=line.after_mail,
        after=line.after,
        wait=line.wait or timedelta(0),
        day=line.day or 0,
        series=line.series == "on",
        challenge=line.challenge == "on",
    )
