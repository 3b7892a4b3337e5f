"""Poses on the mat: on the back, and on the side."""

from __future__ import annotations

from math import asin, cos, degrees, radians, sin

from blueprint.figures.body import (
    ANKLE_HEIGHT,
    HIP_WIDTH,
    SHANK,
    THIGH,
    TRUNK,
    Arm,
    Leg,
    Pose,
    spine_from,
    straight_spine,
)
from blueprint.figures.geometry import Space, joint_between
from blueprint.figures.poses.joints import ACROSS, UP, arm, arm_along, leg, leg_along

LYING_SHOULDER, LYING_HIP = Space(0, 11), Space(TRUNK, 14.2)


def arm_by_the_side(shoulder: Space) -> Arm:
    """The arm of somebody lying down: along the mat, palm on the floor."""
    start = shoulder + Space(1.5, -1.2)
    return arm_along(start, -9.5, -1.4, 0)


def _foot_of_the_bridge() -> tuple[float, Space]:
    """How steeply shoulder, hip and knee line up at the top (degrees), and the ankle below."""
    rise = degrees(asin((SHANK + ANKLE_HEIGHT - LYING_SHOULDER.y) / (TRUNK + THIGH)))
    return rise, Space(LYING_SHOULDER.step(rise, TRUNK + THIGH).x, ANKLE_HEIGHT)


def bridge(up: bool) -> Pose:
    """Glute bridge: lying, knees bent; at the top shoulder, hip and knee are in one line."""
    shoulder = LYING_SHOULDER
    rise, ankle = _foot_of_the_bridge()
    hip = shoulder.step(rise, TRUNK) if up else LYING_HIP
    back = shoulder - hip
    lie = 180 + rise if up else 180 - degrees(asin(back.y / back.length()))
    return Pose(
        near_leg=leg(hip, ankle, UP),
        far_leg=leg(hip + ACROSS, ankle + ACROSS + Space(4.5, 0), UP),
        spine=straight_spine(hip, lie),
        near_arm=arm_by_the_side(shoulder),
        gaze=86 if up else 90,
    )


def pelvis_tilt(settled: bool) -> Pose:
    """Lying, knees bent: the lower back arched off the mat, then settled on it."""
    _, ankle = _foot_of_the_bridge()
    hip = LYING_HIP + (Space(0, -0.2) if settled else Space(-1.2, 1.0))
    turns = (189, 184, 180, 180, 180) if settled else (164, 174, 197, 218, 188)
    spine = spine_from(hip, *turns)
    return Pose(
        near_leg=leg(hip, ankle, UP),
        far_leg=leg(hip + ACROSS, ankle + ACROSS + Space(4.5, 0), UP),
        spine=spine,
        near_arm=arm(spine[-2] + Space(1.5, -1.2), Space(21, 24.6, -6), Space(-0.6, -0.6, 1), 2),
        gaze=90,
    )


def rest() -> Pose:
    """Lying at rest: knees over a cushion, one hand on the belly."""
    hip = Space(TRUNK, 15.4)
    knee = hip.step(24, THIGH)
    ankle = knee.step(-degrees(asin((knee.y - ANKLE_HEIGHT) / SHANK)), SHANK)
    far = ACROSS + Space(4, 0)
    return Pose(
        near_leg=Leg(hip, knee, ankle, 64),
        far_leg=Leg(hip + far, knee + far, ankle + far, 58),
        spine=straight_spine(hip, 183.3),
        near_arm=arm(Space(1.5, 9.8), Space(35.5, 25.4, -20), Space(0.1, -1, 0.6), -6),
        gaze=88,
    )


def knees_to_chest() -> Pose:
    """Lying: the hands draw both knees towards the chest."""
    hip = LYING_HIP + Space(0, 0.6)
    near = leg_along(hip, 128, -16, 56)
    shoulder, far_shoulder = LYING_SHOULDER + Space(1.5, 0), LYING_SHOULDER + Space(1.5, 0, -18)
    hand = near.knee + Space(3, 7)
    return Pose(
        near_leg=near,
        far_leg=leg_along(hip + ACROSS, 125, -14, 54),
        spine=spine_from(hip, 186, 186, 183, 182, 180),
        near_arm=arm(shoulder, hand, Space(0.5, -1), -20),
        far_arm=arm(far_shoulder, hand + Space(0, -2, -20), Space(0.5, -1), -20),
        gaze=90,
    )


def figure_four(drawn_in: bool) -> Pose:
    """Lying figure-4: near ankle on the far thigh, near knee out towards the viewer."""
    hip, far_hip = LYING_HIP, LYING_HIP + Space(-1.5, 3, -HIP_WIDTH)
    if drawn_in:
        support = leg_along(far_hip, 106, 6, 74)
    else:
        support = leg(far_hip, Space(LYING_HIP.x + 34.5, ANKLE_HEIGHT, -HIP_WIDTH), UP)
    thigh = (support.knee - far_hip).unit()
    front = Space(-thigh.y, thigh.x)
    resting = support.knee - thigh.times(5) - front.times(3) + Space(0, 0, 11)
    pole = Space(0.75, -0.2, 1) if drawn_in else Space(0.6, -0.3, 1)
    return Pose(
        near_leg=leg(hip, resting, pole),
        far_leg=support,
        spine=straight_spine(hip, 180 - degrees(asin(-3.2 / TRUNK))),
        near_arm=_holding(support) if drawn_in else arm_by_the_side(LYING_SHOULDER),
        gaze=90,
    )


def _holding(thigh: Leg) -> Arm:
    """The arm that holds behind the thigh."""
    hand = thigh.hip + (thigh.knee - thigh.hip).times(0.46) + Space(-3, 0, 6)
    return arm(LYING_SHOULDER + Space(1.5, 0), hand, Space(0.3, -1), 22)


def clamshell(opened: bool) -> Pose:
    """Clamshell on the side: hips stacked, heels together; the top knee opens."""
    low_hip, top_hip = Space(0, 9.5), Space(0, 9.5 + HIP_WIDTH)
    bend = radians(48)
    low_knee = low_hip + Space(cos(bend), -0.08, sin(bend)).unit().times(THIGH)
    low_ankle = low_knee + Space(cos(bend), 0, -sin(bend)).times(SHANK)
    top_ankle = low_ankle + Space(0, 8.5, 0)
    closed = joint_between(top_hip, top_ankle, THIGH, SHANK, Space(0, 0, 1))
    top_knee = closed.turned_about(top_hip, top_ankle, -60) if opened else closed
    top_shoulder, floor_hand = Space(-46, 39, 3), Space(-36, 2.5, 36)
    return Pose(
        near_leg=Leg(top_hip, top_knee, top_ankle),
        far_leg=Leg(low_hip, low_knee, low_ankle),
        spine=straight_spine(Space(0, 17.5), 174, 173),
        near_arm=arm(top_shoulder, floor_hand, Space(1, 0.4, 0.2), 196),
        far_arm=arm(Space(-50, 9), Space(-95, 4, -2), Space(0, 0, 1), 168),
        gaze=90,
    )
