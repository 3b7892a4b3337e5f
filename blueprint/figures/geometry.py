"""Points on paper, points in the room, and the joint between two bones."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians, sin, sqrt


@dataclass(frozen=True)
class Point:
    """A place on the drawing in centimetres: x to the right, y up."""

    x: float
    y: float

    def __add__(self, other: Point) -> Point:
        return Point(self.x + other.x, self.y + other.y)

    def __sub__(self, other: Point) -> Point:
        return Point(self.x - other.x, self.y - other.y)

    def times(self, factor: float) -> Point:
        return Point(self.x * factor, self.y * factor)

    def length(self) -> float:
        return hypot(self.x, self.y)

    def unit(self) -> Point:
        return self.times(1 / (self.length() or 1))

    def left_normal(self) -> Point:
        """The direction after a quarter turn anticlockwise."""
        return Point(-self.y, self.x)

    def angle(self) -> float:
        """The direction in degrees: 0 right, 90 up."""
        return degrees(atan2(self.y, self.x))

    def step(self, angle: float, distance: float) -> Point:
        """The point reached by walking `distance` in the direction `angle` (degrees)."""
        return self + Point(cos(radians(angle)), sin(radians(angle))).times(distance)

    def towards(self, other: Point, share: float) -> Point:
        return self + (other - self).times(share)

    def turned(self, angle: float) -> Point:
        """This point turned about the origin by `angle` degrees."""
        c, s = cos(radians(angle)), sin(radians(angle))
        return Point(self.x * c - self.y * s, self.x * s + self.y * c)


@dataclass(frozen=True)
class Space:
    """A place in the room in centimetres: x along the floor, y up, z towards the viewer."""

    x: float
    y: float
    z: float = 0.0

    def __add__(self, other: Space) -> Space:
        return Space(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other: Space) -> Space:
        return Space(self.x - other.x, self.y - other.y, self.z - other.z)

    def times(self, factor: float) -> Space:
        return Space(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other: Space) -> float:
        return self.x * other.x + self.y * other.y + self.z * other.z

    def cross(self, other: Space) -> Space:
        return Space(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def length(self) -> float:
        return sqrt(self.dot(self))

    def unit(self) -> Space:
        return self.times(1 / self.length())

    def step(self, angle: float, distance: float) -> Space:
        """The place reached by walking in the picture plane: 0 degrees right, 90 up."""
        return self + Space(cos(radians(angle)), sin(radians(angle))).times(distance)

    def turned_about(self, start: Space, end: Space, angle: float) -> Space:
        """This place turned about the line start-end by `angle` degrees (Rodrigues)."""
        axis, arm = (end - start).unit(), self - start
        c, s = cos(radians(angle)), sin(radians(angle))
        along = axis.times(axis.dot(arm) * (1 - c))
        return start + arm.times(c) + axis.cross(arm).times(s) + along


def joint_between(root: Space, tip: Space, upper: float, lower: float, pole: Space) -> Space:
    """Where the knee or elbow lies between root and tip, bent in the direction `pole`.

    Both bones keep their length; raises ValueError when the tip is out of reach.
    """
    line = tip - root
    reach = line.length()
    if not abs(upper - lower) < reach < upper + lower:
        raise ValueError(f"a limb of {upper} + {lower} cm cannot span {reach:.1f} cm")
    along = (upper**2 - lower**2 + reach**2) / (2 * reach)
    direction = line.unit()
    sideways = (pole - direction.times(direction.dot(pole))).unit()
    return root + direction.times(along) + sideways.times(sqrt(upper**2 - along**2))


@dataclass(frozen=True)
class View:
    """A parallel projection: how far depth shifts a place on paper, and how height shrinks."""

    z_to_x: float
    y_to_y: float
    z_to_y: float

    def see(self, place: Space) -> Point:
        return Point(place.x + place.z * self.z_to_x, place.y * self.y_to_y + place.z * self.z_to_y)


# From the side, a little oblique, so that the far limbs show beside the near ones.
FROM_THE_SIDE = View(z_to_x=-0.22, y_to_y=1.0, z_to_y=0.0)


# From straight behind or straight in front.
STRAIGHT_ON = View(z_to_x=0.0, y_to_y=1.0, z_to_y=0.0)


def from_above(elevation: float) -> View:
    """A viewer in front who looks down by `elevation` degrees."""
    return View(0.0, cos(radians(elevation)), -sin(radians(elevation)))
