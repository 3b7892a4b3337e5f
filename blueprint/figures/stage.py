"""Puts a posed body on paper, seen from the side."""

from __future__ import annotations

from collections.abc import Sequence

from blueprint.figures import shapes
from blueprint.figures.body import Arm, Leg, Pose
from blueprint.figures.geometry import FROM_THE_SIDE, Point, Space, View
from blueprint.figures.ink import Drawing, limb_outline
from blueprint.figures.people import Person
from blueprint.figures.shapes import Outline, Shape

AT_REST = Point(0, 0)
HEAD_DROP = Point(0.3, -1.6)  # how far the head sinks between the shoulders
EDGE = 0.7  # half the width of the paper edge round a near limb


def placed(outline: Outline, angle: float, at: Point) -> list[Point]:
    return [Point(*pair).turned(angle) + at for pair in outline]


def spine_outline(spine: Sequence[Point], shape: Shape) -> list[Point]:
    """The outline of the trunk along a bent line that starts at the hip."""
    front_side, back_side = [], []
    for station in shape:
        centre, direction = along_spine(spine, station.along)
        front = direction.left_normal().times(-1)
        front_side.append(centre + front.times(station.front))
        back_side.append(centre - front.times(station.back))
    low, low_direction = along_spine(spine, shape[0].along)
    high, high_direction = along_spine(spine, shape[-1].along)
    top, bottom = high + high_direction.times(1.6), low - low_direction.times(1.6)
    return [*front_side, top, *reversed(back_side), bottom]


def along_spine(spine: Sequence[Point], distance: float) -> tuple[Point, Point]:
    """The place and direction `distance` centimetres above the hip (extended at both ends)."""
    walked, last = 0.0, len(spine) - 2
    for i in range(last + 1):
        piece = (spine[i + 1] - spine[i]).length()
        if distance <= walked + piece or i == last:
            share = (distance - walked) / piece
            return spine[i].towards(spine[i + 1], share), _direction(spine, i, share)
        walked += piece
    raise ValueError("a spine has at least two points")


def _direction(spine: Sequence[Point], piece: int, share: float) -> Point:
    """The direction, turned gradually from one piece of the spine to the next."""
    here = (spine[piece + 1] - spine[piece]).unit()
    neighbour = piece + (1 if share > 0.5 else -1)
    if not 0 <= neighbour < len(spine) - 1:
        return here
    there = (spine[neighbour + 1] - spine[neighbour]).unit()
    return here.towards(there, min(0.5, abs(share - 0.5))).unit()


class Stage:
    """A drawing of one person in one view: body parts in the order of the calls."""

    def __init__(self, person: Person, view: View = FROM_THE_SIDE) -> None:
        self.drawing = Drawing(person.palette)
        self.hair = person.hair
        self.build = person.build
        self.view = view

    def see(self, place: Space) -> Point:
        return self.view.see(place)

    def beside_spine(self, pose: Pose, along: float, out: float) -> Point:
        """The place `along` centimetres above the hip, `out` centimetres towards the back."""
        centre, up = along_spine([self.see(joint) for joint in pose.spine], along)
        return centre + up.left_normal().times(out)

    def leg(self, leg: Leg, far: bool = False, edge: float = 0.0) -> None:
        hip, knee, ankle = (self.see(joint) for joint in (leg.hip, leg.knee, leg.ankle))
        cloth, skin = ("leg-far", "skin-far") if far else ("leg", "skin")
        foot = shapes.POINTED_FOOT if leg.pointed else shapes.FOOT
        cuff, limb = knee.towards(ankle, 0.86), self.build.limb
        self.drawing.shapes(
            [
                (placed(foot, leg.toes, ankle), skin),
                (limb_outline(cuff, ankle, shapes.ANKLE_SHAPE), skin),
                (limb_outline(knee, cuff, limb(shapes.SHANK_SHAPE)), cloth),
                (limb_outline(hip, knee, limb(shapes.THIGH_SHAPE)), cloth),
            ],
            edge,
        )

    def trunk(
        self, pose: Pose, pelvis: Shape = shapes.PELVIS_SHAPE, shirt: Shape = shapes.SHIRT_SHAPE
    ) -> None:
        spine = [self.see(joint) for joint in pose.spine]
        self.drawing.shape(spine_outline(spine, self.build.trunk(pelvis)), "leg")
        self.drawing.shape(spine_outline(spine, self.build.trunk(shirt)), "shirt")

    def head(self, pose: Pose, shift: Point = AT_REST) -> None:
        """The head in profile, turned by the pose's gaze."""
        tilt = pose.gaze
        at = self.see(pose.spine[-1]) + shift + HEAD_DROP.turned(tilt)
        low, high = Point(-0.6, -1).turned(tilt) + at, Point(2.4, 13).turned(tilt) + at
        self._hair(self.hair.side_behind, tilt, at)
        neck = limb_outline(low, high, shapes.NECK_SHAPE)
        self.drawing.shapes([(neck, "skin-far"), (placed(shapes.HEAD, tilt, at), "skin")])
        self._hair(self.hair.beard, tilt, at)
        self._hair(self.hair.side, tilt, at)
        if self.hair.shows_ear:
            self.drawing.shape(placed(shapes.EAR, tilt, at), "skin-far")

    def _hair(self, outline: Outline, tilt: float, at: Point) -> None:
        if outline:
            self.drawing.shape(placed(outline, tilt, at), self.hair.role)

    def arm(self, arm: Arm, far: bool = False, edge: float = EDGE) -> None:
        shoulder, elbow, wrist = (self.see(j) for j in (arm.shoulder, arm.elbow, arm.wrist))
        skin, sleeve = ("skin-far", "shirt") if far else ("skin", "sleeve")
        hand = shapes.THUMB_HAND if arm.thumb else shapes.FLAT_HAND
        limb = self.build.limb
        self.drawing.shapes(
            [
                (placed(hand, arm.hand, wrist), skin),
                (limb_outline(elbow, wrist, limb(shapes.FOREARM_SHAPE)), skin),
                (limb_outline(shoulder, elbow, limb(shapes.UPPER_ARM_SHAPE)), skin),
                (limb_outline(shoulder, elbow, limb(shapes.SLEEVE_SHAPE)), sleeve),
            ],
            0.0 if far else edge,
        )

    def person(
        self, pose: Pose, head_shift: Point = AT_REST, pelvis: Shape = shapes.PELVIS_SHAPE
    ) -> None:
        """Everything but the near arm, which mostly lies over the marks."""
        self.leg(pose.far_leg, far=True)
        if pose.far_arm:
            self.arm(pose.far_arm, far=True)
        self.head(pose, head_shift)
        self.leg(pose.near_leg)
        self.trunk(pose, pelvis)
