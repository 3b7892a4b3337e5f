"""The Celery application: `celery -A worker.celery worker -Q mail`."""

from funnel.runtime import start
from funnel.settings import Settings
from funnel.tasks import create_celery

celery = create_celery(start(Settings.from_env()))
