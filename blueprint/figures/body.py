"""The body in numbers: bone lengths, and the pose that joins them.

Proportions of a 170 cm adult after Winter (1990), in centimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

from blueprint.figures.geometry import Space

THIGH, SHANK, ANKLE_HEIGHT = 41.6, 41.0, 7.0
TRUNK, UPPER_ARM, FOREARM = 49.0, 29.5, 24.5
NECK = 2.5  # from the shoulder joint to the base of the neck
HIP_WIDTH = 16.0


@dataclass(frozen=True)
class Leg:
    """Hip, knee and ankle joints; `toes` is the direction of the toes on paper (degrees).

    A pointed foot lies on its back, as in kneeling.
    """

    hip: Space
    knee: Space
    ankle: Space
    toes: float = 0.0
    pointed: bool = False


@dataclass(frozen=True)
class Arm:
    """Shoulder, elbow and wrist joints; `hand` is the direction of the fingers (degrees)."""

    shoulder: Space
    elbow: Space
    wrist: Space
    hand: float = 0.0
    thumb: bool = False  # seen, on the left of the fingers


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
