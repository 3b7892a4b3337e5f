"""The fake must refuse what SendGrid would refuse and what we promised never to send."""

import copy
from typing import Any

import pytest

from funnel.adapters.sendgrid import payload
from tests.adapters.harness import make_email
from tests.support.fake_sendgrid import problems_of

READER = {"email": "ben@example.org"}
BREACHES: dict[str, Any] = {
    "no personalization": {"personalizations": []},
    "two personalizations": {"personalizations": [{"to": [READER]}, {"to": [READER]}]},
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
    "categories": {"categories": ["neck"]},
    "shared custom_args": {"custom_args": {"a": "b"}},
    "tracking left to the account": {"tracking_settings": {}},
    "opens tracked": {"tracking_settings": {"open_tracking": {"enable": True}}},
    "bypass": {"mail_settings": {"bypass_list_management": {"enable": False}}},
    "reserved header": {"headers": {"To": "ben@example.org"}},
    "folded header": {"headers": {"List-Unsubscribe": "<https://x\r\n .example.org>"}},
    "header not ascii": {"headers": {"List-Id": "<sérïes.example.org>"}},
    "headers as list": {"headers": [["Message-ID", "<x>"]]},
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
