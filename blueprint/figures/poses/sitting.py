"""Poses on a seat or on the floor, seen from the side."""

from __future__ import annotations

from math import sqrt

from blueprint.figures.body import ANKLE_HEIGHT, SHANK, THIGH, Leg, Pose, spine_from, straight_spine
from blueprint.figures.geometry import Space
from blueprint.figures.poses.joints import ACROSS, RIGHT, UP, arm, leg

SEAT = 42.0  # the height of a seat
BALL = 4.5  # the radius of a massage ball
SITTING_HIP = Space(0, SEAT + 10.4)


def at_the_desk() -> Pose:
    """Sitting for a while: pelvis rolled back a little, hands at the keyboard."""
    ankle = Space(37, ANKLE_HEIGHT)
    spine = spine_from(SITTING_HIP, 100, 94, 86, 80, 66)
    shoulder = spine[-2] + Space(0.5, -3)
    return Pose(
        near_leg=leg(SITTING_HIP, ankle, RIGHT + UP),
        far_leg=leg(SITTING_HIP + ACROSS, ankle + ACROSS + Space(3, 0), RIGHT + UP),
        spine=spine,
        near_arm=arm(shoulder, Space(41, 75.5), Space(-0.4, -1), -6),
        far_arm=arm(shoulder + Space(2, 0), Space(46, 75.5), Space(-0.4, -1), -6),
        gaze=-8,
    )


def rising() -> Pose:
    """Getting up from a stool: leaning forward, hands pushing on the thighs, just off the seat."""
    ankle = Space(0, ANKLE_HEIGHT)
    knee = ankle.step(72, SHANK)
    hip = knee + Space(-sqrt(THIGH**2 - 16**2), 16)
    spine = spine_from(hip, 54, 48, 42, 42, 44)
    shoulder = spine[-2] + Space(0, -3)
    return Pose(
        near_leg=Leg(hip, knee, ankle),
        far_leg=leg(hip + ACROSS, ankle + ACROSS + Space(3.5, 0), RIGHT + UP),
        spine=spine,
        near_arm=arm(shoulder, knee + Space(-7, 11), Space(-1, 0.2), -30),
        far_arm=arm(shoulder + Space(3, 0), knee + Space(-1, 11), Space(-1, 0.2), -30),
        gaze=-18,
    )


def folded() -> Pose:
    """Sitting, folded forward over the thighs, arms and head hanging."""
    ankle = Space(38, ANKLE_HEIGHT)
    spine = spine_from(SITTING_HIP, 58, 32, 8, -12, -26)
    shoulder = spine[-2] + Space(0.5, -3)
    return Pose(
        near_leg=leg(SITTING_HIP, ankle, RIGHT + UP),
        far_leg=leg(SITTING_HIP + ACROSS, ankle + ACROSS + Space(3, 0), RIGHT + UP),
        spine=spine,
        near_arm=arm(shoulder, Space(43, 21), Space(-1, 0), -84),
        far_arm=arm(shoulder + Space(4, 0), Space(50, 21), Space(-1, 0), -80),
        gaze=-84,
    )


def on_the_ball() -> Pose:
    """Sitting on the floor, a ball under the near buttock, leaning back on the hands."""
    hip = Space(0, 21.6)
    ankle = Space(45, ANKLE_HEIGHT)
    spine = straight_spine(hip, 139, 135)
    shoulder = spine[-2] + Space(0, -2)
    return Pose(
        near_leg=leg(hip, ankle, UP),
        far_leg=leg(hip + ACROSS, ankle + ACROSS + Space(4, 0), UP),
        spine=spine,
        near_arm=arm(shoulder, Space(-53, 4), Space(-1, 0.2), 180),
        far_arm=arm(shoulder + Space(3, 0), Space(-49, 4), Space(-1, 0.2), 180),
        gaze=18,
    )
