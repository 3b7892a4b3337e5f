"""Print one guide: python -m blueprint SAMPLE.json OUT.pdf, or serve many with --serve."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from blueprint.editions import Edition
from blueprint.render import RenderFailed
from blueprint.worker import print_to, serve

# A press peaks at 385 MB of address space, of which it touches 95 MB.
MEMORY_MB = 512


def main() -> int:
    """The exit status: 0 for a printed guide, 1 for one that could not be made."""
    parser = argparse.ArgumentParser(prog="python -m blueprint", description=__doc__)
    parser.add_argument("sample", nargs="?", type=Path, help="the guide's input as JSON")
    parser.add_argument("out", nargs="?", type=Path, help="the PDF to write")
    parser.add_argument("--edition", choices=list(Edition), default=Edition.GUIDE, type=Edition)
    parser.add_argument("--serve", action="store_true", help="read requests from standard input")
    parser.add_argument("--memory-mb", type=int, default=MEMORY_MB, help="ceiling with --serve")
    chosen = parser.parse_args()
    if chosen.serve:
        serve(sys.stdin.buffer, sys.stdout.buffer, chosen.memory_mb * 1024 * 1024)
        return 0
    if not chosen.sample or not chosen.out:
        parser.error("give a sample and the PDF to write, or --serve")
    return _print_one(chosen.sample, chosen.out, chosen.edition)


def _print_one(sample: Path, out: Path, edition: Edition) -> int:
    try:
        made = print_to(json.loads(sample.read_text(encoding="utf-8")), out, edition)
    except (ValueError, OSError, RenderFailed) as fault:
        sys.stderr.write(f"{sample}: {fault}\n")
        return 1
    sys.stdout.write(f"{out}: {made['pages']} pages, {made['bytes']} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
