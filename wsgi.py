"""The web application, for any WSGI server."""

from funnel.runtime import build_runtime
from funnel.settings import Settings
from funnel.web.app import create_app

app = create_app(build_runtime(Settings.from_env()))
