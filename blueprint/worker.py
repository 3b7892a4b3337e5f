"""A long-lived press: one JSON request a line in, one PDF written, one JSON answer a line out.

It has no network, little memory and no secrets; it ends when its standard input ends.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from blueprint.editions import Edition
from blueprint.files import write_whole
from blueprint.model import BlueprintInput
from blueprint.render import RenderFailed, press

REQUEST_BYTES = 200_000  # a guide's document is a few kilobytes
FILE_BYTES = 20_000_000
NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind"})


def serve(requests: BinaryIO, answers: BinaryIO, memory_bytes: int) -> None:
    """Answer requests until there are no more. A guide that needs too much memory fails alone."""
    _shut_the_doors(memory_bytes)
    while line := requests.readline(REQUEST_BYTES + 1):
        answers.write(json.dumps(answer(line)).encode() + b"\n")
        answers.flush()
        if len(line) > REQUEST_BYTES:
            return  # the rest of that line cannot be told from the next request


def answer(line: bytes) -> dict[str, object]:
    """What one request line comes to: the file is whole at its path, or an error says why not."""
    try:
        if len(line) > REQUEST_BYTES:
            raise ValueError("the request is too long")
        document, out, edition = _request(line)
        return {"ok": True} | print_to(document, out, edition)
    except (ValueError, OSError, RenderFailed) as fault:
        return {"ok": False, "error": str(fault) or type(fault).__name__}
    except (MemoryError, RecursionError) as fault:
        return {"ok": False, "error": f"the guide is too big: {type(fault).__name__}"}


def print_to(
    document: Mapping[str, object], out: Path, edition: Edition = Edition.GUIDE
) -> dict[str, object]:
    """Render one edition to a file that appears whole or not at all; its pages, bytes and hash."""
    printed = press(BlueprintInput.from_mapping(document), edition)
    write_whole(out, printed.pdf)
    digest = sha256(printed.pdf).hexdigest()
    return {"pages": printed.pages, "bytes": len(printed.pdf), "sha256": digest}


def _request(line: bytes) -> tuple[Mapping[str, object], Path, Edition]:
    request = json.loads(line)
    if not isinstance(request, dict):
        raise ValueError("a request is one JSON object a line")
    document, out = request.get("document"), request.get("out")
    if not isinstance(document, dict) or not isinstance(out, str) or not out:
        raise ValueError("a request holds a document and the path out")
    if not Path(out).parent.is_dir():
        raise FileNotFoundError("there is no such folder for the guide")
    return document, Path(out), _edition(request.get("edition", Edition.GUIDE))


def _edition(name: object) -> Edition:
    if name not in list(Edition):
        raise ValueError(f"edition is one of {', '.join(Edition)}")
    return Edition(str(name))


def _shut_the_doors(memory_bytes: int) -> None:
    """From here on: a ceiling on memory and file size, no core dumps, no network."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_refuse_network)


def _refuse_network(event: str, _args: tuple[object, ...]) -> None:
    if event in NETWORK:
        raise OSError("the press has no network")
