"""Fixtures every layer may use: the fence, real servers, and a fresh database on each engine.

`database_url` runs a test on SQLite and on Postgres. A test that needs only one of them says
`@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)`.
"""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from tests.support.network import fence_in
from tests.support.servers import PostgresServer, RedisServer, running_postgres, running_redis
from tests.support.sharing import share_compiled

TEMPLATE = "funnel_template"
PREPARED = "funnel_prepared"

# The same examples every time: what fails, fails for everybody. `--hypothesis-profile=explore`
# looks further.
settings.register_profile("funnel", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("funnel")


@pytest.fixture(scope="session", autouse=True)
def no_way_out() -> Iterator[None]:
    """No test reaches beyond loopback."""
    with pytest.MonkeyPatch.context() as patch:
        fence_in(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Statements and templates are compiled once for all houses of this process."""
    with pytest.MonkeyPatch.context() as patch:
        share_compiled(patch)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real Postgres server, one for each test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresServer) -> str:
    """The address of an empty Postgres database, the same for the whole session."""
    return postgres.create_database("funnel_empty")


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A real Redis server, one for each test process."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(redis: RedisServer) -> str:
    """The address of the Redis server."""
    return redis.url()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> PostgresServer:
    """The Postgres server, with a migrated database to copy."""
    from funnel.db.migrate import upgrade

    upgrade(postgres.create_database(TEMPLATE))
    return postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    from funnel.db.migrate import upgrade

    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def prepared_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy, with the shipped words published."""
    from tests.support.house import prepare_database

    folder = tmp_path_factory.mktemp("prepared")
    shutil.copy(migrated_sqlite, folder / "template.db")
    prepare_database(f"sqlite:///{folder}/template.db", folder)
    return folder / "template.db"


@pytest.fixture(scope="session")
def prepared_postgres(
    migrated_postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> PostgresServer:
    """The Postgres server, with a database to copy that has the shipped words too."""
    from tests.support.house import prepare_database

    url = migrated_postgres.create_database(PREPARED, TEMPLATE)
    prepare_database(url, tmp_path_factory.mktemp("prepared"))
    return migrated_postgres


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    """Names that were not used before."""
    return (f"funnel_{number}" for number in itertools.count(1))


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh, migrated database of this test's own.

    A whole house finds the shipped words in it; everybody else finds it empty.
    """
    is_prepared = "each_house" in request.fixturenames
    if request.param == "sqlite":
        file = request.getfixturevalue("tmp_path") / "funnel.db"
        template = "prepared_sqlite" if is_prepared else "migrated_sqlite"
        shutil.copy(request.getfixturevalue(template), file)
        yield f"sqlite:///{file}"
        return
    fixture, template = (
        ("prepared_postgres", PREPARED) if is_prepared else ("migrated_postgres", TEMPLATE)
    )
    server: PostgresServer = request.getfixturevalue(fixture)
    name = next(request.getfixturevalue("database_names"))
    yield server.create_database(name, template)
    server.drop_database(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of this test's database."""
    from funnel.db.engine import make_engine

    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions on this test's database: `with sessions.begin() as session:`."""
    from funnel.db.engine import make_sessions

    return make_sessions(engine)
