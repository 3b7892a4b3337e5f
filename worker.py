"""The Celery application: `celery -A worker.celery worker -Q mail`."""

from funnel.runtime import build_runtime
from funnel.settings import Settings
from funnel.tasks import create_celery

celery = create_celery(build_runtime(Settings.from_env()))
