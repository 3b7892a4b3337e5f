"""Limbs from few numbers: where they start and end, and which way they bend."""

from __future__ import annotations

from blueprint.figures.body import FOREARM, HIP_WIDTH, SHANK, THIGH, UPPER_ARM, Arm, Leg
from blueprint.figures.geometry import Point, Space, joint_between
from blueprint.figures.shapes import FOOT

UP, RIGHT = Space(0, 1), Space(1, 0)
ACROSS = Space(0, 0, -HIP_WIDTH)  # from a near joint to its far twin


def leg(hip: Space, ankle: Space, pole: Space, toes: float = 0.0) -> Leg:
    """A leg whose knee bends in the direction `pole`."""
    return Leg(hip, joint_between(hip, ankle, THIGH, SHANK, pole), ankle, toes)


def leg_along(hip: Space, thigh: float, shank: float, toes: float) -> Leg:
    """A leg in the picture plane, by the directions of its bones (degrees)."""
    knee = hip.step(thigh, THIGH)
    return Leg(hip, knee, knee.step(shank, SHANK), toes)


def arm(shoulder: Space, wrist: Space, pole: Space, hand: float = 0.0, thumb: bool = False) -> Arm:
    """An arm whose elbow bends in the direction `pole`."""
    elbow = joint_between(shoulder, wrist, UPPER_ARM, FOREARM, pole)
    return Arm(shoulder, elbow, wrist, hand, thumb)


def arm_along(shoulder: Space, upper: float, lower: float, hand: float, thumb: bool = False) -> Arm:
    """An arm in the picture plane, by the directions of its bones (degrees)."""
    elbow = shoulder.step(upper, UPPER_ARM)
    return Arm(shoulder, elbow, elbow.step(lower, FOREARM), hand, thumb)


def ankle_height(toes: float) -> float:
    """How high the ankle is when the foot, turned by `toes` degrees, just touches the floor."""
    return -min(Point(*place).turned(toes).y for place in FOOT)
