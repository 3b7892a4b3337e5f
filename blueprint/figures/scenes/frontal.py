"""Scenes seen from straight behind or in front."""

from __future__ import annotations

from blueprint.figures import frontal, marks, props
from blueprint.figures.body import Pose
from blueprint.figures.geometry import Point
from blueprint.figures.stage import EDGE, Stage


def leg_line(stage: Stage, pose: Pose) -> None:
    """A calm dotted line from the buttock down the back of one leg."""
    hip, knee, ankle = (
        stage.see(j) for j in (pose.far_leg.hip, pose.far_leg.knee, pose.far_leg.ankle)
    )
    props.floor(stage.drawing, -40, 40)
    frontal.arms(stage, pose)
    frontal.person(stage, pose, facing_us=False)
    path = [hip + Point(1, -3), hip.towards(knee, 0.5), knee, knee.towards(ankle, 0.5)]
    marks.soft_path(stage.drawing, [*path, knee.towards(ankle, 0.8)])


def one_side(stage: Stage, pose: Pose) -> None:
    hip = stage.see(pose.far_leg.hip)
    props.floor(stage.drawing, -44, 46)
    frontal.arms(stage, pose)
    frontal.person(stage, pose, facing_us=False)
    marks.muscle(stage.drawing, hip + Point(-1, 8), hip + Point(5.5, -10), 9, bow=1)
    marks.arrow(stage.drawing, Point(30, 46), Point(30, 12))


def side_step_start(stage: Stage, pose: Pose) -> None:
    _side_step(stage, pose)


def side_step_end(stage: Stage, pose: Pose) -> None:
    _side_step(stage, pose)
    ankle = stage.see(pose.far_leg.ankle)
    marks.arrow(stage.drawing, ankle + Point(-40, 18), ankle + Point(-16, 18))


def _side_step(stage: Stage, pose: Pose) -> None:
    props.floor(stage.drawing, -40, 66)
    frontal.person(stage, pose, facing_us=True)
    _band(stage, pose)
    for leg, side in ((pose.near_leg, -1), (pose.far_leg, 1)):
        hip = stage.see(leg.hip)
        marks.muscle(stage.drawing, hip + Point(side * 5, 11), hip + Point(side * 8, -6), 7)
    frontal.arms(stage, pose, EDGE)


def _band(stage: Stage, pose: Pose) -> None:
    """A light band round both thighs, just above the knees."""
    left, right = (
        stage.see(leg.hip).towards(stage.see(leg.knee), 0.8)
        for leg in (pose.near_leg, pose.far_leg)
    )
    across = (right - left).unit()
    stage.drawing.bar(left - across.times(7.6), right + across.times(7.6), 4.4, "band")
