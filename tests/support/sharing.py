"""What is compiled once and used by every house of a test process: statements and templates.

An application compiles each of them once in its life. A test process opens thousands of houses,
and would spend a third of its time on doing it again.
"""

from typing import Any

import jinja2
import pytest
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine, create_engine

import funnel.db.engine

_engines: dict[str, Engine] = {}


class _Compiled(BytecodeCache):
    """The code of each template, for as long as its source is the same."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_compiled = _Compiled()


def share_compiled(patch: pytest.MonkeyPatch) -> None:
    """Let every engine of one kind share its statements, and all environments their templates."""
    patch.setattr(funnel.db.engine, "create_engine", _engine)
    make = jinja2.Environment.__init__

    def init(self: jinja2.Environment, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        self.bytecode_cache = self.bytecode_cache or _compiled

    patch.setattr(jinja2.Environment, "__init__", init)


def _engine(*args: Any, **options: Any) -> Engine:
    """An engine that speaks by the dialect of the first of its kind, once that has connected."""
    made = create_engine(*args, **options)
    first = _engines.setdefault(f"{made.name}+{made.driver}", made)
    if getattr(first.dialect, "server_version_info", None) is None:
        _engines[f"{made.name}+{made.driver}"] = made
    elif first is not made:
        made.dialect = first.dialect
        made._compiled_cache = first._compiled_cache
    return made
