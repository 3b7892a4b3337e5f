"""Who is rehearsed and what she does: good files are read, bad ones refused by line."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from funnel.content.catalog import load_catalog
from funnel.content.rehearsal import load_sample, parse_script, sample_names, usual_script
from funnel.content.shipped import shipped_texts
from funnel.domain.errors import ContentInvalid
from funnel.domain.rehearsal import Cue, Deed
from funnel.domain.self_check import SelfCheck

ROOT = Path("templates")
MAILS = {"service/confirm", "nurture/why-hips"}


@pytest.fixture(scope="module")
def self_check() -> SelfCheck:
    return load_catalog(ROOT).self_check


def _problems(script: str) -> tuple[str, ...]:
    with pytest.raises(ContentInvalid) as refused:
        parse_script(script, "clicks.yaml", MAILS)
    return refused.value.findings


def test_a_script_says_what_she_does_and_when() -> None:
    script = """
- after_mail: nurture/why-hips
  wait: 1 day 3 hours
  do: join
- after: join
  wait: 90 minutes
  do: tick
  day: 1
- on: 2027-03-24 19:00
  do: choose
  series: off
"""
    assert parse_script(script, "clicks.yaml", MAILS) == (
        Cue(Deed.JOIN, after_mail="nurture/why-hips", wait=timedelta(hours=27)),
        Cue(Deed.TICK, after=Deed.JOIN, wait=timedelta(minutes=90), day=1),
        Cue(Deed.CHOOSE, on=datetime.fromisoformat("2027-03-24T19:00"), series=False),
    )


def test_every_problem_of_a_script_is_told_at_once_with_its_line() -> None:
    script = """- after_mail: nurture/why-hip
  do: join
- do: unsubscribe
- on: 24 March
  do: buy
- after_mail: service/confirm
  do: tick
- after: waitlist
  do: buy
"""
    assert _problems(script.replace("24 March", "2027-03-24 19:00")) == (
        "clicks.yaml:1: there is no mail 'nurture/why-hip'; did you mean 'nurture/why-hips'?",
        "clicks.yaml:3: say when in one way: on, after_mail or after",
        "clicks.yaml:6: 'do: tick' needs the day, as in 'day: 1'; nothing else has one",
        "clicks.yaml:8: nothing above says 'do: waitlist': write that line first",
    )
    assert _problems(script) == (
        "clicks.yaml:4: '2.on': write a moment as in 2027-03-24 19:00, her own time",
    )


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("do: join", "a script is a list"),
        ("- do: dance\n  on: 2027-03-24 19:00", "'0.do' must be one of"),
        ("- do: join\n  after_mail: service/confirm\n  wait: soon", "write a wait as in '3 hours'"),
        ("- do: join\n  on: 2027-03-24 19:00\n  wait: 3 hours", "a wait belongs to after_mail"),
        ("- do: join\n  on: 2027-03-24 19:00\n  after: confirm", "say when in one way"),
        ("- do: join\n  when: later", "'0.when' is not known here"),
        ("- &a do: join", "anchors and aliases"),
        ("- do: [join", "not readable YAML"),
    ],
)
def test_a_bad_script_is_refused_in_kind_words(script: str, problem: str) -> None:
    assert problem in "\n".join(_problems(script))


def test_the_usual_script_fits_every_shipped_mail_and_leaves_out_what_is_not_there() -> None:
    shipped = {text.key for text in shipped_texts(ROOT) if text.kind == "mail"}
    named = [cue.after_mail for cue in usual_script(ROOT, shipped) if cue.after_mail]
    assert len(named) == 9
    assert [cue.after_mail for cue in usual_script(ROOT, MAILS) if cue.after_mail] == [
        "service/confirm"
    ]


def test_every_shipped_sample_can_be_rehearsed(self_check: SelfCheck) -> None:
    samples = [load_sample(ROOT, name, self_check) for name in sample_names(ROOT)]
    assert [sample.key for sample in samples] == ["ada", "ben", "grace", "rose"]
    assert {sample.time_zone for sample in samples} == {
        None,
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
    }


def test_somebody_unknown_is_refused_with_the_names_there_are(self_check: SelfCheck) -> None:
    with pytest.raises(ContentInvalid, match="there are: ada, ben, grace, rose"):
        load_sample(ROOT, "../ada", self_check)


def test_a_sample_whose_answers_fit_no_question_is_refused(
    tmp_path: Path, self_check: SelfCheck
) -> None:
    folder = tmp_path / "rehearsal" / "people"
    folder.mkdir(parents=True)
    (folder / "eve.yaml").write_text(
        "about: Someone.\nemail: eve@example.org\nanswers: {sitting: flying, shoes: red}\n"
    )
    with pytest.raises(ContentInvalid) as refused:
        load_sample(tmp_path, "eve", self_check)
    told = str(refused.value)
    assert "'flying' is no answer to 'sitting'" in told
    assert "the self-check asks nothing called 'shoes'" in told
    assert "answer the whole self-check or none of it" in told
