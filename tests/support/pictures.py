"""How far a picture is from the approved one."""

from dataclasses import dataclass

from PIL import Image, ImageChops, ImageStat


@dataclass(frozen=True)
class Difference:
    """How far two pictures are apart: the mean, and the share that stands out."""

    mean: float
    share: float

    @property
    def is_visible(self) -> bool:
        """More than another version of the rasteriser would make of the same page."""
        return self.mean > 1.5 or self.share > 0.01


def difference(one: Image.Image, other: Image.Image) -> Difference:
    """How far two pictures of one size are apart; of two sizes, as far as can be.

    Of colours the one that differs most counts.
    """
    if one.size != other.size:
        return Difference(255.0, 1.0)
    apart = ImageChops.difference(one, other)
    standing_out = apart.point(([0] * 64 + [255] * 192) * len(apart.getbands()))
    share = max(ImageStat.Stat(standing_out).mean) / 255
    return Difference(max(ImageStat.Stat(apart).mean), share)
