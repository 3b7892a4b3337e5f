"""The account side of the fake: the key's scopes, domains, webhooks, suppression lists, erase jobs.

The lists are checked against their official description. The other answers have the shape that
the published descriptions of scopes, domain authentication, webhooks and recipients' data give.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DESCRIPTION = Path(__file__).parent / "data" / "sendgrid-suppressions-v3.json"
LIST_PATH = "/v3/suppression/"
FOUND, NOT_ALLOWED = 200, 403
MOST_ERASED = 5_000
READ_ALL = (
    "mail.send", "suppression.read", "whitelabel.read", "user.webhooks.event.settings.read",
)  # fmt: skip
_ERROR = b'{"errors":[{"message":"access forbidden","field":null}]}'
_ENTRY: Mapping[str, Mapping[str, str]] = {
    "bounces": {"reason": "550 5.1.1 no such user", "status": "5.1.1"},
    "blocks": {"reason": "451 try later", "status": "4.0.0"},
    "invalid_emails": {"reason": "Mail domain mentioned in email address is unknown"},
    "spam_reports": {"ip": "192.0.2.1"},
    "unsubscribes": {},
}

Reply = tuple[int, bytes]


@dataclass
class FakeAccount:
    """What the account holds; a test changes it as it likes. `forbidden` paths answer 403."""

    scopes: list[str] = field(default_factory=lambda: list(READ_ALL))
    domains: list[dict[str, Any]] = field(default_factory=list)
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    lists: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    erased: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def add_domain(self, domain: str, *, is_valid: bool = True) -> None:
        """A domain with automated security, as the account shows it."""
        self.domains.append(_domain(domain, is_valid=is_valid))

    def add_webhook(self, url: str, public_key: str | None, **changes: Any) -> None:
        """An event webhook that tells everything."""
        hook = dict.fromkeys(
            ("enabled", "bounce", "delivered", "dropped", "deferred", "processed", "spam_report",
             "unsubscribe", "group_unsubscribe"),
            True,
        )  # fmt: skip
        signed = {"public_key": public_key} if public_key else {}
        self.webhooks.append({**hook, "url": url, "id": "77d4a5da", **signed, **changes})

    def get(self, path: str) -> Reply:
        """Answer a GET with status and body."""
        place = urlsplit(path)
        self.asked.append(path)
        if place.path in self.forbidden:
            return NOT_ALLOWED, _ERROR
        if place.path.startswith(LIST_PATH):
            return self._list(place.path.removeprefix(LIST_PATH), dict(parse_qsl(place.query)))
        found: dict[str, object] = {
            "/v3/scopes": {"scopes": self.scopes},
            "/v3/whitelabel/domains": self.domains,
            "/v3/user/webhooks/event/settings/all": {"max_allowed": 5, "webhooks": self.webhooks},
        }
        if place.path not in found:
            return 404, b'{"errors":[{"message":"not found"}]}'
        return FOUND, json.dumps(found[place.path]).encode()

    def erase(self, body: bytes) -> Reply:
        """Answer an erase job."""
        asked = json.loads(body)
        addresses = asked.get("email_addresses", [])
        is_fit = set(asked) == {"email_addresses"} and 1 <= len(addresses) <= MOST_ERASED
        if "/v3/recipients/erasejob" in self.forbidden:
            return NOT_ALLOWED, _ERROR
        if not is_fit or len(body) > 256 * 1024 // 8 or len(set(addresses)) != len(addresses):
            self.complaints.append("an erase job that does not fit")
            return 400, b'{"errors":[{"message":"invalid","field":"email_addresses"}]}'
        self.erased += addresses
        return 202, b'{"job_id":"12a975bd"}'

    def _list(self, name: str, query: dict[str, str]) -> Reply:
        self.complaints += _query_problems(name, query)
        since, until = int(query.get("start_time", 0)), int(query.get("end_time", 2**40))
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 500))
        rows = [row for row in self.lists.get(name, ()) if since <= row[1] <= until]
        page = [
            {"email": address, "created": created, **_ENTRY[name]}
            for address, created in rows[offset : offset + limit]
        ]
        _answer(name).validate(page)
        return FOUND, json.dumps(page).encode()


def _domain(domain: str, *, is_valid: bool) -> dict[str, Any]:
    def alias(host: str, data: str) -> dict[str, Any]:
        return {"valid": is_valid, "type": "cname", "host": f"{host}.{domain}", "data": data}

    return {
        "id": 302183,
        "user_id": 1446226,
        "subdomain": "em7",
        "domain": domain,
        "username": "jdoe",
        "ips": [],
        "custom_spf": False,
        "default": True,
        "legacy": False,
        "automatic_security": True,
        "valid": is_valid,
        "dns": {
            "mail_cname": alias("em7", "u7.wl.sendgrid.net"),
            "dkim1": alias("s1._domainkey", "s1.domainkey.u7.wl.sendgrid.net"),
            "dkim2": alias("s2._domainkey", "s2.domainkey.u7.wl.sendgrid.net"),
        },
    }


def _query_problems(name: str, query: dict[str, str]) -> list[str]:
    """What the description would say of these parameters, which all are whole numbers."""
    known = _parameters(name)
    strange = [f"{key} is no parameter of {name}" for key in query if key not in known]
    return strange + [
        f"{key}: {error.message}"
        for key, value in query.items()
        if key in known
        for error in Draft202012Validator(known[key]).iter_errors(int(value))
    ]


@cache
def _description() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    return found


def _parameters(name: str) -> dict[str, dict[str, Any]]:
    shared = _description()["components"]["parameters"]
    listed = _description()["paths"][f"{LIST_PATH}{name}"]["get"]["parameters"]
    whole = [shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in listed]
    return {each["name"]: each["schema"] for each in whole if each["in"] == "query"}


@cache
def _answer(name: str) -> Draft202012Validator:
    resource = Resource.from_contents(_description(), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:lists", resource)
    path = f"{LIST_PATH}{name}".replace("/", "~1")
    where = f"urn:lists#/paths/{path}/get/responses/200/content/application~1json/schema"
    return Draft202012Validator({"$ref": where}, registry=registry)
