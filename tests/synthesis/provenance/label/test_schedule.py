"""When a label is shown, and where: on frame 0, after breaks, never over a mouth."""

from __future__ import annotations

import numpy as np
import pytest

from synthesis.provenance.label import (
    CAPITALS,
    CORNERS,
    LEAST_CAPITALS,
    PLACES,
    Box,
    FaceBoxes,
    Schedule,
    Shown,
    Sign,
    Spot,
    frames_shown,
    schedule,
)

SIGN = Sign(640, 360)
TWENTY_MINUTES = np.arange(20 * 60 * 25) / 25
NOBODY = Box(0, 0, 0, 0)


def face(
    mouth: Box, seen: Box | None = None, *, first: int = 0, frames: int = 100
) -> FaceBoxes:
    """A face that does not move."""

    def still(box: Box) -> np.ndarray:
        return np.tile([[box.left, box.top, box.right, box.bottom]], (frames, 1))

    return FaceBoxes(first, still(mouth), still(seen or mouth))


def placed(
    *faces: FaceBoxes,
    shots: tuple[tuple[int, int], ...] = ((0, 100),),
    **wishes: object,
) -> list[Shown]:
    wishes.setdefault("frames", [(0, shots[-1][1])])
    return list(schedule(SIGN, shots=shots, faces=faces, **wishes).shown)


def test_the_whole_length_is_every_frame() -> None:
    assert frames_shown(TWENTY_MINUTES) == [(0, 30_000)]


def test_an_opening_begins_with_frame_0_and_lasts_as_long_as_asked() -> None:
    assert frames_shown(TWENTY_MINUTES, opening_s=5) == [(0, 125)]
    ntsc = np.arange(1000) * 1001 / 30_000
    ((first, end),) = frames_shown(ntsc, opening_s=2)
    assert first == 0
    assert ntsc[end] >= 2 > ntsc[end - 1]


def test_an_opening_longer_than_the_scene_is_all_of_it() -> None:
    assert frames_shown(TWENTY_MINUTES[:40], opening_s=5) == [(0, 40)]


def test_a_varying_rate_is_counted_in_seconds() -> None:
    times = np.array([0, 0.5, 1.9, 2.0, 2.1])
    assert frames_shown(times, opening_s=2) == [(0, 3)]


def test_less_than_the_legal_two_seconds_is_no_opening() -> None:
    with pytest.raises(ValueError, match="2 s"):
        frames_shown(TWENTY_MINUTES, opening_s=1)


def test_the_label_comes_back_after_every_break() -> None:
    shown = frames_shown(TWENTY_MINUTES, opening_s=4, breaks=[20_000, 9_000])
    assert shown == [(0, 100), (9_000, 9_100), (20_000, 20_100)]


def test_the_label_comes_back_every_few_minutes() -> None:
    shown = frames_shown(TWENTY_MINUTES, opening_s=4, every_s=300, breaks=[9_000])
    starts = [first for first, _ in shown]
    assert starts == [0, 7_500, 9_000, 15_000, 22_500]


def test_openings_that_meet_become_one() -> None:
    shown = frames_shown(TWENTY_MINUTES, opening_s=4, breaks=[50, 150, 29_950])
    assert shown == [(0, 250), (29_950, 30_000)]


def test_without_a_face_it_stands_in_the_first_corner() -> None:
    (only,) = placed()
    assert only == Shown(0, 100, Spot("top-left"))


def test_it_goes_to_a_corner_without_a_face() -> None:
    upper = face(NOBODY, Box(0, 0, 640, 170))
    assert placed(upper)[0].spot.place == "bottom-left"


def test_where_faces_are_everywhere_it_still_keeps_off_the_mouth() -> None:
    crowd = Box(0, 0, 640, 360)
    mouths = [face(SIGN.box(corner), crowd) for corner in CORNERS[:3]]
    (only,) = placed(*mouths)
    assert only.spot == Spot("bottom-right")


def test_it_changes_its_corner_at_a_cut_only_and_goes_back_only_where_it_must() -> None:
    left = SIGN.box("top-left")
    first = face(left, first=60, frames=5)  # in the middle of the second shot
    shots = ((0, 50), (50, 80), (80, 100))
    shown = placed(first, shots=shots)
    assert [(one.first_frame, one.end_frame) for one in shown] == list(shots)
    places = [one.spot.place for one in shown]
    assert places == ["top-left", "top-right", "top-right"]


def test_a_mouth_met_on_one_frame_of_a_shot_is_a_mouth_met() -> None:
    passing = face(SIGN.box("top-left"), first=99, frames=1)
    assert placed(passing)[0].spot.place == "top-right"


def test_a_mouth_met_while_no_label_is_shown_is_in_nobodys_way() -> None:
    later = face(SIGN.box("top-left"), first=50, frames=50)
    assert placed(later, frames=[(0, 50)])[0].spot.place == "top-left"


@pytest.mark.parametrize(
    ("corner", "next_one"),
    [
        ("top-left", "top-right"),
        ("top-right", "top-left"),
        ("bottom-left", "bottom-right"),
        ("bottom-right", "bottom-left"),
    ],
)
def test_a_fixed_corner_is_left_for_the_shot_in_which_it_would_meet_a_mouth(
    corner: str, next_one: str
) -> None:
    mouth = face(SIGN.box(corner), first=50, frames=10)
    shown = placed(mouth, shots=((0, 50), (50, 60), (60, 100)), corner=corner)
    assert [one.spot.place for one in shown] == [corner, next_one, corner]
    assert [one.spot.moved for one in shown] == [False, True, False]


def test_a_fixed_corner_is_kept_over_a_face_whose_mouth_is_elsewhere() -> None:
    forehead = face(Box(300, 300, 340, 320), Box(0, 0, 640, 360))
    assert placed(forehead, corner="top-left")[0].spot == Spot("top-left")


def test_where_no_corner_is_free_it_takes_the_middle_of_an_edge() -> None:
    mouths = [face(SIGN.box(corner)) for corner in CORNERS]
    (only,) = placed(*mouths)
    assert only.spot.place == "top-centre"
    assert not only.spot.over_mouth


def test_slightly_smaller_letters_are_used_where_they_keep_it_off_a_mouth() -> None:
    """Boxes that the label just meets in every corner, and would not if smaller."""
    inner = []
    for corner in CORNERS:
        large, small = SIGN.box(corner), SIGN.box(corner, LEAST_CAPITALS)
        x = small.right if corner.endswith("left") else small.left - 1
        assert large.left <= x < large.right
        inner.append(face(Box(x, 0, x + 1, 360)))
    (only,) = placed(*inner)
    assert only.spot == Spot("top-left", LEAST_CAPITALS)


def test_a_mouth_that_fills_the_frame_is_covered_least_and_told() -> None:
    giant = face(Box(0, 40, 640, 360))
    (only,) = placed(giant)
    assert only.spot.over_mouth
    assert only.spot.place.startswith("top")
    assert only.to_json()["over_mouth"] is True


@pytest.mark.parametrize("seed", range(20))
def test_no_label_is_ever_on_a_mouth_if_there_is_room(seed: int) -> None:
    """Mouths wander at random; wherever one of six places stays free, it is taken."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 6, (100, 2)).cumsum(axis=0) + rng.uniform(0, [600, 330])
    boxes = np.concatenate([steps, steps + np.array([70, 40])], axis=1).astype(np.int64)
    wanderer = FaceBoxes(0, boxes, boxes)
    corner = rng.choice([None, *CORNERS])
    shots = ((0, 30), (30, 70), (70, 100))
    for one in placed(wanderer, shots=shots, corner=corner):
        box = SIGN.box(one.spot.place, one.spot.capitals)
        met = box.shared_px(boxes[one.first_frame : one.end_frame])
        free = [
            place
            for place in PLACES
            if not SIGN.box(place).shared_px(boxes[one.first_frame : one.end_frame])
        ]
        assert one.spot.over_mouth == (met > 0)
        assert met == 0 or not free


def test_a_schedule_draws_on_its_frames_and_finds_itself_there() -> None:
    made = Schedule(
        SIGN, [Shown(0, 2, Spot("top-left")), Shown(4, 5, Spot("bottom-right"))]
    )
    for frame, place in {0: "top-left", 1: "top-left", 4: "bottom-right"}.items():
        y, u, v = (
            np.full((360, 640), 90, np.uint8),
            *np.full((2, 180, 320), 128, np.uint8),
        )
        assert made.lacks(frame, y)
        made.apply(frame, y, u, v)
        assert not made.lacks(frame, y)
        assert SIGN.drawn(place).present(y)
    for frame in (2, 3, 5, 99):
        bare = np.full((360, 640), 90, np.uint8)
        made.apply(frame, bare, bare[::2, ::2], bare[::2, ::2])
        assert (bare == 90).all()
        assert not made.lacks(frame, bare)


def test_one_drawing_serves_all_shots_of_a_place() -> None:
    many = [Shown(n, n + 1, Spot(PLACES[n % 6])) for n in range(60)]
    made = Schedule(SIGN, many)
    assert len({id(made.at(n)) for n in range(60)}) == 6
    assert all(one.spot.capitals == CAPITALS for one in made.shown)
