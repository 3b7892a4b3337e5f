"""Outlines of the body in centimetres: cross-sections along bones, and flat silhouettes."""

from __future__ import annotations

from dataclasses import dataclass


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


def mirrored(shape: Shape) -> Shape:
    """Front and back exchanged: the same limb on the other side of the body."""
    return tuple(Station(station.along, station.back, station.front) for station in shape)


# Along a limb `along` is a share of the bone, 0 to 1.
THIGH_SHAPE = shape((0, 9.2, 9.6), (0.3, 9.5, 9.2), (0.65, 7.7, 7.6), (1, 6.0, 6.0))
SHANK_SHAPE = shape(
    (0, 5.9, 5.7), (0.28, 4.7, 7.3), (0.55, 4.3, 5.6), (0.82, 3.6, 3.5), (1, 3.5, 3.5)
)
ANKLE_SHAPE = shape((0, 3.2, 3.2), (1, 3.2, 3.2))
UPPER_ARM_SHAPE = shape((0, 5.4, 5.6), (0.4, 5.1, 5.2), (1, 4.0, 4.0))
SLEEVE_SHAPE = shape((0, 6.2, 6.4), (0.35, 6.1, 6.3), (0.6, 6.0, 6.1))
FOREARM_SHAPE = shape((0, 4.0, 4.0), (0.3, 4.2, 4.0), (1, 2.8, 2.7))
NECK_SHAPE = shape((0, 5.8, 5.8), (0.5, 5.0, 5.0), (1, 5.0, 5.0))
SOLE_SHAPE = shape((0, 4.0, 4.0), (0.5, 4.3, 4.3), (1, 2.9, 2.9))

# Along the spine `along` is in centimetres from the hip joint.
PELVIS_SHAPE = shape(
    (-11, 7.0, 8.8), (-5, 8.8, 12.8), (1, 9.4, 13.8), (8, 9.4, 11.2), (15, 8.6, 7.8)
)
STANDING_PELVIS = shape(
    (-16, 6.4, 8.0), (-10, 8.0, 10.6), (-4, 9.2, 13.0), (1, 9.4, 13.6), (8, 9.4, 11.2),
    (15, 8.6, 7.8),
)  # fmt: skip
SEATED_PELVIS = shape(
    (-8, 6.0, 11.4), (-3, 8.6, 13.4), (2, 9.4, 13.6), (8, 9.4, 11.2), (15, 8.6, 7.8)
)
SHIRT_SHAPE = shape(
    (5, 10.2, 12.4),
    (9, 9.9, 11.6),
    (16, 9.7, 9.4),
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

# Seen from the front or from behind: `front` is the outer side of the right-hand limb on paper.
WIDE_THIGH = shape((0, 9.4, 7.4), (0.25, 9.2, 8.0), (0.6, 7.6, 7.0), (1, 5.8, 5.6))
WIDE_SHANK = shape(
    (0, 5.7, 5.4), (0.28, 6.3, 6.1), (0.6, 4.7, 4.3), (0.86, 3.6, 3.6), (1, 3.6, 3.6)
)
WIDE_ARM = shape((0, 5.0, 4.6), (0.4, 4.8, 4.6), (1, 3.7, 3.7))
WIDE_SLEEVE = shape((0, 5.2, 5.2), (0.3, 5.5, 5.4), (0.56, 5.3, 5.2))
WIDE_PELVIS = shape(
    (-11.5, 5, 5), (-9, 13, 13), (-4, 17, 17), (1, 17.4, 17.4), (7, 15.6, 15.6), (11, 12, 12)
)
WIDE_SHIRT = shape(
    (1.5, 18.0, 18.0),
    (8, 16.8, 16.8),
    (17, 14.4, 14.4),
    (24, 14.4, 14.4),
    (33, 16.4, 16.4),
    (40, 18.4, 18.4),
    (45.5, 18.8, 18.8),
    (49.3, 12.0, 12.0),
    (51.5, 6.4, 6.4),
)

# Outlines in profile: the head from the base of the neck, the hand from the wrist (thumb to the
# left of the fingers), the foot from the ankle.
HEAD: Outline = (
    (9.6, 8.8), (11.3, 10.8), (11.7, 13.6), (13.6, 15.4), (12.2, 18.6), (12.1, 22.0), (10.2, 26.6),
    (4.2, 29.8), (-2.6, 27.8), (-6.0, 21.8), (-4.6, 15.0), (-1.4, 10.6), (4.2, 8.6),
)  # fmt: skip
EAR: Outline = ((1.0, 19.0), (2.8, 18.4), (2.6, 15.6), (1.2, 14.8), (0.2, 16.8))
THUMB_HAND: Outline = (
    (-1.6, 2.7), (2.4, 3.2), (5.4, 5.2), (8.6, 6.2), (9.6, 4.8), (8.0, 3.2), (11.6, 2.6),
    (15.6, 1.4), (16.6, -0.4), (14.6, -1.8), (9.0, -3.0), (3.0, -3.0), (-1.6, -2.6),
)  # fmt: skip
FLAT_HAND: Outline = (
    (-1.6, 2.7), (3.0, 3.0), (8.0, 3.0), (13.0, 2.2), (16.4, 0.8), (16.0, -1.0), (12.0, -2.4),
    (6.0, -3.0), (2.0, -2.8), (-1.6, -2.6),
)  # fmt: skip
FOOT: Outline = (
    (-3.6, 3.0), (-5.2, -2.6), (-5.4, -5.4), (-3.2, -7.0), (4.0, -6.4), (11.0, -7.0), (17.4, -6.8),
    (19.2, -5.0), (15.8, -3.0), (9.0, -0.6), (4.6, 2.2), (3.4, 4.4),
)  # fmt: skip
POINTED_FOOT: Outline = (
    (-4.0, 3.3), (3.0, 3.7), (10.0, 3.5), (17.0, 2.6), (21.4, 1.2), (21.0, -0.8), (14.0, -2.2),
    (8.0, -2.8), (3.6, -5.2), (0.0, -6.6), (-3.0, -5.6), (-4.4, -3.3),
)  # fmt: skip
WIDE_FOOT: Outline = (
    (-3.4, 3.0), (-3.6, -2.4), (-4.3, -5.6), (-2.4, -7.0), (2.6, -7.0), (7.6, -6.8), (8.4, -5.2),
    (5.6, -2.2), (3.7, 0.4), (3.4, 3.0),
)  # fmt: skip

# Hair in profile, over the head; a style may also have a part behind it.
SHORT_HAIR: Outline = (
    (11.4, 25.8), (8.2, 29.6), (2.6, 31.4), (-4.0, 29.2), (-7.4, 22.4), (-5.8, 15.0), (-3.2, 12.6),
    (-0.6, 15.4), (0.6, 19.4), (3.6, 21.6), (5.4, 24.6),
)  # fmt: skip
BUN: Outline = ((-5.0, 27.0), (-9.6, 27.6), (-11.2, 23.4), (-8.8, 19.8), (-5.2, 21.0))
CURLS: Outline = (
    (11.8, 26.0), (11.2, 30.6), (6.4, 34.4), (-0.6, 35.2), (-7.2, 32.4), (-10.6, 26.2),
    (-10.2, 19.4), (-7.4, 14.6), (-3.4, 13.4), (-0.6, 15.6), (0.6, 19.4), (3.6, 21.6), (6.0, 24.2),
)  # fmt: skip
BOB: Outline = (
    (11.5, 25.4), (8.4, 29.8), (2.6, 31.7), (-4.4, 29.6), (-8.0, 22.8), (-8.6, 15.0), (-7.6, 9.6),
    (-2.8, 8.0), (2.4, 9.4), (3.8, 14.0), (3.0, 19.2), (4.2, 22.4), (6.0, 24.8),
)  # fmt: skip
PLAIT: Outline = (
    (-4.0, 17.0), (-8.0, 14.0), (-10.6, 7.0), (-12.4, -1.0), (-13.2, -9.0), (-11.4, -14.0),
    (-9.8, -9.0), (-8.4, -1.0), (-6.0, 6.0), (-2.4, 11.0),
)  # fmt: skip
FRINGE_OF_HAIR: Outline = (
    (-1.4, 26.2), (-4.6, 26.4), (-7.2, 22.4), (-6.2, 15.6), (-3.4, 12.4), (-0.8, 14.8), (0.2, 18.8),
    (1.2, 22.6),
)  # fmt: skip
BEARD: Outline = (
    (2.2, 16.4), (2.0, 12.0), (4.4, 8.0), (8.8, 6.6), (11.8, 8.8), (12.0, 11.6), (10.4, 13.0),
    (6.8, 12.4), (4.4, 14.6),
)  # fmt: skip
HEADSCARF: Outline = (
    (11.4, 25.6), (8.6, 29.8), (2.6, 31.7), (-4.6, 29.4), (-8.0, 22.0), (-7.6, 13.0), (-8.8, 4.0),
    (-9.6, -2.6), (0.0, -5.4), (9.6, -4.0), (9.8, 2.4), (9.0, 8.0), (6.0, 10.4), (4.9, 15.0),
    (5.2, 19.6), (7.4, 23.4),
)  # fmt: skip


def both_sides(*half: tuple[float, float]) -> Outline:
    """A symmetrical outline from its right half, walked from the top to the bottom."""
    left = [(-x, y) for x, y in reversed(half) if x]
    return (*half, *left)


# An upright head from the base of the neck, seen from behind or from the front.
BACK_OF_HEAD = both_sides(
    (0, 31.4), (5.2, 30.0), (8.2, 25.0), (8.3, 19.4), (6.8, 14.2), (4.0, 11.6), (0, 11.0)
)
BACK_OF_CURLS = both_sides(
    (0, 35.0), (6.6, 33.4), (11.0, 28.4), (11.4, 21.4), (8.6, 15.4), (4.0, 12.4), (0, 11.8)
)
BACK_PLAIT = both_sides((0, 14.0), (2.6, 10.0), (2.9, 2.0), (2.6, -8.0), (1.9, -17.0), (0, -22.0))
BACK_BUN = both_sides((0, 37.4), (4.2, 36.0), (5.4, 32.4), (4.0, 29.2), (0, 28.0))
FACE = both_sides((0, 29.0), (5.2, 27.6), (7.9, 22.0), (7.4, 15.4), (4.6, 10.2), (0, 8.4))
FACE_HAIR: Outline = (
    (0, 31.6), (5.6, 30.2), (8.7, 25.2), (8.6, 19.4), (7.2, 19.8), (6.2, 24.0), (2.6, 26.6),
    (-3.0, 26.0), (-6.4, 23.4), (-7.2, 19.8), (-8.6, 19.4), (-8.7, 25.2), (-5.6, 30.2),
)  # fmt: skip
