"""SendGrid's event webhook: signed, and as unreliable as the real one."""

import base64
import heapq
import json
import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.chaos.history import History
from tests.chaos.mail import Mail

BATCH = 50
RETRY_SECONDS = 0.5
REST_SECONDS = 0.05


@dataclass
class Manners:
    """How badly events travel just now."""

    loss: float = 0.05
    duplicates: int = 1
    delay: float = 0.5
    is_shuffled: bool = False
    forged: float = 0.0


def event_of(mail: Mail, name: str, now: float, *, is_async: bool = False) -> dict[str, Any]:
    """One event as SendGrid tells it; an asynchronous one comes without our own id."""
    event = {
        "email": mail.to_address,
        "timestamp": int(now),
        "smtp-id": mail.message_id_header,
        "event": name,
        "sg_event_id": uuid.uuid4().hex,
        "sg_message_id": f"{mail.provider_id}.recvd-0",
    }
    return event if is_async else {**event, "send_id": mail.message_id}


@dataclass
class Postman:
    """Posts events until all that were not lost have been taken with a 2xx."""

    seed: int
    history: History
    base_url: str = ""
    manners: Manners = field(default_factory=Manners)
    _heap: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._draw = random.Random(f"{self.seed}:postman")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="postman", daemon=True)

    @property
    def public_key(self) -> str:
        """As SENDGRID_PUBLIC_KEY wants it."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def start(self, base_url: str) -> None:
        self.base_url = base_url
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def hear(self, mail: Mail) -> None:
        """Tell of a mail that was taken: that it was processed and delivered."""
        for name in ("processed", "delivered"):
            self.tell(mail, name)

    def tell(self, mail: Mail, name: str, *, is_async: bool = False, is_sure: bool = False) -> None:
        """Put one event on its way; only one that is not sure may be lost."""
        if not is_sure and self._draw.random() < self.manners.loss:
            self.history.note("event lost", id=mail.message_id, event=name)
            return
        event = event_of(mail, name, time.time(), is_async=is_async)
        for _ in range(self._draw.randint(1, self.manners.duplicates)):
            due = time.time() + self._draw.random() * self.manners.delay
            with self._lock:
                self._count += 1
                heapq.heappush(self._heap, (due, self._count, event))

    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        with self._lock:
            return not self._heap

    def _run(self) -> None:
        with httpx.Client(timeout=5) as http:
            while not self._closing.wait(REST_SECONDS):
                batch = self._due()
                if batch and not self._post(http, batch):
                    self._put_back(batch)
                if self._draw.random() < self.manners.forged:
                    self._forge(http)

    def _due(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        with self._lock:
            while self._heap and self._heap[0][0] <= time.time() and len(found) < BATCH:
                found.append(heapq.heappop(self._heap)[2])
        if self.manners.is_shuffled:
            self._draw.shuffle(found)
        return found

    def _put_back(self, batch: list[dict[str, Any]]) -> None:
        with self._lock:
            for event in batch:
                self._count += 1
                heapq.heappush(self._heap, (time.time() + RETRY_SECONDS, self._count, event))

    def _post(self, http: httpx.Client, batch: list[dict[str, Any]]) -> bool:
        raw, stamp = json.dumps(batch).encode(), str(int(time.time()))
        signed = self._key.sign(stamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        status = self._send(http, raw, stamp, base64.b64encode(signed).decode())
        if status // 100 != 2:
            return False
        self.history.note("events taken", ids=[event["sg_event_id"] for event in batch])
        return True

    def _forge(self, http: httpx.Client) -> None:
        """An event that a stranger signed: it must be refused, and suppress nobody."""
        stranger = ec.generate_private_key(ec.SECP256R1())
        event = {"event": "bounce", "email": "person0@example.org", "sg_event_id": uuid.uuid4().hex}
        raw, stamp = json.dumps([event]).encode(), str(int(time.time()))
        signed = stranger.sign(stamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        status = self._send(http, raw, stamp, base64.b64encode(signed).decode())
        self.history.note("forged", status=status, id=event["sg_event_id"])

    def _send(self, http: httpx.Client, raw: bytes, stamp: str, signature: str) -> int:
        headers = {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        }
        try:
            url = f"{self.base_url}/hooks/sendgrid"
            return http.post(url, content=raw, headers=headers).status_code
        except httpx.TransportError:
            return 0
