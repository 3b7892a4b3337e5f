"""Poses seen from straight behind or in front; the near limbs are the left ones on paper."""

from __future__ import annotations

from blueprint.figures.body import ANKLE_HEIGHT, HIP_WIDTH, Arm, Pose, spine_from
from blueprint.figures.geometry import Space
from blueprint.figures.poses.joints import arm, arm_along, leg

TOWARDS_US, AWAY = Space(0, 0, 1), Space(0, 0, -1)
HALF_SHOULDERS = 16.6


def _shoulder(spine: tuple[Space, ...], side: int, tilt: float = 0.0) -> Space:
    """A shoulder joint: -1 left, 1 right; `tilt` raises the right one (degrees)."""
    return (spine[-2] + Space(0, -6)).step(tilt, side * HALF_SHOULDERS)


def _hanging(shoulder: Space, side: int) -> Arm:
    return arm_along(shoulder, -90 + side * 7, -90 + side * 3, -90)


def even() -> Pose:
    """Standing evenly on both feet, back to us."""
    hip = Space(0, 89.4)
    spine = spine_from(hip, 90, 90, 90, 90, 90)
    return Pose(
        near_leg=leg(hip + Space(-8, 0), Space(-8.6, ANKLE_HEIGHT), AWAY),
        far_leg=leg(hip + Space(8, 0), Space(8.6, ANKLE_HEIGHT), AWAY),
        spine=spine,
        near_arm=_hanging(_shoulder(spine, -1), -1),
        far_arm=_hanging(_shoulder(spine, 1), 1),
    )


def on_one_leg() -> Pose:
    """Weight slung on the right leg, back to us: pelvis high on that side, other knee soft."""
    stance, drop = Space(15, 88.4), 14.0
    free = stance.step(180 + drop, HIP_WIDTH)
    spine = spine_from((stance + free).times(0.5), 101, 97, 86, 80, 88)
    left, right = _shoulder(spine, -1, -8), _shoulder(spine, 1, -8)
    return Pose(
        near_leg=leg(free, Space(-20, ANKLE_HEIGHT), AWAY),
        far_leg=leg(stance, Space(6, ANKLE_HEIGHT), AWAY),
        spine=spine,
        near_arm=_hanging(left, -1),
        far_arm=_hanging(right, 1),
    )


def side_step(wide: bool) -> Pose:
    """Band side-step, facing us: knees soft, hands together; then one foot out to the side."""
    left, right = Space(-11, ANKLE_HEIGHT), Space(41 if wide else 11, ANKLE_HEIGHT)
    hip = Space(14 if wide else 0, 75 if wide else 80)
    spine = spine_from(hip, 90, 90, 90, 90, 90)
    return Pose(
        near_leg=leg(hip + Space(-8, 0), left, TOWARDS_US),
        far_leg=leg(hip + Space(8, 0), right, TOWARDS_US),
        spine=spine,
        near_arm=_hand_to_chest(_shoulder(spine, -1), -1),
        far_arm=_hand_to_chest(_shoulder(spine, 1), 1),
    )


def _hand_to_chest(shoulder: Space, side: int) -> Arm:
    wrist = shoulder + Space(side * -10, -12, 14)
    return arm(shoulder, wrist, Space(side * 0.7, -1), 90 + side * 32)
