"""The catalogue: who is seen doing what, in which frame, and how that is said in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blueprint.figures import people
from blueprint.figures.body import Pose
from blueprint.figures.geometry import FROM_THE_SIDE, STRAIGHT_ON, View, from_above
from blueprint.figures.ink import number
from blueprint.figures.people import Person
from blueprint.figures.poses import frontal as frontal_poses
from blueprint.figures.poses import lying as lying_poses
from blueprint.figures.poses import sitting as sitting_poses
from blueprint.figures.poses import standing as standing_poses
from blueprint.figures.scenes import frontal, lying, side_lying, sitting, upright
from blueprint.figures.stage import Stage


@dataclass(frozen=True)
class Frame:
    """The part of the plane a drawing shows, in centimetres; the floor is at y = 0."""

    left: float
    bottom: float
    right: float
    top: float

    def view_box(self) -> str:
        sides = (self.left, -self.top, self.right - self.left, self.top - self.bottom)
        return " ".join(number(side) for side in sides)


@dataclass(frozen=True)
class Entry:
    scene: Callable[[Stage, Pose], None]
    pose: Pose
    person: Person
    frame: Frame
    title: str
    description: str
    view: View = FROM_THE_SIDE


LYING, KNEELING = Frame(-46, -7, 130, 62), Frame(-66, -7, 88, 140)
CLAMSHELL, SIDE_STEP = Frame(-120, -31, 104, 52), Frame(-42, -5, 68, 172)
ON_BACK = "Lying on the back, knees bent, feet flat"
ON_BALL = "Sitting on the floor, leaning back on the hands, a ball under one buttock."

ENTRIES = {
    "stand": Entry(
        upright.stand,
        standing_poses.standing(),
        people.DINA,
        Frame(-42, -5, 46, 178),
        "Standing tall",
        "A person stands at ease, seen from the side.",
    ),
    "walk": Entry(
        upright.walk,
        standing_poses.walking(),
        people.FRANK,
        Frame(-68, -5, 68, 172),
        "Walking",
        "An older man walks with an easy stride, arms swinging.",
    ),
    "sit": Entry(
        sitting.sit,
        sitting_poses.at_the_desk(),
        people.HANA,
        Frame(-54, -5, 98, 142),
        "Sitting at a desk",
        "A woman in a headscarf sits at a laptop. The front of the hip, bent while sitting, is "
        "marked.",
    ),
    "rise": Entry(
        sitting.rise,
        sitting_poses.rising(),
        people.EVE,
        Frame(-62, -5, 60, 132),
        "Getting up from a stool",
        "A woman leans forward, hands on her thighs, and starts to stand up. The lower back is "
        "marked.",
    ),
    "one-side": Entry(
        frontal.one_side,
        frontal_poses.on_one_leg(),
        people.GRACE,
        Frame(-46, -5, 48, 176),
        "Weight on one leg",
        "A person seen from behind rests on one leg. The side of that hip, which holds the pelvis, "
        "is marked.",
        STRAIGHT_ON,
    ),
    "leg-line": Entry(
        frontal.leg_line,
        frontal_poses.even(),
        people.INDU,
        Frame(-42, -5, 42, 176),
        "A line down the back of one leg",
        "A person stands with her back to us. A soft dotted line runs from one buttock down the "
        "back of that leg.",
        STRAIGHT_ON,
    ),
    "crossed-posture": Entry(
        upright.crossed_posture,
        standing_poses.crossed(),
        people.ANA,
        Frame(-84, -5, 88, 180),
        "The crossed pattern, seen from the side",
        "A standing person with the pelvis tipped forward and a deeper curve in the lower back. "
        "A solid line joins the tight lower back and the tight hip flexors; a dotted line joins "
        "the quiet tummy muscles and the quiet glutes. The lines cross at the pelvis.",
    ),
    "rest": Entry(
        lying.rest,
        lying_poses.rest(),
        people.DINA,
        Frame(-46, -7, 152, 48),
        "Lying at rest",
        "Lying on the back, knees over a cushion, one hand on the belly.",
    ),
    "hip-flexor-start": Entry(
        upright.hip_flexor_start,
        standing_poses.half_kneeling(forward=False),
        people.CLARE,
        KNEELING,
        "Half-kneeling hip flexor stretch, start",
        "One knee on a cushion, the other foot in front, trunk tall, hips above the knee.",
    ),
    "hip-flexor-end": Entry(
        upright.hip_flexor_end,
        standing_poses.half_kneeling(forward=True),
        people.CLARE,
        KNEELING,
        "Half-kneeling hip flexor stretch, end",
        "Tailbone tucked under, the whole pelvis moved forward, trunk still tall.",
    ),
    "figure-four-start": Entry(
        lying.figure_four_start,
        lying_poses.figure_four(drawn_in=False),
        people.ANA,
        LYING,
        "Lying figure-4 stretch, start",
        "Lying on the back, one foot flat, the other ankle resting on the bent knee.",
    ),
    "figure-four-end": Entry(
        lying.figure_four_end,
        lying_poses.figure_four(drawn_in=True),
        people.ANA,
        Frame(-46, -7, 130, 84),
        "Lying figure-4 stretch, end",
        "The hands hold behind the thigh and draw it to the chest; head and shoulders stay down.",
    ),
    "knees-to-chest": Entry(
        lying.knees_to_chest,
        lying_poses.knees_to_chest(),
        people.JO,
        Frame(-46, -7, 130, 76),
        "Knees to chest",
        "Lying on the back, the hands draw both knees towards the chest; the lower back is marked.",
    ),
    "pelvis-tilt-start": Entry(
        lying.pelvis_tilt_start,
        lying_poses.pelvis_tilt(settled=False),
        people.KOFI,
        LYING,
        "Pelvic tilt, arched",
        f"{ON_BACK}; the pelvis rolls towards the feet and the lower back lifts a little.",
    ),
    "pelvis-tilt-end": Entry(
        lying.pelvis_tilt_end,
        lying_poses.pelvis_tilt(settled=True),
        people.KOFI,
        LYING,
        "Pelvic tilt, settled",
        f"{ON_BACK}; the pelvis rolls towards the head and the lower back settles on the mat.",
    ),
    "bridge-start": Entry(
        lying.bridge_start,
        lying_poses.bridge(up=False),
        people.ANA,
        LYING,
        "Glute bridge, start",
        f"{ON_BACK}, arms by the side.",
    ),
    "bridge-top": Entry(
        lying.bridge_top,
        lying_poses.bridge(up=True),
        people.ANA,
        LYING,
        "Glute bridge, top",
        f"{ON_BACK}; hips lifted until shoulders, hips and knees are in line.",
    ),
    "bridge-cover": Entry(
        lying.bridge_cover,
        lying_poses.bridge(up=True),
        people.ANA_ON_TEAL,
        Frame(-46, -0.5, 130, 62),
        "A person in a glute bridge",
        "Shoulders, hips and knees form one long line.",
    ),
    "clamshell-start": Entry(
        side_lying.clamshell_start,
        lying_poses.clamshell(opened=False),
        people.LENA,
        CLAMSHELL,
        "Clamshell, start",
        "Lying on the side, knees bent and stacked, head on the lower arm.",
        from_above(36),
    ),
    "clamshell-end": Entry(
        side_lying.clamshell_end,
        lying_poses.clamshell(opened=True),
        people.LENA,
        CLAMSHELL,
        "Clamshell, end",
        "Heels together, top knee opened towards the ceiling, pelvis still.",
        from_above(36),
    ),
    "squat-start": Entry(
        upright.squat_start,
        standing_poses.standing(),
        people.BEN,
        Frame(-82, -6, 66, 178),
        "Squat to chair, start",
        "Standing tall in front of a chair, feet hip-width apart.",
    ),
    "squat-end": Entry(
        upright.squat_end,
        standing_poses.squat(),
        people.BEN,
        Frame(-80, -6, 74, 128),
        "Squat to chair, end",
        "Hips reached back until they touch the seat, arms forward, back long.",
    ),
    "side-step-start": Entry(
        frontal.side_step_start,
        frontal_poses.side_step(wide=False),
        people.LOU,
        SIDE_STEP,
        "Band side-step, start",
        "Facing us, knees soft, hands together, a light band round both thighs.",
        STRAIGHT_ON,
    ),
    "side-step-end": Entry(
        frontal.side_step_end,
        frontal_poses.side_step(wide=True),
        people.LOU,
        SIDE_STEP,
        "Band side-step, end",
        "One foot has stepped out to the side; the band is long, the pelvis level.",
        STRAIGHT_ON,
    ),
    "ball-release": Entry(
        sitting.ball_release,
        sitting_poses.on_the_ball(),
        people.FRANK,
        Frame(-76, -7, 80, 108),
        "Ball release for the buttock",
        ON_BALL,
    ),
    "seated-fold": Entry(
        sitting.seated_fold,
        sitting_poses.folded(),
        people.JO,
        Frame(-54, -5, 76, 100),
        "Seated fold",
        "Sitting on a chair, folded forward over the thighs, arms and head hanging loose.",
    ),
}
