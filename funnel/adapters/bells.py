"""Bells: waking the worker in this process, or those behind the broker."""

import logging
import threading
import time
from collections.abc import Mapping

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

QUIET_AFTER_FAILURE_SECONDS = 10.0


class LocalBell:
    """Wakes a thread of this process that waits for its queue."""

    queues = ("mail", "pdf")

    def __init__(self) -> None:
        self._rung = {queue: threading.Event() for queue in self.queues}

    def ring(self, queue: str) -> None:
        self._rung[queue].set()

    def wait(self, queue: str, timeout_seconds: float) -> None:
        """Sleep until the bell rings or the time is over."""
        self._rung[queue].wait(timeout_seconds)
        self._rung[queue].clear()


class CeleryBell:
    """Sends one empty task to the queue; a broker that is down is left alone for a while."""

    def __init__(self, broker_url: str, tasks: Mapping[str, str]) -> None:
        self._app = Celery("funnel-bell", broker=broker_url, set_as_current=False)
        self._app.conf.update(
            task_ignore_result=True,
            task_serializer="json",
            broker_transport_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        )
        self._tasks = dict(tasks)
        self._quiet_until = 0.0

    def ring(self, queue: str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            self._app.send_task(self._tasks[queue], queue=queue, retry=False, expires=30)
        except (OperationalError, RedisError, OSError) as error:
            # The tick finds the work anyway; waiting for a dead broker would hold up a visitor.
            self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
            log.warning("the broker does not answer, so the tick does the waking: %s", error)
