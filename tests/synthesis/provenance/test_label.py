"""The visible label: where it is, whether it can be read, whether it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthesis.provenance.label import (
    CORNERS,
    Box,
    Label,
    label_present,
    pick_corner,
)
from tests.synthesis.provenance.conftest import Plane, film, recoded


def grey_planes(
    width: int, height: int, level: int, *, halved: bool = True
) -> tuple[Plane, Plane, Plane]:
    small = ((height + 1) // 2, (width + 1) // 2) if halved else (height, width)
    return (
        np.full((height, width), level, np.uint8),
        np.full(small, 90, np.uint8),
        np.full(small, 160, np.uint8),
    )


@pytest.mark.parametrize("level", [16, 60, 128, 200, 235])
def test_the_text_stands_out_from_its_plate_on_every_grey(level: int) -> None:
    y, u, v = grey_planes(640, 360, level)
    label = Label(640, 360)
    label.apply(y, u, v)
    inside = y[label.box.top : label.box.bottom, label.box.left : label.box.right]
    text, plate = int(inside.max()), int(np.median(inside))
    light, dark = ((value - 16) / 219 for value in (text, plate))
    # WCAG contrast of the two greys, taken through a display gamma of 2.2.
    assert (light**2.2 + 0.05) / (dark**2.2 + 0.05) >= 4.5


def test_nothing_outside_the_box_is_touched() -> None:
    planes = grey_planes(640, 360, 100)
    before = [plane.copy() for plane in planes]
    label = Label(640, 360)
    label.apply(*planes)
    for scale, plane, old in zip((1, 2, 2), planes, before, strict=True):
        changed = plane != old
        box = label.box
        changed[
            box.top // scale : -(-box.bottom // scale),
            box.left // scale : -(-box.right // scale),
        ] = False
        assert not changed.any()


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (426, 240), (3840, 2160)])
def test_letters_are_at_least_five_percent_of_the_short_side(
    size: tuple[int, int],
) -> None:
    y, u, v = grey_planes(*size, 16)
    label = Label(*size)
    label.apply(y, u, v)
    bright_rows = np.flatnonzero((y > 150).any(axis=1))
    assert bright_rows[-1] - bright_rows[0] + 1 >= 0.05 * min(size)


@pytest.mark.parametrize("corner", CORNERS)
def test_every_corner_stays_inside_the_title_safe_area(corner: str) -> None:
    box = Label(1280, 720, corner=corner).box
    assert box.left >= 63
    assert box.top >= 35
    assert box.right <= 1280 - 63
    assert box.bottom <= 720 - 35


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 1), (3, 5), (16, 16), (17, 33), (1, 400), (641, 359)]
)
@pytest.mark.parametrize("halved", [True, False])
def test_any_size_and_both_colour_layouts_are_drawn_without_error(
    size: tuple[int, int], halved: bool
) -> None:
    planes = grey_planes(*size, 100, halved=halved)
    for corner in CORNERS:
        Label(*size, corner=corner).apply(*planes)


def test_a_full_range_label_uses_darker_and_brighter_levels() -> None:
    narrow, full = grey_planes(640, 360, 100), grey_planes(640, 360, 100)
    Label(640, 360).apply(*narrow)
    Label(640, 360, full_range=True).apply(*full)
    assert full[0].max() > narrow[0].max()
    assert full[0].min() < narrow[0].min()


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="another size"):
        Label(640, 360).apply(*grey_planes(320, 180, 100))


@pytest.mark.parametrize("text", ["", "   ", "modifié", "two\nlines"])
def test_a_text_that_cannot_be_drawn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        Label(640, 360, text=text)


@pytest.mark.parametrize("crf", [18, 23, 28])
def test_the_label_is_seen_after_encoding_and_not_where_it_is_not(
    tmp_path: Path, crf: int
) -> None:
    plain = film(5, frames=6)
    labelled = [plane.copy() for plane in plain]
    label = Label(640, 360)
    for y in labelled:
        label.apply(y, *grey_planes(640, 360, 0)[1:])
    assert all(label_present(y, label) for y in recoded(tmp_path, labelled, crf=crf))
    assert not any(label_present(y, label) for y in recoded(tmp_path, plain, crf=crf))


def test_other_words_in_the_same_place_are_not_taken_for_the_label() -> None:
    y, u, v = grey_planes(640, 360, 100)
    Label(640, 360, text="HELLO WORLD").apply(y, u, v)
    assert not Label(640, 360).present(y)


def test_noise_and_stripes_are_not_taken_for_the_label() -> None:
    label = Label(640, 360)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (200, 360, 640), dtype=np.uint8)
    assert not any(label.present(y) for y in noise)
    for period in range(2, 40):
        stripes = np.tile(np.arange(640) // period % 2 * 200, (360, 1)).astype(np.uint8)
        assert not label.present(stripes)
        assert not label.present(np.full((360, 640), period * 6, np.uint8))


def test_the_corner_keeps_away_from_the_mouth() -> None:
    assert pick_corner(640, 360, []) == "top-left"
    in_the_way = Label(640, 360, corner="top-left").box
    assert pick_corner(640, 360, [in_the_way]) == "top-right"
    upper_half = Box(0, 0, 640, 180)
    assert pick_corner(640, 360, [upper_half]) == "bottom-left"


def test_where_every_corner_is_taken_the_least_covered_one_is_used() -> None:
    everything = Box(0, 0, 640, 360)
    all_but = [Label(640, 360, corner=corner).box for corner in CORNERS[:3]]
    assert pick_corner(640, 360, [everything, *all_but]) == "bottom-right"


def test_boxes_that_only_touch_do_not_meet() -> None:
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 20, 10))
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 20, 20))
