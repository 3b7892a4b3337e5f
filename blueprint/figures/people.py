"""The cast: skins, hair, clothes and builds, so that many readers see somebody like themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

from blueprint.figures import shapes
from blueprint.figures.ink import Palette
from blueprint.figures.shapes import Outline, Shape


@dataclass(frozen=True)
class Hair:
    """A style in profile and from behind; `behind` hangs behind the head in both."""

    side: Outline
    back: Outline = shapes.BACK_OF_HEAD
    side_behind: Outline = ()
    back_over: Outline = ()
    beard: Outline = ()
    shows_ear: bool = True
    role: str = "hair"


SHORT = Hair(shapes.SHORT_HAIR)
BUN = Hair(shapes.SHORT_HAIR, side_behind=shapes.BUN, back_over=shapes.BACK_BUN)
CURLS = Hair(shapes.CURLS, shapes.BACK_OF_CURLS)
BOB = Hair(shapes.BOB, shows_ear=False)
PLAIT = Hair(shapes.SHORT_HAIR, side_behind=shapes.PLAIT, back_over=shapes.BACK_PLAIT)
BALDING = Hair(shapes.FRINGE_OF_HAIR, beard=shapes.BEARD)
HEADSCARF = Hair(shapes.HEADSCARF, shows_ear=False, role="scarf")


@dataclass(frozen=True)
class Build:
    """How a body differs from the outlines: a factor for the limbs, centimetres for the trunk."""

    limbs: float = 1.0
    belly: float = 0.0
    chest: float = 0.0
    seat: float = 0.0

    def limb(self, shape: Shape) -> Shape:
        return tuple(
            replace(s, front=s.front * self.limbs, back=s.back * self.limbs) for s in shape
        )

    def trunk(self, shape: Shape) -> Shape:
        """The belly and the chest grow in front, the seat behind, each round its own height."""
        return tuple(
            replace(s, front=s.front + self._in_front(s.along), back=s.back + self._behind(s.along))
            for s in shape
        )

    def breadth(self, shape: Shape) -> Shape:
        """The trunk from the front or from behind: the same on both sides."""
        wider = [(s, self._aside(s.along)) for s in shape]
        return tuple(replace(s, front=s.front + cm, back=s.back + cm) for s, cm in wider)

    def _in_front(self, along: float) -> float:
        return self.belly * _swell(along, 13, 17) + self.chest * _swell(along, 34, 11)

    def _behind(self, along: float) -> float:
        return self.seat * _swell(along, 0, 20) + self.belly * 0.3 * _swell(along, 18, 14)

    def _aside(self, along: float) -> float:
        return self.belly * 0.6 * _swell(along, 14, 24) + self.seat * _swell(along, -2, 22)


def _swell(along: float, middle: float, reach: float) -> float:
    """1 at the middle, falling smoothly to 0 at `reach` centimetres on either side."""
    share = min(1.0, abs(along - middle) / reach)
    return (1 - share * share) ** 2


REGULAR = Build()
SLIM = Build(limbs=0.92, belly=-1.0)
CURVY = Build(limbs=1.06, belly=0.8, chest=2.4, seat=1.6)
BROAD = Build(limbs=1.16, belly=6.0, chest=2.6, seat=3.0)
ROUND_BELLY = Build(limbs=1.02, belly=4.6)


@dataclass(frozen=True)
class Person:
    palette: Palette
    hair: Hair = SHORT
    build: Build = REGULAR


AMBER = Palette("#cf9772", "#b47f5c", "#3a2a23", "#2f6f73", "#37797d", "#1c404b", "#42636e")
DEEP = Palette("#8f5d41", "#774b33", "#211815", "#7ba69c", "#86b0a6", "#1f4650", "#466872")
FAIR = Palette("#e2b698", "#c99b7d", "#9a9690", "#3d7f86", "#468990", "#24424f", "#4b6b76")
OLIVE = Palette("#b98160", "#a06d4f", "#2f2622", "#4d8a80", "#57948a", "#2a4a5e", "#50707f")
PALE = Palette("#ebc3a8", "#d3a688", "#8a4b2f", "#5f8f94", "#6a9a9f", "#2c4656", "#526f7e")
EBONY = Palette("#69432f", "#543525", "#17110f", "#a9bfa4", "#b5c9b0", "#1f4650", "#466872")
TAN = Palette("#d8a47f", "#bd8a67", "#9a9690", "#4f7d8c", "#5a8998", "#33475a", "#586e80")
UMBER = Palette("#a8734f", "#90603f", "#2f2622", "#b7a98a", "#c2b597", "#24424f", "#4b6b76")
ON_TEAL = replace(
    Palette("#d9a381", "#bd8868", "#2a1d18", "#f6ecdc", "#e4d3b8", "#7cc4bd", "#5ba39d"),
    edge="",
    recolourable=False,
)

ANA = Person(AMBER)
ANA_ON_TEAL = Person(ON_TEAL)
BEN = Person(DEEP)
CLARE = Person(FAIR, BUN)
DINA = Person(OLIVE, BUN, CURVY)
EVE = Person(PALE, BOB, BROAD)
FRANK = Person(TAN, BALDING, ROUND_BELLY)
GRACE = Person(EBONY, CURLS, SLIM)
HANA = Person(UMBER, HEADSCARF)
INDU = Person(replace(OLIVE, skin="#a8734f", skin_far="#90603f"), PLAIT, CURVY)
KOFI = Person(EBONY, SHORT, SLIM)
LENA = Person(replace(DEEP, shirt="#b7a98a", sleeve="#c2b597"), CURLS)
LOU = Person(replace(TAN, hair="#3a2a23"), BUN, BROAD)
JO = Person(replace(FAIR, shirt="#5b7f6f", sleeve="#668a7a"), BOB)
