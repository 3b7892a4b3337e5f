"""Poses as numbers: where every joint is. The floor is y = 0; a lying head points left."""

from __future__ import annotations

from math import asin, cos, degrees, radians, sin, sqrt

from blueprint.figures.body import (
    ANKLE_HEIGHT,
    FOREARM,
    HIP_WIDTH,
    SHANK,
    THIGH,
    TRUNK,
    UPPER_ARM,
    Arm,
    Leg,
    Pose,
    spine_from,
    straight_spine,
)
from blueprint.figures.geometry import Space, joint_between

UP, RIGHT = Space(0, 1), Space(1, 0)
ACROSS = Space(0, 0, -HIP_WIDTH)  # from a near joint to its far twin
LYING_SHOULDER, LYING_HIP = Space(0, 11), Space(TRUNK, 14.2)


def leg(hip: Space, ankle: Space, pole: Space, toes: float = 0.0) -> Leg:
    """A leg whose knee bends in the direction `pole`."""
    return Leg(hip, joint_between(hip, ankle, THIGH, SHANK, pole), ankle, toes)


def arm(shoulder: Space, wrist: Space, pole: Space, hand: float = 0.0) -> Arm:
    """An arm whose elbow bends in the direction `pole`."""
    return Arm(shoulder, joint_between(shoulder, wrist, UPPER_ARM, FOREARM, pole), wrist, hand)


def arm_along(shoulder: Space, upper: float, lower: float, hand: float) -> Arm:
    """An arm in the picture plane, by the directions of its bones (degrees)."""
    elbow = shoulder.step(upper, UPPER_ARM)
    return Arm(shoulder, elbow, elbow.step(lower, FOREARM), hand)


def arm_by_the_side(shoulder: Space) -> Arm:
    """The arm of somebody lying down: along the mat, palm on the floor."""
    start = shoulder + Space(1.5, -1.2)
    return arm_along(start, -9.5, -1.4, 0)


def bridge(up: bool) -> Pose:
    """Glute bridge: lying, knees bent; at the top shoulder, hip and knee are in one line."""
    shoulder = LYING_SHOULDER
    rise = degrees(asin((SHANK + ANKLE_HEIGHT - shoulder.y) / (TRUNK + THIGH)))
    knee_at_top = shoulder.step(rise, TRUNK + THIGH)
    ankle = Space(knee_at_top.x, ANKLE_HEIGHT)
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


def rest() -> Pose:
    """Lying at rest: knees over a cushion, one hand on the belly."""
    hip = Space(TRUNK, 13.2)
    knee = hip.step(24, THIGH)
    ankle = knee.step(-degrees(asin((knee.y - ANKLE_HEIGHT) / SHANK)), SHANK)
    far = ACROSS + Space(4, 0)
    return Pose(
        near_leg=Leg(hip, knee, ankle, 64),
        far_leg=Leg(hip + far, knee + far, ankle + far, 58),
        spine=straight_spine(hip, 177.4),
        near_arm=arm(Space(1.5, 9.8), Space(35.5, 25.4, -20), Space(0.1, -1, 0.6), -6),
        gaze=88,
    )


def half_kneeling(forward: bool) -> Pose:
    """Hip flexor stretch: back knee down; then the tucked pelvis glides forward."""
    knee = Space(0, 7.5)
    hip = knee.step(70 if forward else 87, THIGH)
    ankle = knee + Space(-sqrt(SHANK**2 - 2**2), -2)
    far = Space(2, 0, 0)
    front = leg(hip + far, Space(41, ANKLE_HEIGHT), RIGHT + UP)
    spine = straight_spine(hip, 96 if forward else 84, 90 if forward else 86)
    shoulder = spine[-2] + Space(0, -3.5)
    return Pose(
        near_leg=Leg(hip, knee, ankle, 184),
        far_leg=front,
        spine=spine,
        near_arm=arm(shoulder, front.knee + Space(-15, 11.5), Space(-1, -1), -22),
    )


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
        near_arm=arm_along(spine[-2] + Space(-0.5, -3), -93, -84, -84),
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
        near_arm=arm_along(near, -3, 15, 3),
        far_arm=arm_along(far, 2, 9, 4),
        gaze=-14,
    )


def figure_four(drawn_in: bool) -> Pose:
    """Lying figure-4: near ankle on the far thigh, near knee out towards the viewer."""
    hip, far_hip = LYING_HIP, LYING_HIP + Space(-1.5, 3, -HIP_WIDTH)
    if drawn_in:
        knee = far_hip.step(98, THIGH)
        support = Leg(far_hip, knee, knee.step(4, SHANK), 72)
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
    hand = thigh.hip + (thigh.knee - thigh.hip).times(0.5) + Space(-8, 0, 3)
    return arm(LYING_SHOULDER + Space(1.5, 0), hand, Space(0, -1), 40)


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
        spine=(Space(0, 17.5), Space(-48, 24, 2), Space(-58, 22, 1)),
        near_arm=arm(top_shoulder, floor_hand, Space(1, 0.4, 0.2), 196),
        far_arm=Arm(Space(-50, 9), Space(-78.9, 4, 3.2), Space(-103.2, 4, 0.2), 178),
    )


def crossed() -> Pose:
    """Standing with the pelvis tipped forward and a deeper curve, arms folded; exaggerated."""
    ankle = Space(0, ANKLE_HEIGHT)
    knee = ankle.step(92, SHANK)
    hip = knee.step(86, THIGH)
    spine = spine_from(hip, 70, 100, 106, 97, 84)
    far = Space(1.5, 0, -HIP_WIDTH / 2)
    far_ankle = ankle + far + Space(3.0, 0)
    shoulder = spine[-2] + Space(-0.5, -3)
    out = sqrt(UPPER_ARM**2 - (UPPER_ARM - 2) ** 2)
    elbow = shoulder.step(-66, UPPER_ARM - 2) + Space(0, 0, out)
    across = sqrt(FOREARM**2 - (FOREARM - 7) ** 2)
    return Pose(
        near_leg=Leg(hip, knee, ankle),
        far_leg=leg(hip + far, far_ankle, RIGHT),
        spine=spine,
        near_arm=Arm(shoulder, elbow, elbow.step(112, FOREARM - 7) + Space(0, 0, -across), 128),
        gaze=-2,
    )
