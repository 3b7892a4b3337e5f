"""Scenes on the feet or on one knee, seen from the side."""

from __future__ import annotations

from blueprint.figures import marks, props, shapes
from blueprint.figures.body import Pose
from blueprint.figures.geometry import Point
from blueprint.figures.stage import Stage


def stand(stage: Stage, pose: Pose) -> None:
    props.floor(stage.drawing, -40, 44)
    stage.person(pose, pelvis=shapes.STANDING_PELVIS)
    stage.arm(pose.near_arm)


def walk(stage: Stage, pose: Pose) -> None:
    props.floor(stage.drawing, -66, 66)
    stage.person(pose, pelvis=shapes.STANDING_PELVIS)
    stage.arm(pose.near_arm)
    hip = stage.see(pose.near_leg.hip)
    marks.arrow(stage.drawing, hip + Point(34, 30), hip + Point(62, 30))


def hip_flexor_start(stage: Stage, pose: Pose) -> None:
    hip = stage.see(pose.near_leg.hip)
    _half_kneeling(stage, pose)
    stage.arm(pose.near_arm)
    marks.arrow(stage.drawing, hip + Point(-19, 13), hip + Point(-12.5, -15), bow=-0.38)


def hip_flexor_end(stage: Stage, pose: Pose) -> None:
    hip, knee = stage.see(pose.near_leg.hip), stage.see(pose.near_leg.knee)
    _half_kneeling(stage, pose)
    thigh = hip.towards(knee, 0.5) + Point(6, 1)
    marks.muscle(stage.drawing, hip + Point(5.6, 12), thigh, 7, bow=1.4)
    stage.arm(pose.near_arm)
    marks.arrow(stage.drawing, hip + Point(-40, 2), hip + Point(-19, 2))


def _half_kneeling(stage: Stage, pose: Pose) -> None:
    props.mat(stage.drawing, -62, 84)
    props.cushion(stage.drawing, -13, 13, 3.4)
    stage.person(pose, Point(0, 0.5), shapes.STANDING_PELVIS)


def squat_start(stage: Stage, pose: Pose) -> None:
    props.floor(stage.drawing, -78, 62)
    props.chair(stage.drawing, back=-66, front=-24, height=42)
    stage.person(pose, pelvis=shapes.STANDING_PELVIS)
    stage.arm(pose.near_arm)


def squat_end(stage: Stage, pose: Pose) -> None:
    hip = stage.see(pose.near_leg.hip)
    props.floor(stage.drawing, -78, 62)
    props.chair(stage.drawing, back=-66, front=-24, height=42)
    stage.person(pose)
    marks.muscle(stage.drawing, hip + Point(-4.2, 9), hip + Point(1.5, -8.5), 9.5, bow=1.6)
    stage.arm(pose.near_arm)
    marks.arrow(stage.drawing, hip + Point(-9, 37), hip + Point(-19, 13), bow=0.16)


# ---- the crossed pattern --------------------------------------------------------

BACK, HIP_FRONT = Point(-9, 108), Point(10.5, 82)
BELLY, GLUTES = Point(15, 107), Point(-15, 84)


def crossed_posture(stage: Stage, pose: Pose) -> None:
    props.floor(stage.drawing, -34, 40)
    stage.leg(pose.far_leg, far=True)
    stage.head(pose, Point(1, 0))
    stage.leg(pose.near_leg)
    stage.trunk(pose, shapes.TIPPED_PELVIS, shapes.ARCHED_SHIRT)
    stage.arm(pose.near_arm)
    props.mug(stage.drawing, stage.see(pose.near_arm.wrist) + Point(6, 8))
    _crossing_lines(stage)


def _crossing_lines(stage: Stage) -> None:
    drawing = stage.drawing
    drawing.line([BELLY, GLUTES], "thread", 3.0, dash="0.1 5")
    drawing.line([BACK, HIP_FRONT], "move", 3.4)
    labels = (
        (BACK, -31, 120, "Lower back", "tight, busy", "glow"),
        (GLUTES, -31, 73, "Glutes", "quiet", "quiet"),
        (BELLY, 33, 120, "Tummy", "quiet", "quiet"),
        (HIP_FRONT, 33, 73, "Hip flexors", "tight, short", "glow"),
    )
    for place, x, y, name, state, role in labels:
        side = 1 if x > 0 else -1
        anchor = "start" if x > 0 else "end"
        marks.spot(drawing, place, role)
        drawing.line([place + Point(6 * side, 0), Point(x - 2 * side, y)], "leader", 0.8)
        drawing.words(Point(x, y), name, "word", anchor, 9.4, "600")
        drawing.words(Point(x, y - 10), state, role, anchor, 8.6, "400")
