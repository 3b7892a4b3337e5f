"""Scenes on a seat or on the floor."""

from __future__ import annotations

from blueprint.figures import marks, props, shapes
from blueprint.figures.body import Pose
from blueprint.figures.geometry import Point
from blueprint.figures.poses.sitting import BALL, SEAT
from blueprint.figures.stage import Stage


def sit(stage: Stage, pose: Pose) -> None:
    hip, knee = stage.see(pose.near_leg.hip), stage.see(pose.near_leg.knee)
    props.floor(stage.drawing, -52, 96)
    props.desk(stage.drawing, 26, 92, 70)
    props.chair(stage.drawing, back=-28, front=20, height=SEAT)
    props.laptop(stage.drawing, 40, 66, 70)
    stage.person(pose, pelvis=shapes.SEATED_PELVIS)
    marks.muscle(stage.drawing, hip + Point(3, 15), hip.towards(knee, 0.5) + Point(0, 5), 7, bow=1)
    stage.arm(pose.near_arm)


def rise(stage: Stage, pose: Pose) -> None:
    hip = stage.see(pose.near_leg.hip)
    props.floor(stage.drawing, -60, 46)
    props.stool(stage.drawing, -52, -16, SEAT)
    stage.person(pose)
    low, high = stage.beside_spine(pose, 4, 8), stage.beside_spine(pose, 25, 6.4)
    marks.muscle(stage.drawing, low, high, 7.5, bow=0.6)
    stage.arm(pose.near_arm)
    marks.arrow(stage.drawing, hip + Point(-26, 16), hip + Point(-14, 44), bow=-0.12)


def seated_fold(stage: Stage, pose: Pose) -> None:
    props.floor(stage.drawing, -52, 74)
    props.chair(stage.drawing, back=-28, front=20, height=SEAT)
    if pose.far_arm:
        stage.arm(pose.far_arm, far=True)
    stage.leg(pose.far_leg, far=True)
    stage.head(pose)
    stage.leg(pose.near_leg)
    stage.trunk(pose, shapes.SEATED_PELVIS)
    low, high = stage.beside_spine(pose, 4, 8), stage.beside_spine(pose, 26, 6)
    marks.muscle(stage.drawing, low, high, 7, bow=0.6)
    stage.arm(pose.near_arm)


def ball_release(stage: Stage, pose: Pose) -> None:
    hip = stage.see(pose.near_leg.hip)
    props.mat(stage.drawing, -74, 78)
    stage.leg(pose.far_leg, far=True)
    if pose.far_arm:
        stage.arm(pose.far_arm, far=True)
    stage.head(pose)
    props.ball(stage.drawing, Point(hip.x - 3, BALL), BALL)
    stage.leg(pose.near_leg)
    stage.trunk(pose, shapes.SEATED_PELVIS)
    marks.muscle(stage.drawing, hip + Point(-7, 2), hip + Point(7, -5), 8)
    stage.arm(pose.near_arm)
