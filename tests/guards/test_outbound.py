"""Who may talk to the outside, to whom, and what is never read or run."""

import re

from tests.support import repo

# Whatever can open a connection; and where one may, with the only places it goes to.
CAN_CONNECT = frozenset(
    {
        "aiohttp",
        "asyncio",
        "celery",
        "dns",
        "ftplib",
        "http.client",
        "http.server",
        "httpcore",
        "httpx",
        "kombu",
        "psycopg",
        "redis",
        "requests",
        "smtplib",
        "socket",
        "socketserver",
        "ssl",
        "telnetlib",
        "urllib.request",
        "urllib3",
        "websockets",
        "xmlrpc",
    }
)
MAY_CONNECT = {
    "funnel/adapters/bells.py": "Redis, from BROKER_URL",
    "funnel/adapters/deadline.py": "what httpcore was asked for, within its time",
    "funnel/adapters/name_servers.py": "the name servers, from DNS_SERVER or the machine's own",
    "funnel/adapters/sendgrid.py": "SendGrid",
    "funnel/adapters/sendgrid_api.py": "SendGrid",
    "funnel/adapters/smtp.py": "the mail server, from MAIL_URL",
    "funnel/adapters/smtp_answers.py": "the mail server's answers",
    "funnel/adapters/smtp_dialogue.py": "the mail server, from MAIL_URL",
    "funnel/adapters/smtp_line.py": "the mail server, from MAIL_URL",
    "funnel/cli/up.py": "listens on LISTEN",
    "funnel/db/engine.py": "Postgres, from DATABASE_URL",
    "funnel/runtime.py": "asks this machine for its name",
    "funnel/tasks.py": "Redis, from BROKER_URL",
}
HOST = re.compile(r"https?://([a-z0-9.-]+\.[a-z]{2,})")
NEVER_CALLED = re.compile(
    r"^(eval|exec|compile|__import__|input)$"
    r"|^(pickle|marshal|shelve|dill|cloudpickle)\.|^yaml\.(load|unsafe_load|full_load)$"
    r"|^os\.(system|popen)$|^tempfile\.mktemp$"
    r"|^subprocess\.getoutput$|^hashlib\.(md5|sha1)$|^ssl\._create_unverified_context$"
)


def test_only_these_modules_can_connect_to_anything() -> None:
    found = {
        module.path
        for module in repo.modules()
        for name in module.imports()
        if any(name == each or name.startswith(f"{each}.") for each in CAN_CONNECT)
    }
    assert found == set(MAY_CONNECT), "say where a new one connects to; no user's URL is ever asked"


def test_every_host_that_the_code_itself_names_is_a_fixed_one() -> None:
    adapters = [text for path, text in repo.texts("funnel/adapters/") if path.endswith(".py")]
    assert {host for text in adapters for host in HOST.findall(text)} == {
        "api.sendgrid.com", "api.eu.sendgrid.com",
    }  # fmt: skip


def test_nothing_that_runs_or_unpacks_what_it_is_given_is_ever_called() -> None:
    found = [
        f"{module.path}:{line}: {call}"
        for module in repo.modules()
        for call, line in module.calls()
        if NEVER_CALLED.search(call)
    ]
    assert found == []
