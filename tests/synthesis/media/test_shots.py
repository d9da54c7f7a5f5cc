from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from synthesis.media.frames import read_frames
from synthesis.media.probe import probe
from synthesis.media.shots import ShotFinder, find_shots
from tests.footage import make_clip

RATE = Fraction(25)


def still(shade: int, frames: int, seed: int = 0) -> list[np.ndarray]:
    """A brownish picture with a little grain, as a camera gives it."""
    rng = np.random.default_rng(seed)
    base = np.full((54, 96, 3), shade, np.int16) + np.array([30, 10, -20])
    return [
        np.clip(base + rng.integers(-4, 5, (54, 96, 1)), 0, 255).astype(np.uint8)
        for _ in range(frames)
    ]


def test_a_scene_without_cuts_is_one_shot() -> None:
    assert find_shots(still(90, 40), RATE) == [(0, 40)]


def test_cuts_are_found_on_the_frame() -> None:
    frames = still(40, 20) + still(160, 33, 1) + still(80, 17, 2)
    assert find_shots(frames, RATE) == [(0, 20), (20, 53), (53, 70)]


def test_shots_are_handed_out_while_the_scene_runs() -> None:
    finder = ShotFinder(RATE)
    ended = {}
    for index, rgb in enumerate(still(40, 20) + still(160, 20, 1)):
        for shot in finder.push(index, rgb):
            ended[shot] = index
    assert list(ended) == [(0, 20)]
    assert ended[(0, 20)] <= 23
    assert finder.finish() == [(20, 40)]


def test_a_slow_fade_is_no_cut() -> None:
    frames = [picture for i in range(60) for picture in still(40 + 2 * i, 1, i)]
    assert find_shots(frames, RATE) == [(0, 60)]


def test_a_cut_in_a_real_encode_is_found(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "clip.mp4", rate=Fraction(24_000, 1_001), frames=60, cuts=[24]
    )
    found = probe(path)
    pictures = (planes.rgb() for planes in read_frames(path, found))
    seen: list[int] = []
    # The bars that show a picture's number jump as well, every 16 frames.
    shots = find_shots(pictures, found.rate, seen.append)
    assert 24 in {start for start, _ in shots}
    assert shots[0][0] == 0
    assert shots[-1][1] == 60
    assert seen[-1] == 60


@pytest.mark.parametrize("frames", [0, 1, 2, 5])
def test_very_short_scenes_are_covered(frames: int) -> None:
    shots = find_shots(still(90, frames), RATE)
    assert shots == ([(0, frames)] if frames else [])


def test_a_one_pixel_picture_is_taken() -> None:
    frames = [np.full((1, 1, 3), 50, np.uint8)] * 10
    assert find_shots(frames, RATE) == [(0, 10)]


def test_frames_out_of_turn_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="5 instead of 0"):
        ShotFinder(RATE).push(5, still(90, 1)[0])
