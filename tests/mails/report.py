"""`make mail-report`: every mail we ship, its scores and its pictures, in one page."""

import base64
import json
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from tests.content.samples import TEMPLATES
from tests.mails import build
from tests.mails.caniemail import EXCUSED
from tests.mails.caniemail_data import DATA
from tests.mails.gates import Judged, judge_all
from tests.mails.post import PostOffice, shipped_brand
from tests.mails.words import reading_grade
from tests.support.repo import ROOT

PAGE = ROOT / "var" / "mail-report" / "index.html"
COLOURS = 64


def totals(judged: Sequence[Judged]) -> dict[str, object]:
    """The report in a line."""
    mails = [each.mail for each in judged]
    green = sum(each.is_green for each in judged)
    return {
        "mails": len(judged),
        "green": green,
        "red": len(judged) - green,
        "heaviest_kb": round(max(map(build.html_octets, mails)) / 1000, 1),
        "style_kb": round(max(map(build.style_octets, mails)) / 1000, 1),
        "highest_spam": max(each.score.points for each in judged),
        "hardest_grade": round(max(map(reading_grade, mails)), 1),
        "wrong": sorted({v.gate for each in judged for v in each.verdicts if not v.is_good}),
    }


def write(judged: Sequence[Judged], page: Path) -> None:
    """Put the report on one page that asks nothing of anybody."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["data_address"] = _data_address
    environment.filters["head"] = _head
    text = environment.get_template("report.html").render(
        judged=judged,
        totals=totals(judged),
        excused=EXCUSED,
        source=json.loads(DATA.read_text("utf-8"))["source"],
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, "utf-8")


def _data_address(picture: Image.Image) -> str:
    out = BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def _head(content: bytes) -> str:
    return content.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n", "\n")


def publish(judged: Sequence[Judged], page: Path) -> int:
    """Write the report, say where it is and what it comes to; 1 where any mail is red."""
    write(judged, page)
    told = totals(judged)
    print(page)  # noqa: T201 - what was asked for
    print(json.dumps(told))  # noqa: T201 - the same
    return 1 if told["red"] else 0


if __name__ == "__main__":
    office = PostOffice(TEMPLATES, shipped_brand())
    sys.exit(publish(judge_all(office.every_mail(), office.catalog), PAGE))
