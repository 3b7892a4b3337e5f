"""Puts a posed body on paper, seen from straight behind or in front."""

from __future__ import annotations

from blueprint.figures import shapes
from blueprint.figures.body import Arm, Leg, Pose
from blueprint.figures.geometry import Point
from blueprint.figures.ink import limb_outline
from blueprint.figures.shapes import Outline, Shape, mirrored
from blueprint.figures.stage import HEAD_DROP, Stage, placed, spine_outline

EARS = (Point(-8.3, 17.6), Point(8.3, 17.6))


def person(stage: Stage, pose: Pose, facing_us: bool) -> None:
    """The whole body but arms in front of it; `near` limbs are on the left."""
    for leg, side in ((pose.near_leg, -1), (pose.far_leg, 1)):
        _leg(stage, leg, side)
    _neck(stage, pose)
    trunk = [stage.see(joint) for joint in pose.spine]
    stage.drawing.shape(spine_outline(trunk, stage.build.breadth(shapes.WIDE_PELVIS)), "leg")
    if not facing_us:
        _buttocks(stage, pose)
    stage.drawing.shape(spine_outline(trunk, stage.build.breadth(shapes.WIDE_SHIRT)), "shirt")
    (_face if facing_us else _back_of_head)(stage, pose)


def arms(stage: Stage, pose: Pose, edge: float = 0.0) -> None:
    """Both arms: behind the trunk when called before it, with an edge when they lie over it."""
    _arm(stage, pose.near_arm, -1, edge)
    if pose.far_arm:
        _arm(stage, pose.far_arm, 1, edge)


def _sided(shape: Shape, side: int) -> Shape:
    return shape if side > 0 else mirrored(shape)


def _turned_out(outline: Outline, side: int) -> Outline:
    return tuple((x * side, y) for x, y in outline)


def _leg(stage: Stage, leg: Leg, side: int) -> None:
    hip, knee, ankle = (stage.see(joint) for joint in (leg.hip, leg.knee, leg.ankle))
    cuff, limb = knee.towards(ankle, 0.86), stage.build.limb
    stage.drawing.shapes(
        [
            (placed(_turned_out(shapes.WIDE_FOOT, side), leg.toes, ankle), "skin"),
            (limb_outline(cuff, ankle, shapes.ANKLE_SHAPE), "skin"),
            (limb_outline(knee, cuff, limb(_sided(shapes.WIDE_SHANK, side))), "leg"),
            (limb_outline(hip, knee, limb(_sided(shapes.WIDE_THIGH, side))), "leg"),
        ]
    )


def _arm(stage: Stage, arm: Arm, side: int, edge: float) -> None:
    shoulder, elbow, wrist = (stage.see(j) for j in (arm.shoulder, arm.elbow, arm.wrist))
    limb = stage.build.limb
    upper, sleeve = _sided(shapes.WIDE_ARM, side), _sided(shapes.WIDE_SLEEVE, side)
    stage.drawing.shapes(
        [
            (placed(shapes.FLAT_HAND, arm.hand, wrist), "skin"),
            (limb_outline(elbow, wrist, limb(shapes.FOREARM_SHAPE)), "skin"),
            (limb_outline(shoulder, elbow, limb(upper)), "skin"),
            (limb_outline(shoulder, elbow, limb(sleeve)), "sleeve" if edge else "shirt"),
        ],
        edge,
    )


def _buttocks(stage: Stage, pose: Pose) -> None:
    """Two soft folds and the line between them: this is a back."""
    tilt = (stage.see(pose.spine[1]) - stage.see(pose.spine[0])).angle() - 90
    middle = stage.see(pose.spine[0])

    def at(*places: tuple[float, float]) -> list[Point]:
        return placed(places, tilt, middle)

    stage.drawing.curve(at((0, 7), (0, 0), (0, -8)), "leg-far", 0.9)
    for side in (-1, 1):
        stage.drawing.curve(at((side, -8.4), (side * 6, -10.4), (side * 12, -8.6)), "leg-far", 0.9)


def lying_head(stage: Stage, pose: Pose) -> None:
    """The head of somebody on her side who faces us: `gaze` is how far it is turned over."""
    _neck(stage, pose)
    _face(stage, pose)


def _neck(stage: Stage, pose: Pose) -> None:
    base, up = stage.see(pose.spine[-1]), Point(0, 1).turned(pose.gaze)
    neck = limb_outline(base - up.times(2), base + up.times(13), shapes.NECK_SHAPE)
    stage.drawing.shape(neck, "skin-far")


def _ears(stage: Stage, at: Point, tilt: float) -> None:
    for ear in EARS:
        stage.drawing.dot(at + ear.turned(tilt), 2.2, "skin-far")


def _back_of_head(stage: Stage, pose: Pose) -> None:
    at = stage.see(pose.spine[-1]) + HEAD_DROP
    _ears(stage, at, pose.gaze)
    stage.drawing.shape(placed(stage.hair.back, pose.gaze, at), "hair")
    if stage.hair.back_over:
        stage.drawing.shape(placed(stage.hair.back_over, pose.gaze, at), "hair")


def _face(stage: Stage, pose: Pose) -> None:
    at = stage.see(pose.spine[-1]) + HEAD_DROP.turned(pose.gaze)
    _ears(stage, at, pose.gaze)
    for outline in filter(None, (stage.hair.back, stage.hair.back_over)):
        stage.drawing.shape(placed(outline, pose.gaze, at), "hair")
    stage.drawing.shape(placed(shapes.FACE, pose.gaze, at), "skin")
    stage.drawing.shape(placed(shapes.FACE_HAIR, pose.gaze, at), "hair")
