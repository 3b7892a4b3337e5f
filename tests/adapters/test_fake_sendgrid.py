"""The fake must refuse what SendGrid would refuse and what we promised never to send."""

import copy
from typing import Any

import pytest

from funnel.adapters.sendgrid_requests import payload
from tests.adapters.harness import make_email
from tests.support.fake_sendgrid_rules import problems_of

READER = {"email": "ben@example.org"}
OWN = {"to": [READER], "custom_args": {"send_id": "1"}, "headers": {"Message-ID": "<1@x>"}}
BREACHES: dict[str, Any] = {
    "no personalization": {"personalizations": []},
    "one mail twice": {"personalizations": [OWN, OWN]},
    "no message id": {"personalizations": [{**OWN, "headers": {}}]},
    "a named reader": {"personalizations": [{**OWN, "to": [{**READER, "name": "Ben"}]}]},
    "too much to put in": {"personalizations": [{**OWN, "substitutions": {"[%0%]": "x" * 9999}}]},
    "a tag without a value": {
        "subject": "For [%0%]",
        "personalizations": [{**OWN, "substitutions": {"[%1%]": "x"}}],
    },
    "too many readers": {
        "personalizations": [{**OWN, "custom_args": {"send_id": str(n)}} for n in range(1001)]
    },
    "nobody": {"personalizations": [{"to": []}]},
    "no to": {"personalizations": [{"subject": "x"}]},
    "two readers": {"personalizations": [{"to": [READER, READER]}]},
    "cc": {"personalizations": [{"to": [READER], "cc": [READER]}]},
    "bcc": {"personalizations": [{"to": [READER], "bcc": [READER]}]},
    "no send id": {"personalizations": [{"to": [READER]}]},
    "health": {
        "personalizations": [{"to": [READER], "custom_args": {"send_id": "1", "area": "n"}}]
    },
    "from as text": {"from": "hello@example.org"},
    "from without address": {"from": {"name": "x"}},
    "no subject": {"subject": ""},
    "empty part": {"content": [{"type": "text/plain", "value": ""}]},
    "html only": {"content": [{"type": "text/html", "value": "x"}]},
    "html first": {
        "content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]
    },
    "misspelt": {"reply-to": READER},
    "a category of health": {"categories": ["nurture/why-hips"]},
    "a reader's name as a category": {"categories": ["Ada Lovelace"]},
    "an address as a category": {"categories": ["ada@example.org"]},
    "more categories than two": {"categories": ["a", "b", "c"]},
    "a category too long": {"categories": ["x" * 256]},
    "shared custom_args": {"custom_args": {"a": "b"}},
    "tracking left to the account": {"tracking_settings": {}},
    "opens tracked": {"tracking_settings": {"open_tracking": {"enable": True}}},
    "bypass": {"mail_settings": {"bypass_list_management": {"enable": False}}},
    "footer left to the account": {"mail_settings": {}},
    "a reader's header for all": {"headers": {"Message-ID": "<1@x>"}},
    "reserved header for all": {"headers": {"To": "ben@example.org"}},
    "no way to leave in one click": {
        "personalizations": [
            {**OWN, "headers": {"Message-ID": "<1@x>", "List-Unsubscribe": "<https://x>"}}
        ]
    },
    **{
        name: {"personalizations": [{**OWN, "headers": headers}]}
        for name, headers in {
            "reserved header": {"Message-ID": "<1@x>", "To": "ben@example.org"},
            "folded header": {"Message-ID": "<1@x>", "List-Id": "<x\r\n .example.org>"},
            "header not ascii": {"Message-ID": "<1@x>", "List-Id": "<sérïes.example.org>"},
            "headers as list": [["Message-ID", "<x>"]],
        }.items()
    },
}


def test_what_we_send_has_no_problems() -> None:
    assert problems_of(payload(make_email())) == []


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES)
def test_a_breach_is_noticed(breach: dict[str, Any]) -> None:
    assert problems_of({**copy.deepcopy(payload(make_email())), **breach})


@pytest.mark.parametrize("missing", ["personalizations", "from", "subject", "content"])
def test_a_missing_part_is_noticed(missing: str) -> None:
    body = payload(make_email())
    del body[missing]
    assert problems_of(body)
