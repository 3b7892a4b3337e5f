"""Poses on the feet or on one knee, seen from the side."""

from __future__ import annotations

from math import sqrt

from blueprint.figures.body import (
    ANKLE_HEIGHT,
    HIP_WIDTH,
    SHANK,
    THIGH,
    Leg,
    Pose,
    spine_from,
    straight_spine,
)
from blueprint.figures.geometry import Space
from blueprint.figures.poses.joints import ACROSS, RIGHT, UP, ankle_height, arm, arm_along, leg


def standing() -> Pose:
    """Standing tall, arms by the side."""
    ankle = Space(0, ANKLE_HEIGHT)
    knee = ankle.step(86, SHANK)
    hip = knee.step(94, THIGH)
    spine = straight_spine(hip, 90, 89)
    far_ankle = ankle + ACROSS + Space(3.0, 0)
    return Pose(
        near_leg=Leg(hip, knee, ankle),
        far_leg=leg(hip + ACROSS, far_ankle, RIGHT),
        spine=spine,
        near_arm=arm_along(spine[-2] + Space(-0.5, -3), -93, -84, -84, thumb=True),
    )


def crossed() -> Pose:
    """Standing with the pelvis tipped forward and a deeper curve, a mug in the hand."""
    ankle = Space(0, ANKLE_HEIGHT)
    knee = ankle.step(87, SHANK)
    hip = knee.step(91, THIGH)
    spine = spine_from(hip, 70, 100, 106, 97, 84)
    far = Space(1.5, 0, -HIP_WIDTH / 2)
    return Pose(
        near_leg=Leg(hip, knee, ankle),
        far_leg=leg(hip + far, ankle + far + Space(4.0, 0), RIGHT),
        spine=spine,
        near_arm=arm_along(spine[-2] + Space(-0.5, -3), -88, 52, 70, thumb=True),
        gaze=-2,
    )


def half_kneeling(forward: bool) -> Pose:
    """Hip flexor stretch: back knee down; then the tucked pelvis glides forward."""
    knee = Space(0, 7.5)
    hip = knee.step(70 if forward else 87, THIGH)
    ankle = knee + Space(-sqrt(SHANK**2 - 2**2), -2)
    front = leg(hip + Space(2, 0), Space(41, ANKLE_HEIGHT), RIGHT + UP)
    spine = straight_spine(hip, 96 if forward else 84, 90 if forward else 86)
    shoulder = spine[-2] + Space(0, -3.5)
    return Pose(
        near_leg=Leg(hip, knee, ankle, 187.4, pointed=True),
        far_leg=front,
        spine=spine,
        near_arm=arm(shoulder, front.knee + Space(-15, 11.5), Space(-1, -1), -22),
    )


def squat() -> Pose:
    """Squat to a chair: hips reach back until they touch the seat, arms reach forward."""
    ankle = Space(0, ANKLE_HEIGHT)
    knee = ankle.step(73, SHANK)
    hip = knee + Space(-sqrt(THIGH**2 - 7**2), 7)
    spine = straight_spine(hip, 52, 54)
    near, far = spine[-2] + Space(0, -1.5), spine[-2] + Space(3, 1)
    return Pose(
        near_leg=Leg(hip, knee, ankle),
        far_leg=leg(hip + ACROSS, ankle + ACROSS + Space(3.5, 0), RIGHT + UP),
        spine=spine,
        near_arm=arm_along(near, -2, 6, 5, thumb=True),
        far_arm=arm_along(far, 2, 8, 6, thumb=True),
        gaze=-14,
    )


def walking() -> Pose:
    """Walking: the near heel lands, the far foot pushes off, the arms swing against the legs."""
    hip = Space(0, 82)
    spine = straight_spine(hip, 88, 87)
    near_ankle = Space(33, ankle_height(16))
    far_ankle = Space(-35, ankle_height(-34)) + ACROSS
    shoulder = spine[-2] + Space(-0.5, -3)
    return Pose(
        near_leg=leg(hip, near_ankle, RIGHT, 16),
        far_leg=leg(hip + ACROSS, far_ankle, RIGHT, -34),
        spine=spine,
        near_arm=arm_along(shoulder, -114, -92, -88, thumb=True),
        far_arm=arm_along(shoulder + Space(2, 0), -66, -38, -36, thumb=True),
    )
