"""The fake SendGrid of a run: moods that last, a log of what it took, and a witness."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from tests.chaos.history import History
from tests.chaos.mail import Mail, mails_of_request
from tests.chaos.site import API_KEY
from tests.support.fake_sendgrid import (
    ACCEPTED_THEN_DROPPED,
    ACCEPTED_THEN_RESET,
    BROKEN,
    BROKEN_BUT_ACCEPTED,
    CUT_SHORT,
    RESET,
    THROTTLED,
    TRICKLING,
    WITHOUT_ID,
    FakeSendGrid,
    Fault,
    Manner,
)

# Says which of these messages have an intent on disk now; None when the database cannot tell.
Witness = Callable[[list[str]], set[str] | None]
# Hears of every mail taken.
Listener = Callable[[Mail], None]


LOGS_REFUSE = "logs refuse to tell"


@dataclass(frozen=True)
class Mood:
    """How the provider misbehaves, how often, and after how many seconds of silence."""

    fault: Fault | None
    share: float = 0.8
    silence: tuple[float, float] = (0.0, 0.0)


MOODS = {
    "429 storm": Mood(Fault(429, headers=(("Retry-After", "1"),), body=b'{"errors":[]}')),
    "401 hour": Mood(Fault(401, body=b'{"errors":[]}'), share=1.0),
    "500 not accepted": Mood(Fault(500, body=b"<html>oops</html>")),
    "503 not accepted": Mood(BROKEN),
    "503 but accepted": Mood(BROKEN_BUT_ACCEPTED),
    "timeout, not accepted": Mood(RESET, silence=(2.1, 2.6)),
    "timeout, but accepted": Mood(
        Fault(accepts=True, manner=Manner.TRICKLE, headers=(("X-Long", "x" * 9999),))
    ),
    "accepted after we gave up": Mood(None, silence=(2.1, 3.0)),
    "accepted, then cut": Mood(ACCEPTED_THEN_DROPPED),
    "reset before": Mood(RESET),
    "reset after": Mood(ACCEPTED_THEN_RESET),
    "slow body": Mood(TRICKLING),
    "short body": Mood(CUT_SHORT),
    "wrong JSON": Mood(Fault(accepts=True, body=b'{"errors": [', headers=())),
    "202 without id": Mood(WITHOUT_ID),
    LOGS_REFUSE: Mood(None),
    "sluggish": Mood(None, share=1.0, silence=(1.0, 1.7)),
}


class StormySendGrid(FakeSendGrid):
    """Takes mail as the tests' fake does, and changes its mood when the nemesis says so."""

    def __init__(self, seed: int, history: History, witness: Witness, listener: Listener) -> None:
        super().__init__(api_key=API_KEY)
        self.mood: Mood | None = None
        self.mood_name = ""
        self._history, self._witness, self._listener = history, witness, listener
        self._moody = random.Random(f"{seed}:provider")
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        super().__enter__()
        # Connections break here on purpose; a trace of each would hide what matters.
        self._server.handle_error = _say_nothing  # type: ignore[method-assign]
        return self

    def feel(self, name: str) -> None:
        """Take on a mood; an empty name ends it."""
        self.log_faults.clear()
        self.log_faults.extend([THROTTLED] * 50 if name == LOGS_REFUSE else [])
        self.mood, self.mood_name = MOODS.get(name), name

    def next_fault(self) -> Fault | None:
        mood = self.mood
        if mood is None or self._moody.random() >= mood.share:
            return None
        return mood.fault

    def answer(self, authorization: str, body: bytes) -> Fault:
        """Judge one request as ever, and write down what it held and what became of it."""
        arrived, mood = time.time(), self.mood
        if mood is not None and mood.silence[1]:
            time.sleep(self._moody.uniform(*mood.silence))
        offered = mails_of_request(json.loads(body))
        intended = self._witness([mail.message_id for mail in offered])
        with self._turn:
            known = len(self.accepted)
            given = super().answer(authorization, body)
            taken = [
                mails_of_request(each.payload, each.x_message_id)[each.place]
                for each in self.accepted[known:]
            ]
            self._write_down(arrived, offered, taken, given, intended)
        for mail in taken:
            self._listener(mail)
        return given

    def _write_down(
        self,
        arrived: float,
        offered: list[Mail],
        taken: list[Mail],
        given: Fault,
        intended: set[str] | None,
    ) -> None:
        is_clear = given.manner is Manner.WHOLE and given.status in {400, 401, 429}
        ids = [mail.message_id for mail in offered]
        self._history.note(
            "request",
            at=arrived,
            ids=ids,
            digests=[mail.digest for mail in offered],
            mood=self.mood_name,
            status=given.status,
            is_clear=is_clear,
        )
        for mail in taken:
            note_accept(self._history, mail, arrived, intended)


def note_accept(
    history: History, mail: Mail, arrived: float, intended: set[str] | None, **more: Any
) -> None:
    """Write down that a provider took a mail."""
    history.note(
        "accept",
        arrived=arrived,
        id=mail.message_id,
        to=mail.to_address,
        subject=mail.subject,
        digest=mail.digest,
        is_intended=None if intended is None else mail.message_id in intended,
        **more,
    )


def _say_nothing(request: object, client_address: object) -> None:
    """What the server says of a connection that broke."""
