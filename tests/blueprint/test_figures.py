"""The bodies are bodies: bones keep their length, feet stay on the floor, the SVG is sound."""

import re
from dataclasses import fields
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from blueprint import figures
from blueprint.figures.body import (
    ANKLE_HEIGHT,
    FOREARM,
    NECK,
    SHANK,
    THIGH,
    TRUNK,
    UPPER_ARM,
    Arm,
    Leg,
    Pose,
)
from blueprint.figures.geometry import Space, joint_between
from blueprint.figures.poses import lying, standing

NEEDED = {
    *("stand", "rest", "crossed-posture", "bridge-start", "bridge-top", "bridge-cover"),
    *("clamshell-start", "clamshell-end", "hip-flexor-start", "hip-flexor-end"),
    *("figure-four-start", "figure-four-end", "squat-start", "squat-end"),
}
POSES = {
    "bridge down": lying.bridge(up=False),
    "bridge up": lying.bridge(up=True),
    "rest": lying.rest(),
    "kneeling": standing.half_kneeling(forward=False),
    "kneeling forward": standing.half_kneeling(forward=True),
    "standing": standing.standing(),
    "squat": standing.squat(),
    "figure four": lying.figure_four(drawn_in=False),
    "figure four drawn in": lying.figure_four(drawn_in=True),
    "clamshell": lying.clamshell(opened=False),
    "clamshell open": lying.clamshell(opened=True),
    "crossed": standing.crossed(),
}
every_pose = pytest.mark.parametrize("pose", POSES.values(), ids=POSES.keys())
every_figure = pytest.mark.parametrize("name", figures.names())
STANDING = ("standing", "squat", "crossed", "bridge down", "bridge up")


def parsed(figure: figures.Figure) -> ElementTree.Element:
    return ElementTree.fromstring(figure.svg)  # noqa: S314  # our own drawing


def bone(start: Space, end: Space) -> float:
    return (end - start).length()


def limbs(pose: Pose) -> list[Leg | Arm]:
    values = (getattr(pose, field.name) for field in fields(pose))
    return [value for value in values if isinstance(value, Leg | Arm)]


def joints(limb: Leg | Arm) -> list[Space]:
    if isinstance(limb, Leg):
        return [limb.hip, limb.knee, limb.ankle]
    return [limb.shoulder, limb.elbow, limb.wrist]


@every_pose
def test_leg_bones_keep_their_length_in_every_pose(pose: Pose) -> None:
    for leg in (pose.near_leg, pose.far_leg):
        assert bone(leg.hip, leg.knee) == pytest.approx(THIGH, abs=0.1)
        assert bone(leg.knee, leg.ankle) == pytest.approx(SHANK, abs=0.1)


@every_pose
def test_arm_bones_keep_their_length_in_every_pose(pose: Pose) -> None:
    for arm in filter(None, (pose.near_arm, pose.far_arm)):
        assert bone(arm.shoulder, arm.elbow) == pytest.approx(UPPER_ARM, abs=0.1)
        assert bone(arm.elbow, arm.wrist) == pytest.approx(FOREARM, abs=0.1)


@pytest.mark.parametrize("name", [name for name in POSES if "clamshell" not in name])
def test_the_spine_keeps_its_length(name: str) -> None:
    spine = POSES[name].spine
    length = sum(bone(start, end) for start, end in pairwise(spine))
    assert length == pytest.approx(TRUNK + NECK, abs=0.1)


@every_pose
def test_no_joint_goes_through_the_floor(pose: Pose) -> None:
    places = [place for limb in limbs(pose) for place in joints(limb)]
    assert min(place.y for place in (*places, *pose.spine)) >= 0


@pytest.mark.parametrize("name", STANDING)
def test_both_feet_are_flat_on_the_mat(name: str) -> None:
    for leg in (POSES[name].near_leg, POSES[name].far_leg):
        assert leg.ankle.y == ANKLE_HEIGHT
        assert leg.toes == 0


def test_the_bridge_is_one_line_from_shoulder_to_knee() -> None:
    pose = POSES["bridge up"]
    to_hip, to_knee = pose.near_leg.hip - pose.shoulder, pose.near_leg.knee - pose.shoulder
    assert to_hip.cross(to_knee).length() / to_knee.length() == pytest.approx(0, abs=0.5)


def test_the_bridge_lifts_the_hips_and_moves_no_foot() -> None:
    down, up = POSES["bridge down"], POSES["bridge up"]
    assert up.near_leg.hip.y > down.near_leg.hip.y + 10
    assert up.near_leg.ankle == down.near_leg.ankle


def test_the_clamshell_opens_the_knee_and_keeps_hip_and_heel() -> None:
    closed, opened = POSES["clamshell"].near_leg, POSES["clamshell open"].near_leg
    assert opened.knee.y > closed.knee.y + 10
    assert (opened.hip, opened.ankle) == (closed.hip, closed.ankle)


def test_a_limb_that_cannot_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot span"):
        joint_between(Space(0, 0), Space(100, 0), THIGH, SHANK, Space(0, 1))


def test_every_needed_figure_is_there() -> None:
    assert set(figures.names()) >= NEEDED


@every_figure
def test_a_figure_is_sound_svg_with_title_and_description(name: str) -> None:
    figure = figures.draw(name)
    root = parsed(figure)
    ids = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    assert root.get("role") == "img"
    assert [ids[key] for key in str(root.get("aria-labelledby")).split()] == [
        figure.title,
        figure.description,
    ]


@every_figure
def test_a_figure_holds_no_style_no_script_and_no_address(name: str) -> None:
    svg = figures.draw(name).svg
    assert not re.search(r"<style|<script|style=|href|url\(|var\(", svg)


@every_figure
def test_every_mark_is_inside_its_frame(name: str) -> None:
    svg = figures.draw(name).svg
    left, top, width, height = map(float, re.findall(r'viewBox="([^"]+)"', svg)[0].split())
    paths = "".join(re.findall(r' d="([^"]+)"', svg))
    points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", paths)]
    assert min(x for x, _ in points) >= left
    assert max(x for x, _ in points) <= left + width
    assert min(y for _, y in points) >= top
    assert max(y for _, y in points) <= top + height


def test_ids_of_different_figures_never_clash() -> None:
    page = "".join(figures.draw(name).svg for name in figures.names())
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 2 * len(figures.names())


def test_drawing_twice_gives_the_same_picture() -> None:
    first = {name: figures.draw(name).svg for name in figures.names()}
    figures.draw.cache_clear()
    assert {name: figures.draw(name).svg for name in figures.names()} == first


def test_a_title_can_be_replaced_and_is_escaped() -> None:
    figure = figures.draw("rest", title="Rest <here> & breathe")
    assert parsed(figure)[0].text == "Rest <here> & breathe"


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(KeyError):
        figures.draw("handstand")


def test_web_figures_can_be_recoloured_and_the_cover_cannot() -> None:
    assert 'class="fig-leg"' in figures.draw("bridge-top").svg
    assert "fig-leg" not in figures.draw("bridge-cover").svg
