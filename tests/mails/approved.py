"""The pictures of mails that somebody looked at and approved."""

from pathlib import Path

from PIL import Image

from tests.mails.browser import VIEWS, Look, View
from tests.support.pictures import difference

APPROVED = Path(__file__).parent / "approved"
COLOURS = 64
# A mail is compared in pieces of this height, so that a button counts in a long mail too.
PIECE = 100


def path_of(key: str, view: View) -> Path:
    """Where the approved picture of a mail lies."""
    return APPROVED / key.replace("/", "-") / f"{view}.png"


def small(picture: Image.Image) -> Image.Image:
    """A picture as it is kept: half as wide, of few colours."""
    halved = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    return halved.quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)


def approve(key: str, look: Look) -> None:
    """Keep what was seen of a mail as what is approved."""
    for view, picture in look.pictures.items():
        path = path_of(key, view)
        path.parent.mkdir(parents=True, exist_ok=True)
        small(picture).save(path, optimize=True)


def problems(key: str, look: Look) -> list[str]:
    """The windows in which a mail does not look as it was approved."""
    return [f"{view}: {told}" for view in VIEWS if (told := _change(key, view, look))]


def _change(key: str, view: View, look: Look) -> str | None:
    path = path_of(key, view)
    if not path.exists():
        return "nobody approved it yet: look at it, then make approve"
    with Image.open(path) as approved:
        if is_changed(approved.convert("RGB"), small(look.pictures[view]).convert("RGB")):
            return "it looks different; make approve, if better"
    return None


def is_changed(one: Image.Image, other: Image.Image) -> bool:
    """Whether a person would see it, in any piece from top to bottom."""
    if one.size != other.size:
        return True
    return any(
        difference(_piece(one, top), _piece(other, top)).is_visible
        for top in range(0, one.height, PIECE)
    )


def _piece(picture: Image.Image, top: int) -> Image.Image:
    return picture.crop((0, top, picture.width, min(top + PIECE, picture.height)))
