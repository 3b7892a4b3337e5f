"""The personal guide: from the press of confirm to a stored PDF, and what a press can do.

Prints one JSON line. "Spliced" is the product: only the reader's own pages are laid out. "Whole"
lays every page out again. Ratios are of processor time, the two in turns in the same process.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from weasyprint import HTML, Document

from blueprint import render
from blueprint.compose import compose, usual_pages
from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from funnel.adapters.press import SERVE, PdfPress
from tests.support import make, prints
from tests.support.house import House, open_house

READERS = 30
PRESSES = 2
SECONDS = 20.0
ROUNDS = 6
SAMPLES = Path(render.__file__).with_name("samples")
PATTERNS = ("typical", "quiet-glutes", "one-side", "leg-symptoms", "all-rounder", "minimal")
# The same press with every page laid out again for each reader.
WHOLE = """
import sys
from blueprint import render, worker
worker.press = render.press_whole
worker.serve(sys.stdin.buffer, sys.stdout.buffer, 512 * 1024 * 1024)
"""


def sample(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return found


def readers() -> Iterator[dict[str, object]]:
    """Documents of readers without end, each with her own name, of every pattern in turn."""
    dice = random.Random(3)
    documents = [sample(name) for name in PATTERNS]
    while True:
        for document in documents:
            name = "".join(dice.choices("abcdefghijklmnoprstuvwyz", k=dice.randint(3, 12)))
            yield document | {"first_name": name.title()}


# ---- through the services -----------------------------------------------------------------


def confirm_to_stored() -> dict[str, float]:
    """Seconds from the press of the button to a stored guide, with bases at hand and without."""
    with TemporaryDirectory() as name, closing(PdfPress()) as press:
        folder = Path(name)
        with open_house(f"sqlite:///{folder}/funnel.db", folder, press=press) as house:
            press.warm()
            while prints.make_next(house):
                pass  # the copies without a name, as a worker has them made when it starts
            seconds = [served(house, f"reader{i}@example.org", i) for i in range(READERS * 2)]
    warm = sorted(seconds[READERS:])
    return {
        "confirm_to_stored_seconds_p50": round(statistics.median(warm), 3),
        "confirm_to_stored_seconds_p95": round(warm[int(len(warm) * 0.95)], 3),
        "first_of_a_pattern_seconds": round(max(seconds[:READERS]), 3),
    }


def served(house: House, email: str, number: int) -> float:
    """One reader, who answered the self-check in her own way."""
    dice = random.Random(number)
    questions = house.rt.catalog.self_check.questions
    answers = {question.key: dice.choice(question.answers).key for question in questions}
    make.request(house, email, name=f"Reader {number}", health=True, answers=answers)
    started = time.monotonic()
    handle = make.confirm(house, email).guide_handle
    prints.make_next(house)
    seconds = time.monotonic() - started
    assert prints.file_of(house, handle) is not None
    return seconds


# ---- presses side by side -----------------------------------------------------------------


def side_by_side(command: Sequence[str]) -> tuple[float, float]:
    """Guides a minute of two presses at once, and the peak memory of the hungrier one in MB."""
    with ThreadPoolExecutor(PRESSES) as pool:
        done = list(pool.map(press_on, [command] * PRESSES))
    return sum(each for each, _ in done), max(peak for _, peak in done)


def press_on(command: Sequence[str]) -> tuple[float, float]:
    with TemporaryDirectory() as name, closing(PdfPress(command=command)) as press:
        out, queue = Path(name) / "guide.pdf", readers()
        for _ in PATTERNS:
            press.press(next(queue), out)
        started, guides = time.monotonic(), 0
        while time.monotonic() - started < SECONDS:
            press.press(next(queue), out)
            guides += 1
        a_minute = guides * 60 / (time.monotonic() - started)
        return a_minute, peak_mb(press)


def peak_mb(press: PdfPress) -> float:
    assert press._child is not None
    status = Path(f"/proc/{press._child.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024


# ---- inside one process -------------------------------------------------------------------


def in_turns(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The least processor seconds of each way: whatever else runs here only adds to them."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.process_time()
            way()
            seconds[name].append(time.process_time() - started)
    return {name: min(taken) for name, taken in seconds.items()}


def in_process(pattern: str) -> dict[str, float]:
    """Processor seconds of each way to one guide, and of the parts of laying out the whole."""
    guide = BlueprintInput.from_mapping(sample(pattern))
    html = compose(guide, usual_pages(guide))
    kept: dict[str, Document] = {}

    def laid_out() -> Document:
        kept["document"] = lay_out(html)
        return kept["document"]

    return in_turns(
        {
            "spliced": lambda: render.press(guide),
            "whole": lambda: render.press_whole(guide),
            "compose": lambda: compose(guide, usual_pages(guide)),
            "layout": laid_out,
            "write": lambda: kept["document"].write_pdf(pdf_variant="pdf/ua-1"),
        }
    )


def lay_out(html: str) -> Document:
    """WeasyPrint by itself, with its typefaces and stylesheets kept as we keep ours."""
    source = HTML(string=html, base_url=render.SCHEME, url_fetcher=render.BundledOnly())
    sheets = [render.stylesheet(name) for name in render.SHEETS[Edition.GUIDE]]
    return source.render(font_config=render.typefaces(), stylesheets=sheets, pdf_variant="pdf/ua-1")


def main() -> None:
    own, plain = in_process("typical"), in_process("minimal")
    spliced, spliced_mb = side_by_side(SERVE)
    whole, whole_mb = side_by_side((sys.executable, "-c", WHOLE))
    weasyprint = own["layout"] + own["write"]
    result = {
        "bench": "guide",
        **confirm_to_stored(),
        "guides_a_minute_two_presses": round(spliced),
        "guides_a_minute_two_presses_whole": round(whole),
        "press_peak_mb": round(spliced_mb, 1),
        "press_peak_mb_whole": round(whole_mb, 1),
        "spliced_seconds": round(own["spliced"], 3),
        "whole_seconds": round(own["whole"], 3),
        "ratio_with_a_pattern": round(own["whole"] / own["spliced"], 1),
        "ratio_without": round(plain["whole"] / plain["spliced"], 1),
        "whole_over_weasyprint": round(own["whole"] / weasyprint, 3),
        "share_composing": round(own["compose"] / own["whole"], 3),
        "share_laying_out": round(own["layout"] / own["whole"], 3),
        "share_writing": round(own["write"] / own["whole"], 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
