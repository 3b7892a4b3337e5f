"""The proof of work as ALTCHA's widget and library know it. Nobody else is asked about anything."""

import json
import secrets
from datetime import datetime

import altcha

ALGORITHM = "PBKDF2/SHA-256"
COST = 5_000  # rounds for each try: about 2 ms
FEWEST, MOST = 500, 1_500  # tries: a second or two for a browser, on several cores less
LONGEST_ANSWER = 4_096


class AltchaProofs:
    """Sums signed with `key`; what they come to is signed with `answer_key`, so that checking one
    costs us no work."""

    def __init__(self, key: bytes, answer_key: bytes, cost: int = COST) -> None:
        self._key = key
        self._answer_key = answer_key
        self._cost = cost

    def challenge(self, until: datetime) -> str:
        made = altcha.create_challenge(
            ALGORITHM,
            self._cost,
            counter=FEWEST + secrets.randbelow(MOST - FEWEST),
            data={"until": int(until.timestamp())},
            hmac_secret=self._key,
            hmac_key_secret=self._answer_key,
        )
        return json.dumps(made.to_dict())

    def solved(self, answer: str, machine: datetime) -> str | None:
        if len(answer) > LONGEST_ANSWER:
            return None
        result = altcha.verify_solution(answer, self._key, hmac_key_secret=self._answer_key)
        if not result.verified:
            return None
        sum_ = altcha.Payload.from_base64(answer).challenge
        until = (sum_.parameters.data or {}).get("until", 0)
        return sum_.signature if machine.timestamp() < until else None
