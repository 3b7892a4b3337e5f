"""The clamshell, seen from in front and a little above."""

from __future__ import annotations

from blueprint.figures import frontal, marks, shapes
from blueprint.figures.body import Leg, Pose
from blueprint.figures.geometry import Point, Space
from blueprint.figures.ink import limb_outline
from blueprint.figures.poses.lying import clamshell as clamshell_pose
from blueprint.figures.stage import EDGE, Stage

SIDE_SHIRT = (
    (-57, 33, 2), (-53, 42, 2), (-46, 44, 2), (-36, 39, 2), (-22, 33.5, 2), (-7, 35.5, 2),
    (-6, 20, 8), (-9, 2.5, 2), (-22, 4, 2), (-36, 2, 2), (-48, 2.5, 2), (-56, 10, 2), (-59, 22, 4),
)  # fmt: skip
SIDE_HIPS = (
    (-14, 32, 2), (-6, 33.6, 2), (1, 34, 2), (8, 31, 4), (11, 21, 8), (9, 6, 4), (0, 1.5, 2),
    (-8, 2, 2), (-14, 3, 2),
)  # fmt: skip
MAT_CORNERS = ((-114, 0, 47), (98, 0, 47), (98, 0, -27), (-114, 0, -27))


def clamshell_start(stage: Stage, pose: Pose) -> None:
    _lying(stage, pose)
    stage.arm(pose.near_arm)


def clamshell_end(stage: Stage, pose: Pose) -> None:
    _lying(stage, pose)
    hip = stage.see(pose.near_leg.hip)
    marks.muscle(stage.drawing, hip + Point(-9, 5.5), hip + Point(9, 6.5), 8.5, bow=1.2)
    stage.arm(pose.near_arm)
    closed = stage.see(clamshell_pose(opened=False).near_leg.knee)
    knee = stage.see(pose.near_leg.knee)
    marks.arrow(stage.drawing, closed + Point(13, 4), knee + Point(13, -2), bow=0.16)


def _lying(stage: Stage, pose: Pose) -> None:
    def seen(places: tuple[tuple[float, float, float], ...]) -> list[Point]:
        return [stage.see(Space(*place)) for place in places]

    stage.drawing.polygon(seen(MAT_CORNERS), "mat", 4)
    if pose.far_arm:
        stage.arm(pose.far_arm, edge=0)
    _leg(stage, pose.far_leg, far=True)
    frontal.lying_head(stage, pose)
    stage.drawing.shape(seen(SIDE_HIPS), "leg")
    stage.drawing.shape(seen(SIDE_SHIRT), "shirt")
    _leg(stage, pose.near_leg, far=False)


def _leg(stage: Stage, leg: Leg, far: bool) -> None:
    hip, knee, ankle = (stage.see(joint) for joint in (leg.hip, leg.knee, leg.ankle))
    cloth, skin = ("leg-far", "skin-far") if far else ("leg", "skin")
    cuff = knee.towards(ankle, 0.86)
    foot = limb_outline(ankle + Point(-1.5, 1.5), ankle + Point(11, -11), shapes.LYING_FOOT)
    stage.drawing.shapes(
        [
            (foot, skin),
            (limb_outline(cuff, ankle, shapes.LYING_ANKLE), skin),
            (limb_outline(knee, cuff, shapes.LYING_SHANK), cloth),
            (limb_outline(hip, knee, shapes.LYING_THIGH), cloth),
        ],
        0.0 if far else EDGE,
    )
