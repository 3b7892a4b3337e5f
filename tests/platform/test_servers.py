"""The servers and fixtures the other tests stand on."""

import socket
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.orm import Session, sessionmaker

from tests.support import servers
from tests.support.network import ReachedOutside
from tests.support.servers import ServerBroken, ServerMissing, running_postgres, running_redis


@pytest.mark.processes
def test_postgres_survives_a_kill_and_starts_again_with_its_rows() -> None:
    with running_postgres() as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('still here')")
        server.kill()
        server.start()
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("still here",)


@pytest.mark.processes
def test_servers_leave_neither_process_nor_folder_behind() -> None:
    with running_redis() as redis, running_postgres() as postgres:
        processes = [redis.process, postgres.process]
        folders = [redis.folder, postgres.folder]
    assert [process.returncode is None for process in processes if process] == [False, False]
    assert not any(folder.exists() for folder in folders)


@pytest.mark.processes
def test_a_server_that_cannot_start_says_why() -> None:
    with running_redis() as redis:
        rival = servers.RedisServer(redis.command, redis.folder, redis.port, lambda _port: False)
        with pytest.raises(ServerBroken, match="already in use"):
            rival.start()


def test_a_missing_server_fails_with_the_line_to_type() -> None:
    with pytest.raises(ServerMissing, match="apt-get install no-such-package"):
        servers.find_binary("no-such-server", "no-such-package")


def test_each_engine_gives_a_migrated_and_empty_database(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    tables = inspect(engine).get_table_names()
    assert "alembic_version" in tables
    with sessions.begin() as session:
        version = session.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    assert len(version) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_engine_can_be_asked_for(database_url: str, tmp_path: Path) -> None:
    assert database_url == f"sqlite:///{tmp_path}/funnel.db"


def test_redis_answers(redis_url: str) -> None:
    from redis import Redis

    with Redis.from_url(redis_url) as client:
        assert client.ping()


@pytest.mark.parametrize("address", [("192.0.2.1", 25), ("example.org", 80), ("2001:db8::1", 443)])
def test_no_connection_leaves_this_machine(address: tuple[str, int]) -> None:
    with pytest.raises(ReachedOutside):
        socket.create_connection(address, timeout=1)
    with socket.socket() as plain, pytest.raises(ReachedOutside):
        plain.connect(address)
