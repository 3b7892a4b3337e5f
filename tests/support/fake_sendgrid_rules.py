"""What SendGrid would refuse, by its official description, and what we promised never to send."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from funnel.content.claims import HEALTH

DESCRIPTION = Path(__file__).parent / "data" / "sendgrid-mail-v3.json"
SCHEMA_PATH = "#/components/requestBodies/PostMailSend/content/application~1json/schema"
MUST_BE_OFF = ("click_tracking", "open_tracking", "subscription_tracking", "ganalytics")
NOT_OURS_TO_SET = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type",
    "content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
READERS_OWN = {"Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"}
LABEL = re.compile(r"[a-z0-9]+([./_-][a-z0-9]+)*")
TAG = re.compile(r"\[%[0-9]+%\]")


def problems_of(payload: Any) -> list[str]:
    """Everything wrong with a request: against SendGrid's description, then our own promises."""
    problems = [error.message for error in _validator().iter_errors(payload)]
    return problems or [*_unknown_fields(payload), *_broken_promises(payload)]


@cache
def _validator() -> Draft202012Validator:
    description = json.loads(DESCRIPTION.read_text())
    resource = Resource.from_contents(description, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:sendgrid", resource)
    return Draft202012Validator({"$ref": f"urn:sendgrid{SCHEMA_PATH}"}, registry=registry)


@cache
def _known_fields() -> frozenset[str]:
    description = json.loads(DESCRIPTION.read_text())
    body = description["components"]["requestBodies"]["PostMailSend"]
    return frozenset(body["content"]["application/json"]["schema"]["properties"])


def _unknown_fields(payload: dict[str, Any]) -> list[str]:
    return [f"{name} is not a field" for name in payload if name not in _known_fields()]


def _broken_promises(payload: dict[str, Any]) -> list[str]:
    personalizations = payload["personalizations"]
    tracking = payload.get("tracking_settings", {})
    settings = payload.get("mail_settings", {})
    checks = {
        "nobody, or more readers than allowed": 1 <= len(personalizations) <= 1000,
        "a suppression is bypassed": not any(name.startswith("bypass") for name in settings),
        "something is tracked": all(
            tracking.get(name, {}).get("enable") is False for name in MUST_BE_OFF
        ),
        "a footer is left to the account": settings.get("footer", {}).get("enable") is False,
        "more than a mail's key in the categories": _are_labels(payload.get("categories", [])),
        "custom_args for all": "custom_args" not in payload,
        "no subject": bool(payload.get("subject")),
        "text is not before html": [part["type"] for part in payload.get("content", [])]
        == ["text/plain", "text/html"],
        "a shared header is not ours to set": _are_lawful(payload.get("headers", {})),
        "a reader's header is shared": not READERS_OWN & set(payload.get("headers", {})),
        "two mails of one id": len({str(p.get("custom_args")) for p in personalizations})
        == len(personalizations),
    }
    readers = [problem for each in personalizations for problem in _broken_to_reader(each)]
    tags = _loose_tags(payload)
    return [name for name, is_kept in checks.items() if not is_kept] + readers + tags


def _broken_to_reader(personalization: dict[str, Any]) -> list[str]:
    headers = personalization.get("headers", {})
    substitutions = personalization.get("substitutions", {})
    octets = sum(len(f"{tag}{value}".encode()) for tag, value in substitutions.items())
    checks = {
        "not exactly one recipient": len(personalization["to"]) == 1,
        "a recipient has more than an address": all(
            set(to) == {"email"} for to in personalization["to"]
        ),
        "cc or bcc": not {"cc", "bcc"} & set(personalization),
        "more than the send id in custom_args": set(personalization.get("custom_args", {}))
        == {"send_id"},
        "more than 10,000 bytes of substitutions": octets <= 10_000,
        "a header is not ours to set": _are_lawful(headers),
        "no message id": "Message-ID" in headers,
        "only half of the pair for leaving": ("List-Unsubscribe" in headers)
        == ("List-Unsubscribe-Post" in headers),
    }
    return [name for name, is_kept in checks.items() if not is_kept]


def _are_labels(categories: list[str]) -> bool:
    """Whether these are a mail's neutral key and its class, and nothing else."""
    return len(categories) <= 2 and all(
        LABEL.fullmatch(each) and not HEALTH.search(each.replace("-", " ").replace("_", " "))
        for each in categories
    )


def _are_lawful(headers: Any) -> bool:
    """Whether these are headers we may set, each one line of ASCII."""
    return not any(name.lower() in NOT_OURS_TO_SET for name in headers) and all(
        isinstance(value, str) and value.isascii() and value.isprintable()
        for value in headers.values()
    )


def _loose_tags(payload: dict[str, Any]) -> list[str]:
    """Tags of the words that some reader has no value for."""
    parts = [part["value"] for part in payload.get("content", [])]
    words = "".join([payload.get("subject", ""), *parts])
    tags = set(TAG.findall(words))
    readers = [p for p in payload["personalizations"] if "substitutions" in p]
    return [f"{len(tags - set(p['substitutions']))} tags without a value" for p in readers
            if tags - set(p["substitutions"])]  # fmt: skip
