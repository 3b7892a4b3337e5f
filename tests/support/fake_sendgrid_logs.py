"""SendGrid's Email Logs for the fake: what was accepted shows there after a while."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DESCRIPTION = Path(__file__).parent / "data" / "sendgrid-logs-v3.json"
QUERY = re.compile(
    r"to_email='(?P<to>[^']+)' AND sg_message_id_created_at > TIMESTAMP "
    r'"(?P<since>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"'
)


class Logged(Protocol):
    """What the logs need to know of an accepted mail."""

    @property
    def x_message_id(self) -> str: ...
    @property
    def place(self) -> int: ...
    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def to_address(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def send_id(self) -> str: ...
    @property
    def taken_at(self) -> datetime: ...


def search(body: bytes, accepted: Sequence[Logged], lag: timedelta) -> tuple[int, bytes]:
    """Answer POST /v3/logs with status and body: what went to that address and shows by now."""
    asked = json.loads(body)
    problems = [error.message for error in _described("EmailLogsGetMessagesByFilterRequest")
                .iter_errors(asked)]  # fmt: skip
    query = QUERY.fullmatch(asked.get("query", ""))
    if problems or query is None:
        return 400, b'{"errors":[{"message":"unable to parse query"}]}'
    since = datetime.fromisoformat(query["since"])
    found = [
        _summary(mail)
        for mail in _shown(accepted, lag)
        if mail.to_address == query["to"] and mail.taken_at > since
    ]
    answer = {"messages": found[-asked.get("limit", 10) :]}
    return 200, _checked("EmailLogsGetMessagesByFilterResponse", answer)


def details(path: str, accepted: Sequence[Logged], lag: timedelta) -> tuple[int, bytes]:
    """Answer GET /v3/logs/{id} with status and body."""
    wanted = unquote(path.removeprefix("/v3/logs/"))
    for mail in _shown(accepted, lag):
        if _log_id(mail) == wanted:
            answer = {
                **_summary(mail),
                "api_key_id": "key",
                "client_ip": "127.0.0.1",
                "events": [],
                "custom_args": mail.payload["personalizations"][mail.place]["custom_args"],
            }
            del answer["sg_message_id_created_at"]
            return 200, _checked("EmailLogsGetMessageByIdResponse", answer)
    return 404, b'{"errors":[{"message":"not found"}]}'


def _shown(accepted: Sequence[Logged], lag: timedelta) -> list[Logged]:
    return [mail for mail in accepted if mail.taken_at + lag <= datetime.now(UTC)]


def _log_id(mail: Logged) -> str:
    return f"{mail.x_message_id}.recvd-{mail.place}"


def _summary(mail: Logged) -> dict[str, Any]:
    return {
        "from_email": mail.payload["from"]["email"],
        "sg_message_id": _log_id(mail),
        "subject": mail.subject,
        "to_email": mail.to_address,
        "status": "processed",
        "sg_message_id_created_at": mail.taken_at.isoformat(),
    }


def _checked(name: str, answer: dict[str, Any]) -> bytes:
    _described(name).validate(answer)
    return json.dumps(answer).encode()


@cache
def _described(name: str) -> Draft202012Validator:
    resource = Resource.from_contents(
        json.loads(DESCRIPTION.read_text()), default_specification=DRAFT202012
    )
    registry: Registry[Any] = Registry().with_resource("urn:logs", resource)
    return Draft202012Validator({"$ref": f"urn:logs#/components/schemas/{name}"}, registry=registry)
