"""Webhooks nobody ought to send: each is refused or put aside, none is an error of ours.

The signatures themselves are tried in tests/adapters/test_sendgrid_events.py; here the whole way
is gone, through one application.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.event
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import func, select

from funnel.adapters.sendgrid_events import SignatureVerifier
from funnel.db.mail import MailEvent
from funnel.db.people import Suppression
from funnel.domain.people import PersonState
from funnel.services import mail_events
from funnel.web.app import create_app
from tests.adapters.test_sendgrid_events import BODY, CORPUS, GENUINE, STAMP, text_of
from tests.adapters.test_sendgrid_events import KEY as CORPUS_KEY
from tests.support import make
from tests.support.front_door import copy_database
from tests.support.house import House, open_house
from tests.support.webhook import (
    KEY,
    NEXT_KEY,
    NEXT_PUBLIC,
    PATH,
    PUBLIC,
    SIGNATURE,
    TIMESTAMP,
    body_of,
    public,
    signed,
)

UNFIT_FOR_A_HEADER = ("\r", "\n", "\0")
DEEP = "[" * 900 + "]" * 900
# Bodies whose signature is right: what they say is not.
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a space": b" ",
    "an object": b"{}",
    "null": b"null",
    "a number": b"7",
    "a text": b'"text"',
    "true": b"true",
    "cut short": b'[{"event":"bounce"',
    "a comma too many": b"[1,]",
    "not UTF-8": b"\xff\xfe\x00",
    "UTF-16": "[]".encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf[]",
    "gzip": gzip.compress(b"[]"),
    "a bomb": gzip.compress(b" " * 10_000_000),
    "deeper than we count": b"[" * 100_000,
    "NaN": b"NaN",
    "two lists": b"[][]",
    "an empty list": b"[]",
    "a list of lists": b"[[],[[]]]",
    "deep inside": f"[{DEEP}]".encode(),
    "numbers": b"[1,2.5,-3,1e400,NaN,Infinity]",
    "texts": b'["bounce","","\\u0000"]',
    "an event of nothing": b"[{}]",
    "the same key twice": b'[{"event":"open","event":"bounce","email":"a@x.org"}]',
}


def events_with(field: str, *values: Any, event: str = "open") -> list[dict[str, Any]]:
    """An event for each value of that field."""
    return [{"event": event, field: value} for value in values]


EVENTS: list[dict[str, Any]] = [
    *events_with("event", None, 1, "", "BOUNCE", "bounce ", "made-up", ["bounce"], {}),
    *events_with(
        "email", None, 7, "", "nobody", "a@b", "a@x.org,b@x.org", "a@[127.0.0.1]",
        "a\u202e@x.org", "a\x00b@x.org", "\ud800@x.org", "a" * 500 + "@x.org", ["a@x.org"],
        {"a": 1}, "Ada <ada@example.org>", "ada@example.org\r\nBcc: b@x.org", event="bounce",
    ),
    *events_with(
        "timestamp", None, "now", "1795428000", -1, 0, 1795428000000, 1e300, 10**30, True, [], {},
        2.5,
    ),
    *events_with(
        "send_id", None, 7, "", "not-a-uuid", "0" * 32, "'; DROP TABLE message; --", ["x"],
        "x" * 9000, event="delivered",
    ),
    *events_with(
        "smtp-id", None, "<>", "<@>", "<x@y@z>", "<00000000-0000-0000-0000-000000000000@x>", 7,
        ["<x>"], event="delivered",
    ),
    *events_with("sg_message_id", None, ".", "..", "%", "_", 7, {}, event="delivered"),
    *events_with(
        "sg_event_id", None, "", " ", "x" * 300, "\u0000", "é", ["list"], 7, "list-pretender",
        {"a": 1},
    ),
    *events_with(
        "reason", None, 7, [], {}, "x" * 100_000, "\ud800\udfff", "\x1b[31m",
        "<script>alert(1)</script>", event="dropped",
    ),
    *events_with("type", None, 7, [], {}, "blocked\n", event="bounce"),
    # Names that SendGrid keeps for itself, put in as if they were ours.
    {"event": "open", "send_id": "a", "sg_event_id": "b", "custom_args": {"send_id": "c"}},
    {"event": "open", "category": ["zz-health"], "useragent": "zz", "ip": "192.0.2.1"},
    {"event": "unsubscribe", "asm_group_id": "x", "email": "stranger@example.org"},
    {"event": "group_resubscribe", "email": "ada@example.org"},
    {"event": "account_status_change", "type": "compliance_suspend"},
]  # fmt: skip


@pytest.fixture(scope="module")
def house(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("hooks")
    with open_house(copy_database(prepared_sqlite, folder), folder) as opened:
        make.confirmed(opened)
        yield opened


@pytest.fixture(scope="module")
def client(house: House) -> FlaskClient:
    keys = [PUBLIC, NEXT_PUBLIC, public(CORPUS_KEY)]
    app = create_app(replace(house.rt, verifier=SignatureVerifier(keys)))
    app.testing = False  # an error becomes the answer a stranger would get
    return app.test_client()


def post(
    client: FlaskClient,
    house: House,
    body: bytes,
    *,
    key: ec.EllipticCurvePrivateKey = KEY,
    headers: Mapping[str, str] | None = None,
) -> int:
    genuine = signed(body, house.clock.machine(), key)
    return client.post(PATH, data=body, headers={**genuine, **(headers or {})}).status_code


def stored(house: House) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(MailEvent)) or 0


def suppressions(house: House) -> Counter[str]:
    with house.rt.reading.begin() as session:
        return Counter(session.scalars(select(Suppression.reason)))


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(CORPUS) + len(BODIES) + len(EVENTS) >= 300


def test_every_forged_webhook_is_refused_and_nothing_is_kept(
    client: FlaskClient, house: House
) -> None:
    before = stored(house)
    answers = {}
    for case in CORPUS:
        headers = {SIGNATURE: case.signature, TIMESTAMP: case.timestamp}
        sent = {
            name: value.encode("utf-8", "replace").decode("latin-1")
            for name, value in headers.items()
            if value is not None
        }
        if any(odd in value for value in sent.values() for odd in UNFIT_FOR_A_HEADER):
            continue  # no server lets these through
        answers[case.name] = client.post(PATH, data=case.body, headers=sent).status_code
    assert len(answers) >= 150
    assert {name: status for name, status in answers.items() if status != 403} == {}
    assert stored(house) == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_nothing_but_a_post_is_taken(client: FlaskClient, method: str) -> None:
    assert client.open(PATH, method=method).status_code in {404, 405}


def test_a_genuine_body_that_is_no_list_of_events_is_refused_kindly(
    client: FlaskClient, house: House
) -> None:
    answers = {name: post(client, house, body) for name, body in BODIES.items()}
    assert {name: status for name, status in answers.items() if status not in {204, 400}} == {}
    assert answers["an empty list"] == 204
    assert answers["an object"] == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-7"},
    ],
    ids=str,
)
def test_no_header_changes_how_a_body_is_read(
    client: FlaskClient, house: House, headers: dict[str, str]
) -> None:
    assert post(client, house, b"[]", headers=headers) in {204, 400}


def test_h8_every_odd_event_is_taken_and_stops_no_other(client: FlaskClient, house: House) -> None:
    make.confirmed(house, "ben@example.org")
    before = suppressions(house)
    good = {"event": "spamreport", "email": "ben@example.org", "sg_event_id": "a-good-one"}
    assert post(client, house, body_of([*EVENTS, good])) == 204
    assert post(client, house, body_of([{"event": "open", "sg_event_id": "next"}])) == 204
    house.work()
    assert make.person(house, "ben@example.org").state == PersonState.COMPLAINED
    assert make.person(house, "ada@example.org").state == PersonState.CONFIRMED
    assert sorted(suppressions(house) - before) == ["complained", "unsubscribed"], (
        "Ben, and the stranger who left: whom nobody can read of is nobody"
    )
    with house.rt.reading.begin() as session:
        waiting = select(func.count()).where(MailEvent.handled_at.is_(None))
        assert session.scalar(waiting) == 0
        kept = json.dumps([dict(body) for body in session.scalars(select(MailEvent.body))])
    assert "zz" not in kept, "nothing is kept but what is needed"


def test_both_keys_are_good_while_one_is_rotated(client: FlaskClient, house: House) -> None:
    for number, key in enumerate((KEY, NEXT_KEY)):
        body = body_of([{"event": "open", "sg_event_id": f"rotated-{number}"}])
        assert post(client, house, body, key=key) == 204
    with house.rt.reading.begin() as session:
        kept = session.scalars(select(MailEvent.id).where(MailEvent.id.like("rotated-%"))).all()
    assert sorted(kept) == ["rotated-0", "rotated-1"]
    retired = create_app(replace(house.rt, verifier=SignatureVerifier([NEXT_PUBLIC])))
    assert post(retired.test_client(), house, b"[]", key=KEY) == 403


def test_h6_a_genuine_webhook_replayed_is_stored_once_and_not_after_two_days(
    client: FlaskClient, house: House
) -> None:
    body = body_of([{"event": "open", "sg_event_id": "replayed"}])
    headers = dict(signed(body, house.clock.machine()))
    before = stored(house)
    assert [client.post(PATH, data=body, headers=headers).status_code for _ in range(5)] == (
        [204] * 5
    )
    assert stored(house) == before + 1
    old = {SIGNATURE: text_of(GENUINE), TIMESTAMP: STAMP}
    assert client.post(PATH, data=BODY, headers=old).status_code == 403


def test_as_many_events_as_fit_into_a_request_are_stored_in_one_go(house: House) -> None:
    many: list[object] = [{"event": "open", "sg_event_id": f"many-{n:x}"} for n in range(20_000)]
    with house.rt.sessions.begin() as session:
        statements: list[str] = []
        sqlalchemy.event.listen(
            session.connection(),
            "before_cursor_execute",
            lambda *told: statements.append(told[2]),
        )
        assert mail_events.take_events(session, many, now=house.clock.now()) == len(many)
        session.rollback()
    assert len(statements) < 200


def test_a_request_of_over_a_megabyte_is_refused_before_it_is_read(
    client: FlaskClient, house: House
) -> None:
    assert post(client, house, b"[" + b" " * 1_100_000 + b"]") == 413
