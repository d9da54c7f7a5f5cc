"""Black bars are told from dark pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.media.active import ActivePicture

Picture = NDArray[np.uint8]


def pictures(left: int = 0, top: int = 0, right: int = 0, bottom: int = 0) -> Picture:
    """Six noisy frames of 320x180 with bars of these widths, coding noise in them."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 10, (6, 180, 320, 3), dtype=np.uint8)
    picture = rng.integers(0, 256, (6, 180, 320, 3), dtype=np.uint8)
    inside = slice(top, 180 - bottom), slice(left, 320 - right)
    frames[:, inside[0], inside[1]] = picture[:, inside[0], inside[1]]
    return frames


def box(frames: Picture) -> tuple[int, int, int, int] | None:
    active = ActivePicture()
    for frame in frames:
        active.push(frame)
    return active.box()


@pytest.mark.parametrize(
    "bars",
    [
        {"top": 23, "bottom": 23},
        {"left": 40, "right": 40},
        {"left": 110, "right": 110},
        {"left": 40, "right": 40, "top": 23, "bottom": 22},
        {"bottom": 30},
    ],
)
def test_bars_are_found_to_the_pixel(bars: dict[str, int]) -> None:
    left, top, right, bottom = (
        bars.get(side, 0) for side in ("left", "top", "right", "bottom")
    )
    assert box(pictures(**bars)) == (left, top, 320 - right, 180 - bottom)


def test_a_full_picture_has_none() -> None:
    assert box(pictures()) is None


def test_a_face_before_black_is_no_picture_between_bars() -> None:
    frames = np.zeros((6, 180, 320, 3), np.uint8)
    rows, columns = np.indices((180, 320))
    oval = ((rows - 90) / 60) ** 2 + ((columns - 160) / 45) ** 2 < 1
    frames[:, oval] = 180
    assert box(frames) is None


def test_a_scene_that_is_black_throughout_has_none() -> None:
    assert box(np.zeros((6, 180, 320, 3), np.uint8)) is None
    assert ActivePicture().box() is None


def test_a_dark_shot_does_not_hide_the_bars_of_a_bright_one() -> None:
    dark = np.zeros((20, 180, 320, 3), np.uint8)
    bars = (0, 23, 320, 157)
    assert box(np.concatenate([dark, pictures(top=23, bottom=23)])) == bars


def test_letters_burnt_into_a_bar_make_it_a_part_of_the_picture() -> None:
    frames = pictures(top=23, bottom=23)
    frames[:, 165:172, 100:220] = 230
    assert box(frames) == (0, 23, 320, 180)
