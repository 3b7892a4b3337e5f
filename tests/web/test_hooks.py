"""The event webhook over HTTP: signed events count once, everything else is refused."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from funnel.adapters.sendgrid_events import SignatureVerifier
from funnel.db.mail import MailEvent
from funnel.domain.people import PersonState
from funnel.web.app import create_app
from tests.support import make
from tests.support.house import House, open_house

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def client(house: House) -> FlaskClient:
    rt = replace(house.rt, verifier=SignatureVerifier([PUBLIC]))
    return create_app(rt).test_client()


def post(
    client: FlaskClient, house: House, events: object, raw: bytes | None = None
) -> TestResponse:
    body = json.dumps(events).encode() if raw is None else raw
    stamp = str(int(house.clock.machine().timestamp()))
    signed = KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {SIGNATURE: base64.b64encode(signed).decode(), TIMESTAMP: stamp}
    return client.post("/hooks/sendgrid", data=body, headers=headers)


def event(kind: str, number: int = 1, **more: object) -> dict[str, object]:
    return {
        "event": kind,
        "email": "ada@example.org",
        "sg_event_id": f"event-{number}",
        "timestamp": 1_795_428_000,
        **more,
    }


def stored(house: House) -> int:
    with house.rt.reading.begin() as session:
        return session.scalars(select(func.count()).select_from(MailEvent)).one()


def test_a_bounce_stops_the_mail_of_a_person(client: FlaskClient, house: House) -> None:
    make.confirmed(house)
    assert post(client, house, [event("bounce", type="bounce")]).status_code == 204
    house.work()
    assert make.person(house).state == PersonState.BOUNCED


def test_the_same_batch_posted_three_times_is_stored_once(
    client: FlaskClient, house: House
) -> None:
    events = [event("processed", 1), event("delivered", 2)]
    for _ in range(3):
        assert post(client, house, events).status_code == 204
    assert stored(house) == 2


def test_a_changed_body_is_refused_and_nothing_is_kept(client: FlaskClient, house: House) -> None:
    answer = client.post(
        "/hooks/sendgrid",
        data=b"[]",
        headers={SIGNATURE: base64.b64encode(b"no").decode(), TIMESTAMP: "1795428000"},
    )
    assert answer.status_code == 403
    assert stored(house) == 0


def test_no_signature_is_refused(client: FlaskClient) -> None:
    assert client.post("/hooks/sendgrid", data=b"[]").status_code == 403


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"null", b"[" * 100_000, b"\xff\xfe", b'{"a": 1', b'"text"']
)
def test_a_signed_body_that_is_no_list_is_refused_kindly(
    client: FlaskClient, house: House, raw: bytes
) -> None:
    assert post(client, house, None, raw).status_code == 400


@pytest.mark.parametrize(
    "odd",
    [
        1,
        "text",
        None,
        [],
        {},
        {"event": ["bounce"], "email": {"a": 1}},
        {"event": "bounce", "email": "not an address", "timestamp": "tomorrow"},
        {"event": "open", "timestamp": 1e300},
        {"event": "delivered", "timestamp": -5, "smtp-id": "<x@y>", "send_id": "z" * 10_000},
        {"event": "bounce", "email": "a\x00b@example.org", "reason": "\x00"},
    ],
)
def test_an_odd_event_stops_no_other(client: FlaskClient, house: House, odd: object) -> None:
    make.confirmed(house)
    assert post(client, house, [odd, event("spamreport", 7)]).status_code == 204
    house.work()
    assert make.person(house).state == PersonState.COMPLAINED


def test_a_body_of_over_a_megabyte_is_refused(client: FlaskClient, house: House) -> None:
    assert post(client, house, None, b"[" + b"1," * 600_000 + b"1]").status_code == 413
