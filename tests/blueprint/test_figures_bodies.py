"""The bodies are bodies: bones keep their length, joints bend one way, weight is carried."""

from itertools import pairwise
from math import atan2, degrees

import pytest

from blueprint.figures.body import FOREARM, NECK, SHANK, THIGH, TRUNK, UPPER_ARM, Arm, Leg, Pose
from blueprint.figures.entries import ENTRIES
from blueprint.figures.geometry import STRAIGHT_ON, Space, joint_between
from blueprint.figures.poses.joints import ankle_height
from blueprint.figures.poses.sitting import BALL, SEAT
from tests.blueprint.inked import body

every_figure = pytest.mark.parametrize("name", ENTRIES)
FROM_ABOVE = {"clamshell-start", "clamshell-end"}
ON_THE_BACK = {
    *("rest", "figure-four-start", "figure-four-end", "knees-to-chest"),
    *("pelvis-tilt-start", "pelvis-tilt-end", "bridge-start", "bridge-top", "bridge-cover"),
}
FEET_ON_THE_FLOOR = {
    *("stand", "walk", "sit", "rise", "one-side", "leg-line", "crossed-posture", "squat-start"),
    *("squat-end", "side-step-start", "side-step-end", "ball-release", "seated-fold"),
    *("pelvis-tilt-start", "pelvis-tilt-end", "bridge-start", "bridge-top", "bridge-cover"),
}
HIPS_ON_THE_MAT = ON_THE_BACK - {"bridge-top", "bridge-cover"}
ON_A_SEAT = {"sit": SEAT, "seated-fold": SEAT, "squat-end": SEAT, "ball-release": 2 * BALL}


def bone(start: Space, end: Space) -> float:
    return (end - start).length()


def legs(pose: Pose) -> list[Leg]:
    return [pose.near_leg, pose.far_leg]


def arms(pose: Pose) -> list[Arm]:
    return [arm for arm in (pose.near_arm, pose.far_arm) if arm]


def bend(first: Space, second: Space) -> float:
    """How far the second bone turns from the first: 0 is straight (degrees)."""
    return degrees(atan2(first.cross(second).length(), first.dot(second)))


def turn(first: Space, second: Space) -> float:
    """Positive when the second bone turns anticlockwise on paper."""
    return first.cross(second).z


def in_the_picture_plane(*bones: Space) -> bool:
    return all(abs(b.z) < 0.01 for b in bones)


# ---- bones ---------------------------------------------------------------------------


@every_figure
def test_leg_bones_have_one_length_in_every_figure(name: str) -> None:
    for leg in legs(ENTRIES[name].pose):
        assert bone(leg.hip, leg.knee) == pytest.approx(THIGH, abs=0.1)
        assert bone(leg.knee, leg.ankle) == pytest.approx(SHANK, abs=0.1)


@every_figure
def test_arm_bones_have_one_length_in_every_figure(name: str) -> None:
    for arm in arms(ENTRIES[name].pose):
        assert bone(arm.shoulder, arm.elbow) == pytest.approx(UPPER_ARM, abs=0.1)
        assert bone(arm.elbow, arm.wrist) == pytest.approx(FOREARM, abs=0.1)


@every_figure
def test_the_spine_has_one_length_in_every_figure(name: str) -> None:
    spine = ENTRIES[name].pose.spine
    length = sum(bone(start, end) for start, end in pairwise(spine))
    assert length == pytest.approx(TRUNK + NECK, abs=0.1)


@every_figure
def test_limbs_grow_from_the_trunk(name: str) -> None:
    """Hips within 17 cm of the lower end of the spine, shoulders within 20 cm of the upper."""
    pose = ENTRIES[name].pose
    assert all(bone(leg.hip, pose.spine[0]) <= 17 for leg in legs(pose))
    assert all(bone(arm.shoulder, pose.shoulder) <= 20 for arm in arms(pose))


def test_a_limb_that_cannot_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot span"):
        joint_between(Space(0, 0), Space(100, 0), THIGH, SHANK, Space(0, 1))


# ---- joints --------------------------------------------------------------------------


@every_figure
def test_knees_never_bend_backwards(name: str) -> None:
    """A body that faces right, or lies on its back, bends its knees clockwise on paper."""
    for leg in legs(ENTRIES[name].pose):
        thigh, shank = leg.knee - leg.hip, leg.ankle - leg.knee
        assert bend(thigh, shank) <= 150
        if in_the_picture_plane(thigh, shank):
            assert turn(thigh, shank) <= 0


@every_figure
def test_elbows_never_bend_backwards(name: str) -> None:
    entry = ENTRIES[name]
    for arm in arms(entry.pose):
        upper, lower = arm.elbow - arm.shoulder, arm.wrist - arm.elbow
        assert bend(upper, lower) <= 150
        if in_the_picture_plane(upper, lower) and entry.view != STRAIGHT_ON:
            assert turn(upper, lower) >= 0


@pytest.mark.parametrize("name", [n for n, e in ENTRIES.items() if e.view == STRAIGHT_ON])
def test_seen_straight_on_knees_point_forward_and_elbows_outward(name: str) -> None:
    pose, forward = ENTRIES[name].pose, 1 if name.startswith("side-step") else -1
    for leg in legs(pose):
        assert (leg.knee.z - leg.hip.z) * forward >= 0
    for arm, side in ((pose.near_arm, -1), (pose.far_arm, 1)):
        assert arm is not None
        assert (arm.elbow.x - arm.shoulder.x) * side > 0


@pytest.mark.parametrize("name", ["figure-four-start", "figure-four-end", *sorted(FROM_ABOVE)])
def test_a_leg_turned_out_brings_its_knee_towards_us(name: str) -> None:
    leg = ENTRIES[name].pose.near_leg
    assert leg.knee.z > (leg.hip.z + leg.ankle.z) / 2


@every_figure
def test_hips_bend_forward_much_and_backward_little(name: str) -> None:
    """The angle between trunk and thigh: up to 145 degrees of bend, 28 of stretch."""
    entry = ENTRIES[name]
    down = entry.pose.spine[0] - entry.pose.spine[1]
    for leg in legs(entry.pose):
        thigh = leg.knee - leg.hip
        assert bend(down, thigh) <= 145
        if in_the_picture_plane(thigh) and entry.view != STRAIGHT_ON and turn(down, thigh) < 0:
            assert bend(down, thigh) <= 28


# ---- weight ----------------------------------------------------------------------------

NEAR_ENOUGH = 0.8  # centimetres that ink may sink in or hover


def lowest(name: str, roles: set[str], left: float = -999, right: float = 999) -> float:
    """The lowest ink of these parts of the body between two places along the floor."""
    places = [place for mark in body(name) if mark.role in roles for place in mark.places]
    return min(place.y for place in places if left <= place.x <= right)


@every_figure
def test_no_joint_goes_through_the_floor(name: str) -> None:
    pose = ENTRIES[name].pose
    ends = [leg.ankle for leg in legs(pose)] + [leg.knee for leg in legs(pose)]
    ends += [arm.wrist for arm in arms(pose)] + [arm.elbow for arm in arms(pose)]
    assert min(place.y for place in (*ends, *pose.spine)) >= 2.4


@pytest.mark.parametrize("name", sorted(set(ENTRIES) - FROM_ABOVE - {"bridge-cover"}))
def test_a_body_rests_on_the_floor_and_never_sinks_into_it(name: str) -> None:
    ground = lowest(name, {"skin", "skin-far", "hair", "shirt", "sleeve", "leg", "leg-far"})
    assert -NEAR_ENOUGH <= ground <= NEAR_ENOUGH


@pytest.mark.parametrize("name", sorted(FEET_ON_THE_FLOOR))
def test_both_feet_touch_the_floor(name: str) -> None:
    for leg in legs(ENTRIES[name].pose):
        assert leg.ankle.y == pytest.approx(ankle_height(leg.toes), abs=0.1)


@pytest.mark.parametrize("name", sorted(ON_THE_BACK - {"bridge-cover"}))
def test_a_lying_head_and_back_rest_on_the_mat(name: str) -> None:
    assert lowest(name, {"hair"}) <= 1.5
    assert lowest(name, {"shirt", "sleeve"}, right=30) <= 1.5


@pytest.mark.parametrize("name", sorted(HIPS_ON_THE_MAT))
def test_lying_hips_rest_on_the_mat(name: str) -> None:
    assert lowest(name, {"leg", "shirt"}, left=35, right=70) <= 1.5


@pytest.mark.parametrize(("name", "height"), ON_A_SEAT.items())
def test_who_sits_touches_the_seat_and_does_not_sink_into_it(name: str, height: float) -> None:
    hip = ENTRIES[name].pose.near_leg.hip
    assert -1.8 <= lowest(name, {"leg"}, hip.x - 12, hip.x + 6) - height <= NEAR_ENOUGH


def test_who_gets_up_has_just_left_the_seat() -> None:
    hip = ENTRIES["rise"].pose.near_leg.hip
    assert 2 <= lowest("rise", {"leg"}, hip.x - 14, hip.x) - SEAT <= 9


def test_who_kneels_has_the_knee_on_the_cushion_and_the_foot_on_the_mat() -> None:
    for name in ("hip-flexor-start", "hip-flexor-end"):
        assert 0 <= lowest(name, {"leg"}, -13, 13) <= 3.4
        assert abs(lowest(name, {"skin"}, right=-42)) <= NEAR_ENOUGH
        assert abs(lowest(name, {"skin-far"})) <= NEAR_ENOUGH


def test_who_leans_on_her_hands_has_them_on_the_mat() -> None:
    assert abs(lowest("ball-release", {"skin"}, right=-50)) <= 1.4


# ---- what each pose says ------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ON_THE_BACK))
def test_a_lying_body_looks_up_with_its_head_no_higher_than_its_hips(name: str) -> None:
    pose = ENTRIES[name].pose
    assert 80 <= pose.gaze <= 100
    assert pose.spine[-1].y <= pose.near_leg.hip.y + 1


@pytest.mark.parametrize("name", sorted(set(ENTRIES) - ON_THE_BACK - FROM_ABOVE - {"seated-fold"}))
def test_an_upright_body_carries_its_head_above_its_hips(name: str) -> None:
    pose = ENTRIES[name].pose
    assert pose.spine[-1].y >= pose.spine[0].y + 30
    assert -20 <= pose.gaze <= 20


def test_who_folds_forward_has_the_head_below_the_back() -> None:
    pose = ENTRIES["seated-fold"].pose
    assert pose.spine[-1].y < max(place.y for place in pose.spine)


def test_the_bridge_is_one_line_from_shoulder_to_knee() -> None:
    pose = ENTRIES["bridge-top"].pose
    to_hip, to_knee = pose.near_leg.hip - pose.shoulder, pose.near_leg.knee - pose.shoulder
    assert to_hip.cross(to_knee).length() / to_knee.length() == pytest.approx(0, abs=0.5)


def test_the_bridge_lifts_the_hips_and_moves_no_foot() -> None:
    down, up = ENTRIES["bridge-start"].pose, ENTRIES["bridge-top"].pose
    assert up.near_leg.hip.y > down.near_leg.hip.y + 10
    assert up.near_leg.ankle == down.near_leg.ankle


def test_the_pelvic_tilt_arches_and_settles_the_lower_back_and_moves_no_foot() -> None:
    arched, settled = ENTRIES["pelvis-tilt-start"].pose, ENTRIES["pelvis-tilt-end"].pose
    assert arched.spine[2].y > settled.spine[2].y + 5
    assert arched.near_leg.ankle == settled.near_leg.ankle
    assert lowest("pelvis-tilt-start", {"shirt"}, 25, 34) >= 5
    assert lowest("pelvis-tilt-end", {"shirt"}, 25, 34) <= 2.2


def test_the_clamshell_opens_the_knee_and_keeps_hip_and_heel() -> None:
    closed, opened = (ENTRIES[name].pose.near_leg for name in sorted(FROM_ABOVE, reverse=True))
    assert opened.knee.y > closed.knee.y + 10
    assert (opened.hip, opened.ankle) == (closed.hip, closed.ankle)


def test_the_hip_flexor_stretch_moves_the_hips_over_planted_knee_and_foot() -> None:
    start, end = ENTRIES["hip-flexor-start"].pose, ENTRIES["hip-flexor-end"].pose
    assert end.near_leg.hip.x > start.near_leg.hip.x + 8
    assert (end.near_leg.knee, end.far_leg.ankle) == (start.near_leg.knee, start.far_leg.ankle)


def test_the_side_step_moves_one_foot_only_and_keeps_the_pelvis_level() -> None:
    start, end = ENTRIES["side-step-start"].pose, ENTRIES["side-step-end"].pose
    assert end.near_leg.ankle == start.near_leg.ankle
    assert end.far_leg.ankle.x > start.far_leg.ankle.x + 20
    assert end.near_leg.hip.y == end.far_leg.hip.y


def test_weight_on_one_leg_lifts_that_side_of_the_pelvis_and_the_head_stays_over_the_foot() -> None:
    pose = ENTRIES["one-side"].pose
    assert pose.far_leg.hip.y > pose.near_leg.hip.y + 3
    assert abs(pose.spine[-1].x - pose.far_leg.ankle.x) <= 6


def test_a_walker_swings_the_arm_of_the_other_side() -> None:
    pose = ENTRIES["walk"].pose
    assert pose.far_arm is not None
    assert pose.near_leg.ankle.x > 0 > pose.far_leg.ankle.x
    assert pose.near_arm.wrist.x < 0 < pose.far_arm.wrist.x
