"""`funnel content`: what is live is shown, and new versions are previewed and published."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from funnel.cli.content import content
from funnel.cli.migrate import migrate
from funnel.domain.errors import ContentInvalid, NotFound
from funnel.settings import Settings
from tests.support import make
from tests.support.editing import mail_source, sequence_source
from tests.support.front_door import copy_database
from tests.support.house import SECRET, House, open_house

pytestmark = pytest.mark.usefixtures("house")
NEW = "  - key: new\n    after: 1 hour\n"
PLAN = sequence_source("short", "one: 1 day", "two: 2 days")


@pytest.fixture
def house(
    prepared_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    url = copy_database(prepared_sqlite, tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("MAIL_URL", f"mailbox://{tmp_path}/mailbox")
    monkeypatch.setenv("STORAGE_URL", f"file://{tmp_path}/guides")
    with open_house(url, tmp_path) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of one sequence, as somebody writes it."""
    made = tmp_path / "short"
    made.mkdir()
    (made / "sequence.yaml").write_text(PLAN)
    (made / "01-one.md").write_text(mail_source("The first one"))
    (made / "02-two.md").write_text(mail_source("The second one"))
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(content, words, catch_exceptions=False)


def test_a_folder_is_previewed_published_shown_and_taken_back(folder: Path) -> None:
    told = run("preview", str(folder))
    assert "“The short one” is a new sequence" in told.output
    done = run("publish", str(folder), "--yes")
    assert "Published sequence short, version 1." in done.output
    assert run("show", "short").output == PLAN
    (folder / "01-one.md").write_text(mail_source("A better first"))
    again = run("publish", str(folder / "01-one.md"), "--yes")
    assert "“A better first” has new words" in again.output
    assert run("show", "short/one", "--version", "1").output == mail_source("The first one")
    back = run("back", "short/one", "1", "--yes")
    assert "Published mail short/one, version 3." in back.output
    assert run("history", "short/one").output.count("version") == 3
    assert "short/one" in run("list").output


def test_a_preview_as_json_holds_sentences_and_choices(folder: Path) -> None:
    told = json.loads(run("preview", str(folder), "--json").output)
    assert told["choices"] == []
    assert told["sentences"][0].startswith("“The short one” is a new sequence")


def test_a_no_publishes_nothing(folder: Path) -> None:
    refused = CliRunner().invoke(content, ["publish", str(folder)], input="n\n")
    assert refused.exit_code == 1
    with pytest.raises(NotFound, match="no text “short”"):
        run("history", "short")


def test_problems_are_told_with_their_lines(folder: Path) -> None:
    (folder / "sequence.yaml").write_text(PLAN.replace("2 days", "soon"))
    with pytest.raises(ContentInvalid, match=r"short/sequence\.yaml:10: "):
        run("preview", str(folder))


def test_a_step_for_those_past_it_may_be_named_without_its_one_sequence(
    house: House, folder: Path
) -> None:
    run("publish", str(folder), "--yes")
    make.confirmed(house)
    house.hop(timedelta(days=1, hours=1))
    (folder / "sequence.yaml").write_text(PLAN.replace("  - key: one", f"{NEW}  - key: one"))
    (folder / "03-new.md").write_text(mail_source("A new one"))
    done = run("publish", str(folder), "--yes", "--include-past", "new")
    assert "short/new goes to 1 who were past it." in done.output


def test_a_migration_names_what_it_published_and_what_it_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(Settings.templates_path, templates)
    monkeypatch.setenv("TEMPLATES_PATH", str(templates))
    one, two = sorted((templates / "sequences" / "nurture").glob("0[12]-*.md"))
    for each in (one, two):
        each.write_text(each.read_text() + "\nOne more line.\n")
    told = CliRunner().invoke(migrate, catch_exceptions=False).output
    assert "Published mail nurture/one-technique, version 2." in told
    assert "Left alone" not in told
    two.write_text(two.read_text() + "\nAnd another.\n")
    run("publish", str(two), "--yes")
    two.write_text(two.read_text() + "\nAnd a last one.\n")
    told = CliRunner().invoke(migrate, catch_exceptions=False).output
    assert "Published" not in told
    assert "mail nurture/why-hips was published by hand since." in told
    assert "funnel content publish" in told
