"""Tokens as strangers bend them: cut, stretched, swapped, dressed up, borrowed, made up."""

import base64
import json
from collections.abc import Mapping

LOOKALIKES = {"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х", "A": "А", "B": "В"}
TAILS = [
    "A",
    "=",
    "==",
    "===",
    ".",
    "..",
    ".A",
    "-",
    "_",
    "~",
    " ",
    "%20",
    "%00",
    "%0a",
    "%0d%0a",
    "\x00",
    "\n",
    "\r\n",
    "\t",
    "\u200b",
    "\ufeff",
    "é",
    "😀",
    ";",
    ",",
    "&x=1",
    "#x",
    "'",
    '"',
    "<",
    "*",
]
MADE_UP = [
    "0",
    "1",
    "-1",
    "null",
    "None",
    "undefined",
    "true",
    "NaN",
    "admin",
    "token",
    "confirm",
    ".",
    "..",
    "...",
    "~",
    "*",
    "%",
    "%%",
    "%00",
    "%2e%2e%2f",
    "..%2f..%2fetc%2fpasswd",
    "..\\..\\windows",
    "....//....//etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "%252e%252e%252f",
    "\x00",
    "\r\n",
    "\r\nSet-Cookie: a=b",
    "' OR '1'='1",
    "'; DROP TABLE subscriber; --",
    "1 UNION SELECT 1",
    "{{ 7*7 }}",
    "${7*7}",
    "%s%n%x",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "=1+1",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "ада",
    "ａｂｃ",
    "\u202e",
    "\ufffd",
    "😀" * 40,
    "A" * 22,
    "A" * 43,
    "." * 66,
    "A" * 22 + "." + "A" * 43,
    "-" * 22 + "." + "-" * 43,
    "A" * 66,
    "A" * 255,
    "A" * 4_096,
    "A" * 200_000,
    "=" * 100,
    "gAAAAA",
    "gAAAAABl" + "A" * 400,
    "a.b.c",
    "..",
    ".A",
    "A.",
    "[]",
    "{}",
    '{"id": 1}',
    'O:8:"stdClass":0:{}',
]


def unsigned(payload: Mapping[str, object]) -> str:
    """A web token of the kind that says of itself that nobody need sign it."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT"}, payload)
    )
    return f"{head}.{body}."


def spoiled(token: str, borrowed: list[str]) -> list[str]:
    """What may come instead of a token that works; `borrowed` are good ones of other doors."""
    middle = len(token) // 2
    every = [
        *_cut(token),
        *[token + tail for tail in TAILS],
        *[head + token for head in ("A", ".", " ", "\x00", "=", "../", "%2e")],
        *_changed(token),
        *_dressed(token),
        token.upper(),
        token.lower(),
        token.swapcase(),
        token[::-1],
        token + token,
        token[middle:] + token[:middle],
        *MADE_UP,
        *borrowed,
        *[unsigned(payload) for payload in ({}, {"sub": token}, {"exp": 9_999_999_999})],
    ]
    return [each for each in dict.fromkeys(every) if each != token]


def _cut(token: str) -> list[str]:
    return [token[:end] for end in range(1, len(token), max(1, len(token) // 24))] + [
        token[start:] for start in range(1, 12)
    ]


def _changed(token: str) -> list[str]:
    """One character another, at every third place and in the last, which carries spare bits."""
    places = [*range(0, len(token), max(1, len(token) // 40)), len(token) - 1]
    return [f"{token[:at]}{_other(token[at])}{token[at + 1 :]}" for at in places]


def _other(character: str) -> str:
    return "B" if character == "A" else chr(ord(character) ^ 1) if character.isalnum() else "A"


def _dressed(token: str) -> list[str]:
    """The same bytes, or so it looks, in another spelling."""
    return [
        token.replace("-", "+").replace("_", "/") + "+",
        token.replace(".", ":"),
        token.replace(".", "%2e%2e"),
        token.replace(".", "．"),
        *[token.replace(latin, other, 1) for latin, other in LOOKALIKES.items() if latin in token],
        "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in token),
        f"{token[:9]}\u200d{token[9:]}",
        f"{token[:9]}\n{token[9:]}",
        f"{token[:9]} {token[9:]}",
        f"{token[:9]}!{token[9:]}",
        f"{token[:9]}={token[9:]}",
        "".join(f"%{ord(c):02x}" for c in token),
        base64.urlsafe_b64encode(token.encode()).decode(),
        token.encode().hex(),
    ]
