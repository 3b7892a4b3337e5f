"""Celery as a doorbell: thin tasks that look into the database, and a poll that needs no broker."""

import threading
from collections.abc import Collection
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_shutting_down

from funnel.runtime import TASKS, Runtime
from funnel.services.work import run_guarded

POLL_SECONDS = 5.0


class NearCelery(Celery):  # type: ignore[misc]  # Celery ships no types
    """Sends tasks for now only: the calendar is the database, not the broker."""

    def send_task(self, *args: Any, **options: Any) -> Any:
        """Raise ValueError for a task with a countdown or an ETA.

        Every way to publish a task leads through here; a signal would only log the refusal.
        """
        if options.get("countdown") or options.get("eta"):
            raise ValueError("no task may wait in the broker: put a row with a due time")
        return super().send_task(*args, **options)


def create_celery(rt: Runtime) -> Celery:
    """The Celery application: JSON only, no results, no ETA; the database is the queue."""
    app = NearCelery("funnel", broker=rt.settings.broker_url or "redis://127.0.0.1:6379/0")
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        # For ever: a worker that gave up on the broker would stop polling too.
        broker_connection_max_retries=None,
        enable_utc=True,
        timezone="UTC",
        task_default_queue="mail",
        task_routes={name: {"queue": queue} for queue, name in TASKS.items()},
        beat_schedule=_schedule(),
    )
    _add_tasks(app, rt)
    app.steps["worker"].add(_poll_step(rt))
    # On the first sign of stopping: the batch in hand is finished, and no other is begun.
    worker_shutting_down.connect(lambda **_: rt.worker.stopping.set(), weak=False)
    return app


def _schedule() -> dict[str, dict[str, object]]:
    return {
        name: {"task": name, "schedule": POLL_SECONDS, "options": {"expires": POLL_SECONDS}}
        for name in TASKS.values()
    }


def _add_tasks(app: Celery, rt: Runtime) -> None:
    @app.task(name=TASKS["mail"], shared=False)
    def work_mail() -> None:
        rt.worker.mail_round()

    @app.task(name=TASKS["pdf"], shared=False)
    def work_guides() -> None:
        rt.worker.guide_round()


class Poller(threading.Thread):
    """A worker's own rounds, so that work goes on while the broker is away."""

    def __init__(self, rt: Runtime, queues: Collection[str]) -> None:
        super().__init__(name="poll")
        rounds = {"mail": rt.worker.mail_round, "pdf": rt.worker.guide_round}
        self._rounds = [work for queue, work in rounds.items() if queue in queues]
        self._stopped = threading.Event()
        if "pdf" in queues:
            rt.press.warm()

    def run(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            for work in self._rounds:
                run_guarded(work)

    def stop(self) -> None:
        """Let the round in hand finish."""
        self._stopped.set()
        self.join(timeout=30)


def _poll_step(rt: Runtime) -> type[bootsteps.StartStopStep]:
    """The poller as a part of the worker, started before the broker is asked for."""

    class Poll(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
        poller: Poller

        def start(self, parent: Any) -> None:
            self.poller = Poller(rt, parent.app.amqp.queues.consume_from)
            self.poller.start()

        def stop(self, _parent: Any) -> None:
            self.poller.stop()

    return Poll
