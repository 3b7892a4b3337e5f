"""Migrations form one line, numbered in order, and go forward only."""

from pathlib import Path

from alembic.script import ScriptDirectory

from funnel.db.migrate import config_for


def test_there_is_one_newest_migration() -> None:
    assert len(_scripts().get_heads()) == 1


def test_migrations_are_numbered_in_the_order_they_run() -> None:
    revisions = reversed(list(_scripts().walk_revisions()))
    numbers = [Path(revision.path).name.partition("_")[0] for revision in revisions]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_no_migration_pretends_to_go_back() -> None:
    revisions = list(_scripts().walk_revisions())
    assert [r.revision for r in revisions if hasattr(r.module, "downgrade")] == []


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config_for("sqlite://"))
