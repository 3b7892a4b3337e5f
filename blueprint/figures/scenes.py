"""Each function draws one moment of one exercise, marks and all."""

from __future__ import annotations

from dataclasses import replace

from blueprint.figures import body, poses
from blueprint.figures.body import Leg, Pose
from blueprint.figures.geometry import FROM_THE_SIDE, Point, Space, from_above
from blueprint.figures.ink import AMBER, DEEP, FAIR, OLIVE, ON_TEAL, Drawing, Palette, limb_outline
from blueprint.figures.stage import EDGE, Stage, placed

LYING_HEAD = Point(-2.5, -2.6)  # brings a lying head down to the mat


def side_stage(palette: Palette) -> Stage:
    return Stage(Drawing(palette), FROM_THE_SIDE)


def bridge_start() -> Drawing:
    stage, pose = side_stage(AMBER), poses.bridge(up=False)
    stage.mat(-44, 128)
    stage.person(pose, head_shift=LYING_HEAD)
    stage.arm(pose.near_arm)
    return stage.drawing


def bridge_top() -> Drawing:
    stage, pose = side_stage(AMBER), poses.bridge(up=True)
    hip, knee, shoulder = (
        stage.see(j) for j in (pose.near_leg.hip, pose.near_leg.knee, pose.shoulder)
    )
    line = (knee - shoulder).unit()
    stage.mat(-44, 128)
    stage.person(pose, head_shift=LYING_HEAD)
    buttock = (hip - line.times(9) + Point(2.8, -9.2), hip + line.times(8) + Point(2.2, -6.4))
    stage.muscle(*buttock, 9.5, bow=-1.2)
    stage.arm(pose.near_arm)
    stage.arrow(Point(hip.x + 18, 10.5), Point(hip.x + 18, hip.y - 5))
    above = line.left_normal()
    stage.drawing.line(
        [shoulder + above.times(17), knee + above.times(12.5)], "move", 1.3, dash="0.1 4"
    )
    return stage.drawing


def bridge_cover() -> Drawing:
    """The bridge for a deep background: no mat, no marks."""
    stage, pose = side_stage(ON_TEAL), poses.bridge(up=True)
    stage.person(pose, head_shift=LYING_HEAD)
    stage.arm(pose.near_arm)
    return stage.drawing


def rest() -> Drawing:
    stage, pose = side_stage(OLIVE), poses.rest()
    knee = stage.see(pose.near_leg.knee)
    stage.mat(-44, 150)
    stage.drawing.shape(
        [
            Point(knee.x + dx, y)
            for dx, y in ((-24, 1), (-19, 12), (-3, knee.y - 7), (16, 13), (24, 1), (0, -0.5))
        ],
        "pad",
    )
    stage.person(pose, bun=False, head_shift=LYING_HEAD)
    stage.arm(pose.near_arm)
    return stage.drawing


def stand() -> Drawing:
    stage, pose = side_stage(OLIVE), poses.standing()
    stage.mat(-40, 44, 3)
    stage.person(pose, bun=True)
    stage.arm(pose.near_arm)
    return stage.drawing


def hip_flexor(forward: bool) -> Drawing:
    stage, pose = side_stage(FAIR), poses.half_kneeling(forward)
    hip, knee = stage.see(pose.near_leg.hip), stage.see(pose.near_leg.knee)
    stage.mat(-62, 84)
    stage.drawing.slab(-13, 13, 3.4, 4.6, "pad")
    stage.person(pose, bun=True, head_shift=Point(0, 0.5))
    if forward:
        stage.muscle(hip + Point(5.6, 12), hip.towards(knee, 0.5) + Point(6, 1), 7, bow=1.4)
    stage.arm(pose.near_arm)
    if forward:
        stage.arrow(hip + Point(-40, 2), hip + Point(-19, 2))
    else:
        stage.arrow(hip + Point(-19, 13), hip + Point(-12.5, -15), bow=-0.38)
    return stage.drawing


def squat_start() -> Drawing:
    stage, pose = side_stage(DEEP), poses.standing()
    stage.mat(-78, 62, 3)
    stage.chair(back=-66, front=-24, height=42)
    stage.person(pose)
    stage.arm(pose.near_arm)
    return stage.drawing


def squat_end() -> Drawing:
    stage, pose = side_stage(DEEP), poses.squat()
    hip = stage.see(pose.near_leg.hip)
    stage.mat(-78, 62, 3)
    stage.chair(back=-66, front=-24, height=42)
    stage.person(pose)
    stage.muscle(hip + Point(-4.2, 9), hip + Point(1.5, -8.5), 9.5, bow=1.6)
    stage.arm(pose.near_arm)
    stage.arrow(hip + Point(-9, 37), hip + Point(-19, 13), bow=0.16)
    return stage.drawing


def figure_four(drawn_in: bool) -> Drawing:
    stage, pose = side_stage(AMBER), poses.figure_four(drawn_in)
    stage.mat(-44, 128)
    stage.leg(pose.far_leg, far=True)
    stage.head(pose, shift=LYING_HEAD)
    stage.trunk(pose)
    _crossed_leg(stage, pose)
    if drawn_in:
        hip, knee = stage.see(pose.near_leg.hip), stage.see(pose.far_leg.knee)
        stage.muscle(hip + Point(-7, -6.6), hip + Point(10, -5.2), 8.5, bow=-0.8)
        stage.arm(pose.near_arm)
        stage.arrow(knee + Point(30, 22), knee + Point(4, 20), bow=0.14)
    else:
        stage.arm(pose.near_arm)
    return stage.drawing


def _crossed_leg(stage: Stage, pose: Pose) -> None:
    """The near leg of the figure-4, seen foreshortened, its ankle on the far thigh."""
    leg = pose.near_leg
    hip, knee, ankle = (stage.see(joint) for joint in (leg.hip, leg.knee, leg.ankle))
    thigh = (stage.see(pose.far_leg.knee) - stage.see(pose.far_leg.hip)).unit()
    up = thigh.left_normal()
    foot = limb_outline(ankle - up.times(3), ankle + up.times(11) + thigh.times(3), body.SOLE_SHAPE)
    shin = tuple(
        replace(s, front=s.front * 1.06, back=(s.front + s.back) * 0.52) for s in body.SHANK_SHAPE
    )
    calf = limb_outline(knee, ankle.towards(knee, 0.12), shin)
    outlines = [(foot, "skin"), (calf, "leg"), (limb_outline(hip, knee, body.THIGH_SHAPE), "leg")]
    stage.drawing.shapes([*outlines], EDGE)


# ---- the clamshell is seen from in front and a little above -------------------

SIDE_SHIRT = (
    (-55, 36, 2), (-50, 46, 2), (-44, 46, 2), (-34, 39, 2), (-22, 33.5, 2), (-7, 35.5, 2),
    (-6, 20, 8), (-9, 2.5, 2), (-22, 4, 2), (-36, 2, 2), (-48, 2.5, 2), (-55, 10, 2), (-57, 22, 4),
)  # fmt: skip
SIDE_HIPS = (
    (-14, 34, 2), (-6, 36, 2), (2, 36, 2), (8, 32, 4), (11, 21, 8), (9, 6, 4), (0, 1.5, 2),
    (-8, 2, 2), (-14, 3, 2),
)  # fmt: skip
MAT_CORNERS = ((-114, 0, 47), (98, 0, 47), (98, 0, -27), (-114, 0, -27))


def clamshell(opened: bool) -> Drawing:
    stage, pose = Stage(Drawing(DEEP), from_above(28)), poses.clamshell(opened)

    def seen(places: tuple[tuple[float, float, float], ...]) -> list[Point]:
        return [stage.see(Space(*place)) for place in places]

    stage.drawing.polygon(seen(MAT_CORNERS), "mat", 4)
    if pose.far_arm:
        stage.arm(pose.far_arm, edge=0)
    _lying_leg(stage, pose.far_leg, far=True)
    _front_head(stage, stage.see(pose.spine[-1]), stage.see(Space(-73, 20, 2)))
    stage.drawing.shape(seen(SIDE_HIPS), "leg")
    stage.drawing.shape(seen(SIDE_SHIRT), "shirt")
    _lying_leg(stage, pose.near_leg, far=False)
    hip = stage.see(pose.near_leg.hip)
    if opened:
        stage.muscle(hip + Point(-9, 5.5), hip + Point(9, 6.5), 8.5, bow=1.2)
    stage.arm(pose.near_arm)
    if opened:
        closed = stage.see(poses.clamshell(opened=False).near_leg.knee)
        knee = stage.see(pose.near_leg.knee)
        stage.arrow(closed + Point(13, 4), knee + Point(13, -2), bow=0.16)
    return stage.drawing


def _lying_leg(stage: Stage, leg: Leg, far: bool) -> None:
    hip, knee, ankle = (stage.see(joint) for joint in (leg.hip, leg.knee, leg.ankle))
    cloth, skin = ("leg-far", "skin-far") if far else ("leg", "skin")
    cuff = knee.towards(ankle, 0.86)
    foot = limb_outline(ankle + Point(-1.5, 1.5), ankle + Point(11, -11), body.LYING_FOOT)
    stage.drawing.shapes(
        [
            (foot, skin),
            (limb_outline(cuff, ankle, body.LYING_ANKLE), skin),
            (limb_outline(knee, cuff, body.LYING_SHANK), cloth),
            (limb_outline(hip, knee, body.LYING_THIGH), cloth),
        ],
        0.0 if far else EDGE,
    )


def _front_head(stage: Stage, neck: Point, head: Point) -> None:
    """A head seen from the front, lying on its side."""
    throat = limb_outline(neck + Point(5, 0), head, body.LYING_NECK)
    stage.drawing.shape(throat, "skin-far")
    stage.drawing.shape(placed(body.FRONT_HAIR, 0, head), "hair")
    stage.drawing.shape(placed(body.FRONT_FACE, 0, head), "skin")


# ---- the crossed pattern --------------------------------------------------------

BACK, HIP_FRONT = Point(-7.5, 108), Point(10.5, 82)
BELLY, GLUTES = Point(15, 107), Point(-13.5, 84)


def crossed_posture() -> Drawing:
    stage, pose = side_stage(AMBER), poses.crossed()
    stage.mat(-34, 40, 3)
    stage.leg(pose.far_leg, far=True)
    stage.head(pose, shift=Point(1, 0))
    stage.leg(pose.near_leg)
    stage.trunk(pose, body.TIPPED_PELVIS, body.ARCHED_SHIRT)
    stage.arm(pose.near_arm)
    _crossing_lines(stage.drawing)
    return stage.drawing


def _crossing_lines(drawing: Drawing) -> None:
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
        drawing.dot(place, 4.6, "halo")
        drawing.dot(place, 3.5, role)
        drawing.line([place + Point(6 * side, 0), Point(x - 2 * side, y)], "leader", 0.8)
        drawing.words(Point(x, y), name, "word", anchor, 9.4, "600")
        drawing.words(Point(x, y - 10), state, role, anchor, 8.6, "400")
