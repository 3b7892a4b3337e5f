"""Poses seen from straight behind or in front; the near limbs are the left ones on paper."""

from __future__ import annotations

from blueprint.figures.body import ANKLE_HEIGHT, HIP_WIDTH, Arm, Pose, spine_from
from blueprint.figures.geometry import Space
from blueprint.figures.poses.joints import arm, arm_along, leg

TOWARDS_US, AWAY = Space(0, 0, 1), Space(0, 0, -1)
HALF_SHOULDERS = 17.0


def _shoulder(spine: tuple[Space, ...], side: int, tilt: float = 0.0) -> Space:
    """A shoulder joint: -1 left, 1 right; `tilt` raises the right one (degrees)."""
    return (spine[-2] + Space(0, -4)).step(tilt, side * HALF_SHOULDERS)


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
    stance, drop = Space(13, 89), 12.0
    free = stance.step(180 + drop, HIP_WIDTH)
    middle = (stance + free).times(0.5)
    spine = spine_from(middle, 98, 95, 87, 83, 88)
    left, right = _shoulder(spine, -1, -6), _shoulder(spine, 1, -6)
    return Pose(
        near_leg=leg(free, Space(-15, ANKLE_HEIGHT), AWAY),
        far_leg=leg(stance, Space(7, ANKLE_HEIGHT), AWAY),
        spine=spine,
        near_arm=_hanging(left, -1),
        far_arm=_hanging(right, 1),
    )


def side_step(wide: bool) -> Pose:
    """Band side-step, facing us: knees soft, hands on the hips; then one foot out to the side."""
    left, right = Space(-11, ANKLE_HEIGHT), Space(37 if wide else 11, ANKLE_HEIGHT)
    hip = Space(12 if wide else 0, 77 if wide else 80)
    spine = spine_from(hip, 90, 90, 90, 90, 90)
    return Pose(
        near_leg=leg(hip + Space(-8, 0), left, TOWARDS_US),
        far_leg=leg(hip + Space(8, 0), right, TOWARDS_US),
        spine=spine,
        near_arm=_on_the_hip(_shoulder(spine, -1), -1),
        far_arm=_on_the_hip(_shoulder(spine, 1), 1),
    )


def _on_the_hip(shoulder: Space, side: int) -> Arm:
    wrist = shoulder + Space(side * 0.5, -34)
    return arm(shoulder, wrist, Space(side, -0.1, -0.3), -90 - side * 40)
