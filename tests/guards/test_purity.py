"""The domain is plain Python over values, and time is an argument everywhere."""

import re
import sys

import pytest

from tests.support import repo

READS_THE_CLOCK = re.compile(
    r"^(datetime\.|dt\.)?(datetime|date)\.(now|utcnow|today)$"
    r"|^time\.(time|time_ns|localtime|gmtime|ctime)$"
    r"|^(sa\.|sqlalchemy\.)?func\.(now|current_timestamp)$"
)
PROBES = ("datetime.now", "dt.date.today", "datetime.datetime.utcnow", "time.time", "func.now")
DOES_THINGS = frozenset(
    {"asyncio", "http", "logging", "os", "shutil", "socket", "sqlite3", "subprocess", "tempfile"}
)
CLOCK_ADAPTERS = "funnel/adapters/clock"


def test_the_domain_imports_the_standard_library_only() -> None:
    outside = [
        f"{module.path}: {name}"
        for module in repo.modules("funnel/domain/")
        for name in module.imports()
        if not name.startswith("funnel.domain")
        and name.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert not outside


def test_the_domain_does_nothing_but_think() -> None:
    found = [
        f"{module.path}: {name}"
        for module in repo.modules("funnel/domain/")
        for name in module.imports()
        if name.partition(".")[0] in DOES_THINGS
    ]
    assert not found


@pytest.mark.parametrize("written", PROBES)
def test_every_way_to_read_the_clock_is_known(written: str) -> None:
    assert READS_THE_CLOCK.search(written)


def test_only_the_clock_adapters_read_the_clock() -> None:
    read = [
        f"{module.path}:{line}: {call}"
        for module in repo.modules()
        for call, line in module.calls()
        if READS_THE_CLOCK.search(call) and not module.path.startswith(CLOCK_ADAPTERS)
    ]
    assert not read, "take `now` as an argument, or ask rt.clock"


def test_nothing_imports_the_front_doors() -> None:
    doors = {"worker", "wsgi", "tests", "bench"}
    found = [
        f"{module.path}: {name}"
        for module in repo.modules("funnel/", "blueprint/")
        for name in module.imports()
        if name.partition(".")[0] in doors
    ]
    assert not found


def test_the_front_doors_are_three_lines() -> None:
    doors = repo.modules("wsgi.py", "worker.py")
    assert [door.path for door in doors] == ["worker.py", "wsgi.py"]
    assert [door.path for door in doors if len(door.tree.body) > 8] == []
