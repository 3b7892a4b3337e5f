"""Celery is a bell: thin tasks, no far future, every queue consumed."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import Celery

from funnel.runtime import TASKS
from funnel.tasks import POLL_SECONDS, create_celery
from tests.support import make
from tests.support.house import House, open_house
from tests.support.repo import ROOT


@pytest.fixture
def house(prepared_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    file = tmp_path / "funnel.db"
    shutil.copy(prepared_sqlite, file)
    with open_house(f"sqlite:///{file}", tmp_path) as opened:
        yield opened


@pytest.fixture
def app(house: House) -> Iterator[Celery]:
    settings = replace(house.rt.settings, broker_url="memory://")
    made = create_celery(replace(house.rt, settings=settings))
    yield made
    made.close()


def own_tasks(app: Celery) -> dict[str, Any]:
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


FAR = [
    {"countdown": 3600},
    {"countdown": 1},
    {"eta": datetime(2026, 11, 26, 8, 10, tzinfo=UTC)},
    {"eta": datetime(2020, 1, 1, tzinfo=UTC)},
]


@pytest.mark.parametrize("name", sorted(TASKS.values()))
@pytest.mark.parametrize("far", FAR, ids=str)
def test_a_task_for_later_is_refused_however_it_is_published(
    app: Celery, name: str, far: dict[str, Any]
) -> None:
    task = app.tasks[name]
    ways: list[Callable[[], Any]] = [
        lambda: task.apply_async(**far),
        lambda: app.send_task(name, **far),
        lambda: task.signature().set(**far).apply_async(),
        lambda: task.signature().apply_async(**far),
    ]
    for publish in ways:
        with pytest.raises(ValueError, match="row with a due time"):
            publish()


@pytest.mark.parametrize("name", sorted(TASKS.values()))
def test_a_task_for_now_is_published(app: Celery, name: str) -> None:
    app.tasks[name].delay()
    app.send_task(name, expires=30)


def test_every_task_has_a_stable_name_and_a_queue(app: Celery) -> None:
    assert set(own_tasks(app)) == set(TASKS.values())
    routes = {name: route["queue"] for name, route in app.conf.task_routes.items()}
    assert routes == {name: queue for queue, name in TASKS.items()}


def test_every_task_is_rung_by_the_beat_and_a_late_ring_is_dropped(app: Celery) -> None:
    schedule = app.conf.beat_schedule
    assert {entry["task"] for entry in schedule.values()} == set(TASKS.values())
    for entry in schedule.values():
        assert entry["schedule"] == POLL_SECONDS <= 5
        assert entry["options"]["expires"] <= POLL_SECONDS


def test_every_queue_is_consumed_by_a_worker_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    consumed = set()
    for service in services.values():
        command = service.get("command") or []
        if "worker" in command:
            consumed |= set(command[command.index("-Q") + 1].split(","))
    assert consumed == set(TASKS)


def test_messages_carry_json_and_nothing_else_is_taken(app: Celery) -> None:
    assert app.conf.task_serializer == "json"
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_ignore_result
    assert app.conf.result_backend is None
    assert not app.conf.task_acks_late, "the row is the promise, not the message"
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.timezone == "UTC"


def test_the_tasks_do_the_rounds(app: Celery, house: House) -> None:
    make.request(house)
    app.tasks[TASKS["mail"]].apply()
    make.confirm(house)
    app.tasks[TASKS["pdf"]].apply()
    house.clock.advance(timedelta(seconds=5))
    app.tasks[TASKS["mail"]].apply()
    subjects = [email.subject for email in house.mailer.accepted]
    assert subjects == ["Please confirm your email", "Your guide is ready"]


def test_a_task_run_many_times_does_its_work_once(app: Celery, house: House) -> None:
    make.request(house)
    for _ in range(5):
        app.tasks[TASKS["mail"]].apply()
    assert len(house.mailer.accepted) == 1


def test_a_worker_never_gives_up_on_the_broker(app: Celery) -> None:
    assert app.conf.broker_connection_max_retries is None
