"""The web application, for any WSGI server."""

from funnel.runtime import start
from funnel.settings import Settings
from funnel.web.app import create_app

app = create_app(start(Settings.from_env()))
