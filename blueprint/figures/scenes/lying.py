"""Scenes on the mat: on the back."""

from __future__ import annotations

from dataclasses import replace

from blueprint.figures import marks, props, shapes
from blueprint.figures.body import Pose
from blueprint.figures.geometry import Point
from blueprint.figures.ink import limb_outline
from blueprint.figures.stage import EDGE, Stage

LYING_HEAD = Point(-1.6, -2.8)  # brings a lying head down to the mat


def _on_the_back(stage: Stage, pose: Pose) -> None:
    props.mat(stage.drawing, -44, 128)
    stage.person(pose, LYING_HEAD)


def bridge_start(stage: Stage, pose: Pose) -> None:
    _on_the_back(stage, pose)
    stage.arm(pose.near_arm)


def bridge_top(stage: Stage, pose: Pose) -> None:
    hip, knee, shoulder = (
        stage.see(j) for j in (pose.near_leg.hip, pose.near_leg.knee, pose.shoulder)
    )
    line = (knee - shoulder).unit()
    above = line.left_normal()
    _on_the_back(stage, pose)
    buttock = (hip - line.times(9) + Point(2.8, -9.2), hip + line.times(8) + Point(2.2, -6.4))
    marks.muscle(stage.drawing, *buttock, 9.5, bow=-1.2)
    stage.arm(pose.near_arm)
    marks.arrow(stage.drawing, Point(hip.x + 18, 10.5), Point(hip.x + 18, hip.y - 5))
    marks.guide_line(stage.drawing, shoulder + above.times(17), knee + above.times(12.5))


def bridge_cover(stage: Stage, pose: Pose) -> None:
    """The bridge for a deep background: no mat, no marks."""
    stage.person(pose, LYING_HEAD)
    stage.arm(pose.near_arm)


def rest(stage: Stage, pose: Pose) -> None:
    knee = stage.see(pose.near_leg.knee)
    props.mat(stage.drawing, -44, 150)
    outline = ((-24, 1), (-19, 12), (-3, knee.y - 7), (16, 13), (24, 1), (0, -0.5))
    stage.drawing.shape([Point(knee.x + dx, y) for dx, y in outline], "pad")
    stage.person(pose, LYING_HEAD)
    stage.arm(pose.near_arm)


def pelvis_tilt_start(stage: Stage, pose: Pose) -> None:
    _on_the_back(stage, pose)
    stage.arm(pose.near_arm)
    _tilting(stage, pose, towards_feet=True)


def pelvis_tilt_end(stage: Stage, pose: Pose) -> None:
    _on_the_back(stage, pose)
    low, high = stage.beside_spine(pose, 2, -6), stage.beside_spine(pose, 19, -6)
    marks.muscle(stage.drawing, low, high, 6.5, bow=0.8)
    stage.arm(pose.near_arm)
    _tilting(stage, pose, towards_feet=False)


def _tilting(stage: Stage, pose: Pose, towards_feet: bool) -> None:
    """The arrow over the belly: which way the pelvis rolls."""
    hip = stage.see(pose.near_leg.hip)
    left, right = hip + Point(-26, 18), hip + Point(2, 20)
    if towards_feet:
        marks.arrow(stage.drawing, left, right, bow=0.3)
    else:
        marks.arrow(stage.drawing, right, left, bow=-0.3)


def knees_to_chest(stage: Stage, pose: Pose) -> None:
    _on_the_back(stage, pose)
    low, high = stage.beside_spine(pose, 0, 8), stage.beside_spine(pose, 22, 5.4)
    marks.muscle(stage.drawing, low, high, 6.5, bow=0.6)
    stage.arm(pose.near_arm)
    knee = stage.see(pose.near_leg.knee)
    marks.arrow(stage.drawing, knee + Point(40, 16), knee + Point(16, 21), bow=0.12)


def figure_four_start(stage: Stage, pose: Pose) -> None:
    _figure_four(stage, pose)
    _crossed_leg(stage, pose)
    stage.arm(pose.near_arm)


def figure_four_end(stage: Stage, pose: Pose) -> None:
    _figure_four(stage, pose)
    stage.arm(pose.near_arm)
    _crossed_leg(stage, pose)
    hip, knee = stage.see(pose.near_leg.hip), stage.see(pose.far_leg.knee)
    marks.muscle(stage.drawing, hip + Point(-7, -6.6), hip + Point(10, -5.2), 8.5, bow=-0.8)
    marks.arrow(stage.drawing, knee + Point(30, 22), knee + Point(4, 20), bow=0.14)


def _figure_four(stage: Stage, pose: Pose) -> None:
    props.mat(stage.drawing, -44, 128)
    stage.leg(pose.far_leg, far=True)
    stage.head(pose, LYING_HEAD)
    stage.trunk(pose)


def _crossed_leg(stage: Stage, pose: Pose) -> None:
    """The near leg of the figure-4, seen foreshortened, its ankle on the far thigh."""
    leg = pose.near_leg
    hip, knee, ankle = (stage.see(joint) for joint in (leg.hip, leg.knee, leg.ankle))
    thigh = (stage.see(pose.far_leg.knee) - stage.see(pose.far_leg.hip)).unit()
    up = thigh.left_normal()
    foot = limb_outline(
        ankle - up.times(3), ankle + up.times(11) + thigh.times(3), shapes.SOLE_SHAPE
    )
    shin = tuple(
        replace(s, front=s.front * 1.06, back=(s.front + s.back) * 0.52) for s in shapes.SHANK_SHAPE
    )
    calf = limb_outline(knee, ankle.towards(knee, 0.12), shin)
    outlines = [(foot, "skin"), (calf, "leg"), (limb_outline(hip, knee, shapes.THIGH_SHAPE), "leg")]
    stage.drawing.shapes([*outlines], EDGE)
