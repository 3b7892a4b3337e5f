"""The body in numbers: bone lengths, outlines, and the pose that joins them.

Proportions of a 170 cm adult after Winter (1990), in centimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

from blueprint.figures.geometry import Space

THIGH, SHANK, ANKLE_HEIGHT = 41.6, 41.0, 7.0
TRUNK, UPPER_ARM, FOREARM, HAND = 49.0, 29.5, 24.5, 13.0
NECK = 2.5  # from the shoulder joint to the base of the neck
HIP_WIDTH = 16.0


@dataclass(frozen=True)
class Leg:
    """Hip, knee and ankle joints; `toes` is the direction of the toes on paper (degrees)."""

    hip: Space
    knee: Space
    ankle: Space
    toes: float = 0.0


@dataclass(frozen=True)
class Arm:
    """Shoulder, elbow and wrist joints; `hand` is the direction of the fingers (degrees)."""

    shoulder: Space
    elbow: Space
    wrist: Space
    hand: float = 0.0


@dataclass(frozen=True)
class Pose:
    """One moment of a body. The spine runs from the hips to the base of the neck."""

    near_leg: Leg
    far_leg: Leg
    spine: tuple[Space, ...]
    near_arm: Arm
    far_arm: Arm | None = None
    gaze: float = 0.0  # 0 looks right, 90 looks up

    @property
    def shoulder(self) -> Space:
        return self.spine[-2]


def spine_from(hip: Space, *turns: float) -> tuple[Space, ...]:
    """Hip, waist, middle, chest, shoulder, neck base, walking the given five angles."""
    places = [hip]
    for angle, distance in zip(turns, (15, 9, 14, TRUNK - 38, NECK), strict=True):
        places.append(places[-1].step(angle, distance))
    return tuple(places)


def straight_spine(hip: Space, pelvis: float, ribs: float | None = None) -> tuple[Space, ...]:
    """A trunk whose pelvis and rib cage point along two angles (degrees)."""
    top = pelvis if ribs is None else ribs
    return spine_from(hip, pelvis, (pelvis + top) / 2, top, top, top)


@dataclass(frozen=True)
class Station:
    """One cross-section: how far along the bone, how thick in front and behind (centimetres)."""

    along: float
    front: float
    back: float


Shape = tuple[Station, ...]
Outline = tuple[tuple[float, float], ...]


def shape(*rows: tuple[float, float, float]) -> Shape:
    return tuple(Station(*row) for row in rows)


# Along a limb `along` is a share of the bone, 0 to 1.
THIGH_SHAPE = shape((0, 9.2, 9.6), (0.3, 9.5, 9.2), (0.65, 7.7, 7.6), (1, 6.0, 6.0))
SHANK_SHAPE = shape(
    (0, 5.9, 5.7), (0.28, 4.7, 7.3), (0.55, 4.3, 5.6), (0.82, 3.6, 3.5), (1, 3.5, 3.5)
)
ANKLE_SHAPE = shape((0, 3.2, 3.2), (1, 3.2, 3.2))
UPPER_ARM_SHAPE = shape((0, 5.4, 5.6), (0.4, 5.1, 5.2), (1, 4.0, 4.0))
SLEEVE_SHAPE = shape((0, 6.2, 6.4), (0.35, 6.1, 6.3), (0.6, 6.0, 6.1))
FOREARM_SHAPE = shape((0, 4.0, 4.0), (0.3, 4.2, 4.0), (1, 2.8, 2.7))
HAND_SHAPE = shape((0, 2.7, 2.6), (0.45, 3.3, 3.1), (1, 1.9, 1.8))
NECK_SHAPE = shape((0, 5.8, 5.8), (0.5, 5.0, 5.0), (1, 5.0, 5.0))
SOLE_SHAPE = shape((0, 4.0, 4.0), (0.5, 4.3, 4.3), (1, 2.9, 2.9))

# Along the spine `along` is in centimetres from the hip joint.
PELVIS_SHAPE = shape(
    (-11, 7.0, 8.8), (-5, 8.8, 12.8), (1, 9.4, 13.8), (9, 9.5, 11.4), (17, 9.2, 8.6)
)
SHIRT_SHAPE = shape(
    (8, 9.9, 11.6),
    (16, 9.7, 9.2),
    (25, 10.6, 9.4),
    (35, 12.0, 10.8),
    (43, 11.2, 10.8),
    (49, 8.0, 8.6),
    (52, 5.6, 6.0),
)
TIPPED_PELVIS = shape(
    (-12, 7.0, 9.2), (-6, 8.6, 14.0), (0, 9.6, 16.0), (8, 11.0, 12.6), (17, 12.0, 8.0)
)
ARCHED_SHIRT = shape(
    (8, 11.6, 12.8),
    (16, 12.8, 8.2),
    (25, 12.6, 8.0),
    (35, 12.4, 10.4),
    (43, 11.0, 10.8),
    (50, 6.8, 7.6),
)

# A leg seen from the front, lying on its side.
LYING_THIGH = shape((0, 9.4, 9.4), (0.4, 9.2, 9.2), (0.75, 7.6, 7.6), (1, 6.4, 6.4))
LYING_SHANK = shape((0, 6.0, 6.0), (0.3, 6.4, 6.0), (0.7, 4.6, 4.4), (1, 3.7, 3.7))
LYING_ANKLE = shape((0, 3.3, 3.3), (1, 3.3, 3.3))
LYING_FOOT = shape((0, 4.4, 4.4), (0.4, 4.2, 4.2), (1, 3.0, 3.0))
LYING_NECK = shape((0, 5.6, 5.6), (1, 5.2, 5.2))

# Outlines in profile: the head from the base of the neck, the foot from the ankle.
HEAD: Outline = (
    (9.6, 8.8), (11.3, 10.8), (11.7, 13.6), (13.6, 15.4), (12.2, 18.6), (12.1, 22.0), (10.2, 26.6),
    (4.2, 29.8), (-2.6, 27.8), (-6.0, 21.8), (-4.6, 15.0), (-1.4, 10.6), (4.2, 8.6),
)  # fmt: skip
HAIR: Outline = (
    (11.4, 25.8), (8.2, 29.6), (2.6, 31.4), (-4.0, 29.2), (-7.4, 22.4), (-5.8, 15.0), (-3.2, 12.6),
    (-0.6, 15.4), (0.6, 19.4), (3.6, 21.6), (5.4, 24.6),
)  # fmt: skip
BUN: Outline = ((-5.0, 27.0), (-9.6, 27.6), (-11.2, 23.4), (-8.8, 19.8), (-5.2, 21.0))
EAR: Outline = ((1.0, 19.0), (2.8, 18.4), (2.6, 15.6), (1.2, 14.8), (0.2, 16.8))
FOOT: Outline = (
    (-3.6, 3.0), (-5.2, -2.6), (-5.4, -5.4), (-3.2, -7.0), (4.0, -6.4), (11.0, -7.0), (17.4, -6.8),
    (19.2, -5.0), (15.8, -3.0), (9.0, -0.6), (4.6, 2.2), (3.4, 4.4),
)  # fmt: skip

# The head from the front, lying with the crown to the left, from the middle of the head.
FRONT_HAIR: Outline = (
    (-14.5, 0), (-12, 7), (-5, 10), (3, 9.4), (4.5, 7.6), (0, 0), (4.5, -7.6), (3, -9.4),
    (-5, -10), (-12, -7),
)  # fmt: skip
FRONT_FACE: Outline = (
    (-8.6, 0), (-6.5, 5.6), (0, 7.9), (6, 6.6), (10.5, 3.2), (11.6, 0), (10.5, -3.2), (6, -6.6),
    (0, -7.9), (-6.5, -5.6),
)  # fmt: skip
