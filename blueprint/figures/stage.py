"""Puts a posed body, its props and its teaching marks on paper."""

from __future__ import annotations

from collections.abc import Sequence

from blueprint.figures import body
from blueprint.figures.body import Arm, Leg, Outline, Pose, Shape
from blueprint.figures.geometry import Point, Space, View
from blueprint.figures.ink import Drawing, limb_outline

AT_REST = Point(0, 0)
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
    """A drawing in one view: draws body parts, props and marks in the order of the calls."""

    def __init__(self, drawing: Drawing, view: View) -> None:
        self.drawing = drawing
        self.view = view

    def see(self, place: Space) -> Point:
        return self.view.see(place)

    # ---- parts of the body ---------------------------------------------------

    def leg(self, leg: Leg, far: bool = False, edge: float = 0.0) -> None:
        """A leg from the side."""
        hip, knee, ankle = (self.see(joint) for joint in (leg.hip, leg.knee, leg.ankle))
        cloth, skin = ("leg-far", "skin-far") if far else ("leg", "skin")
        cuff = knee.towards(ankle, 0.86)
        self.drawing.shapes(
            [
                (placed(body.FOOT, leg.toes, ankle), skin),
                (limb_outline(cuff, ankle, body.ANKLE_SHAPE), skin),
                (limb_outline(knee, cuff, body.SHANK_SHAPE), cloth),
                (limb_outline(hip, knee, body.THIGH_SHAPE), cloth),
            ],
            edge,
        )

    def trunk(
        self, pose: Pose, pelvis: Shape = body.PELVIS_SHAPE, shirt: Shape = body.SHIRT_SHAPE
    ) -> None:
        spine = [self.see(joint) for joint in pose.spine]
        self.drawing.shape(spine_outline(spine, pelvis), "leg")
        self.drawing.shape(spine_outline(spine, shirt), "shirt")

    def head(self, pose: Pose, bun: bool = False, shift: Point = AT_REST) -> None:
        """The head in profile, turned by the pose's gaze."""
        at, tilt = self.see(pose.spine[-1]) + shift, pose.gaze
        low, high = Point(-0.6, -1).turned(tilt) + at, Point(2.4, 13).turned(tilt) + at
        if bun:
            self.drawing.shape(placed(body.BUN, tilt, at), "hair")
        neck = limb_outline(low, high, body.NECK_SHAPE)
        self.drawing.shapes([(neck, "skin-far"), (placed(body.HEAD, tilt, at), "skin")])
        self.drawing.shape(placed(body.HAIR, tilt, at), "hair")
        self.drawing.shape(placed(body.EAR, tilt, at), "skin-far")

    def arm(self, arm: Arm, far: bool = False, edge: float = EDGE) -> None:
        shoulder, elbow, wrist = (self.see(j) for j in (arm.shoulder, arm.elbow, arm.wrist))
        skin, sleeve = ("skin-far", "shirt") if far else ("skin", "sleeve")
        self.drawing.shapes(
            [
                (limb_outline(wrist, wrist.step(arm.hand, body.HAND), body.HAND_SHAPE), skin),
                (limb_outline(elbow, wrist, body.FOREARM_SHAPE), skin),
                (limb_outline(shoulder, elbow, body.UPPER_ARM_SHAPE), skin),
                (limb_outline(shoulder, elbow, body.SLEEVE_SHAPE), sleeve),
            ],
            0.0 if far else edge,
        )

    def person(self, pose: Pose, bun: bool = False, head_shift: Point = AT_REST) -> None:
        """Everything but the near arm, which mostly lies over the marks."""
        self.leg(pose.far_leg, far=True)
        if pose.far_arm:
            self.arm(pose.far_arm, far=True)
        self.head(pose, bun, head_shift)
        self.leg(pose.near_leg)
        self.trunk(pose)

    # ---- props ---------------------------------------------------------------

    def mat(self, left: float, right: float, height: float = 5) -> None:
        self.drawing.slab(left, right, 0, height, "mat")

    def chair(self, back: float, front: float, height: float) -> None:
        """A plain chair that faces right: its back, seat and legs."""
        bars = (
            ((back + 7, height - 3), (back + 5, 0), 3.2, "seat-far"),
            ((front - 8, height - 3), (front - 6, 0), 3.2, "seat-far"),
            ((back + 2, height - 2), (back - 7, height + 49), 4, "seat"),
            ((back + 1.5, height - 3), (back - 2, 0), 4, "seat"),
            ((front - 2, height - 3), (front, 0), 4, "seat"),
        )
        for start, end, width, role in bars:
            self.drawing.bar(Point(*start), Point(*end), width, role)
        self.drawing.slab(back - 1, front + 1, height, 4.6, "seat")

    # ---- teaching marks --------------------------------------------------------

    def muscle(self, start: Point, end: Point, width: float, bow: float = 0.0) -> None:
        """A spindle with three fibres: the muscle that works or is stretched."""
        across = (end - start).unit().left_normal()
        middle = start.towards(end, 0.5) + across.times(bow)

        def beside(tip: Point, side: float) -> Point:
            return tip.towards(middle, 0.55) + across.times(side * width * 0.42 + bow * 0.25)

        belly = across.times(width / 2)
        outline = [start, beside(start, 1), middle + belly, beside(end, 1), end]
        outline += [beside(end, -1), middle - belly, beside(start, -1)]
        self.drawing.shape(outline, "glow")
        for offset in (-0.24, 0.0, 0.24):
            aside = across.times(offset * width)
            near, far = start.towards(middle, 0.3), end.towards(middle, 0.3)
            ends = aside.times(0.6)
            self.drawing.curve([near + ends, middle + aside, far + ends], "fibre", 0.7)

    def arrow(self, start: Point, end: Point, bow: float = 0.0) -> None:
        """A motion arrow; `bow` bends it to the left of its direction."""
        control = start.towards(end, 0.5) + (end - start).left_normal().times(bow)
        shares = (0, 0.25, 0.5, 0.75, 1)
        bent = [start.towards(control, t).towards(control.towards(end, t), t) for t in shares]
        self.drawing.curve(bent, "move", 2.4)
        back = (control - end).angle()
        tips = [end.step(back - 32, 6.5), end, end.step(back + 32, 6.5)]
        self.drawing.line(tips, "move", 2.4)
