"""Asks SendGrid what our key may do, which domains it signs for, and where it posts its events."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from funnel.adapters.sendgrid_api import Answer, AnswerLost, SendGridApi, Unreachable
from funnel.domain.deliverability import Record
from funnel.domain.mail_account import Account, EventHook, SendingDomain, Silence
from funnel.domain.names import RecordKind

ANSWER_SECONDS = 10.0
OK = 200
NOT_ALLOWED = frozenset({401, 403, 404})
# A search that finds nothing: all that is asked is whether the log may be asked at all.
_NO_MAIL = {"query": "to_email='nobody@example.com'", "limit": 1}
_EVENTS = (
    "bounce", "deferred", "delivered", "dropped", "group_unsubscribe", "processed", "spam_report",
    "unsubscribe",
)  # fmt: skip
T = TypeVar("T")


class SendGridAccount:
    """Our account as SendGrid tells it. It is asked for nothing but what it is; nothing changes."""

    def __init__(self, api: SendGridApi, seconds: float = ANSWER_SECONDS) -> None:
        self._api = api
        self._seconds = seconds

    def describe(self) -> Account:
        return Account(
            scopes=self._read("/v3/scopes", _scopes),
            domains=self._read("/v3/whitelabel/domains?limit=100", _domains),
            hooks=self._read("/v3/user/webhooks/event/settings/all", _hooks),
            log=self._log(),
        )

    def _read(self, path: str, read: Callable[[object], T]) -> T | Silence:
        answer = self._answer(lambda: self._api.get(path, self._seconds))
        if isinstance(answer, Silence):
            return answer
        try:
            return read(json.loads(answer.body))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Silence.AWAY  # not what is described: nothing may be concluded from it

    def _log(self) -> Silence | None:
        body = json.dumps(_NO_MAIL).encode()
        answer = self._answer(lambda: self._api.post("/v3/logs", body, self._seconds))
        return answer if isinstance(answer, Silence) else None

    def _answer(self, ask: Callable[[], Answer]) -> Answer | Silence:
        try:
            answer = ask()
        except (Unreachable, AnswerLost):
            return Silence.AWAY
        if answer.status in NOT_ALLOWED:
            return Silence.REFUSED
        return answer if answer.status == OK else Silence.AWAY


def _scopes(found: object) -> frozenset[str]:
    return frozenset(str(scope) for scope in _mapping(found)["scopes"])


def _domains(found: object) -> tuple[SendingDomain, ...]:
    return tuple(_domain(_mapping(each)) for each in _list(found))


def _domain(found: Mapping[str, object]) -> SendingDomain:
    domain = str(found["domain"]).lower()
    return SendingDomain(
        domain=domain,
        is_valid=found.get("valid") is True,
        return_path=f"{found['subdomain']}.{domain}".lower(),
        records=tuple(_records(_mapping(found["dns"]))),
    )


def _records(dns: Mapping[str, object]) -> Iterator[Record]:
    """Three aliases with automated security; a mail server and texts without."""
    for each in map(_mapping, dns.values()):
        kind = str(each["type"]).upper()
        if kind in set(RecordKind):
            yield Record(kind, str(each["host"]).lower(), str(each["data"]))


def _hooks(found: object) -> tuple[EventHook, ...]:
    hooks = [_mapping(each) for each in _list(_mapping(found)["webhooks"])]
    return tuple(_hook(each) for each in hooks if each)


def _hook(found: Mapping[str, object]) -> EventHook:
    key = found.get("public_key")
    return EventHook(
        url=str(found["url"]),
        is_enabled=found.get("enabled") is True,
        events=frozenset(event for event in _EVENTS if found.get(event) is True),
        public_key=str(key) if key else None,
    )


def _mapping(found: object) -> Mapping[str, list[object]]:
    if not isinstance(found, Mapping):
        raise TypeError
    return found


def _list(found: object) -> list[object]:
    if not isinstance(found, list):
        raise TypeError
    return found
