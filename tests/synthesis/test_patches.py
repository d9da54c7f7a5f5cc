from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthesis.engines.base import MouthPatch
from synthesis.errors import PatchesBroken
from synthesis.patches import patches_open, patches_write


def patch(seed: int, side: int = 32) -> MouthPatch:
    rng = np.random.default_rng(seed)
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[10:20, 5:25] = rng.integers(1, 256, (10, 20, 4))
    return MouthPatch(rgba, rng.normal(size=(2, 3)))


def test_patches_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "shot.patches"
    sent = [patch(0), None, patch(2), patch(3, 64), None]
    assert patches_write(path, sent, start=100, about={"sound": "ab12"}) == 5
    with patches_open(path) as kept:
        assert (kept.start, kept.stop, kept.about) == (100, 105, {"sound": "ab12"})
        for frame, one in zip(range(100, 105), sent, strict=True):
            two = kept[frame]
            assert (one is None) == (two is None)
            if one is not None and two is not None:
                np.testing.assert_array_equal(one.rgba, two.rgba)
                np.testing.assert_array_equal(one.to_frame, two.to_frame)
        assert [p is None for p in kept] == [False, True, False, False, True]


def test_only_the_visible_part_is_stored(tmp_path: Path) -> None:
    small, large = tmp_path / "a", tmp_path / "b"
    patches_write(small, [patch(1)], start=0)
    hidden = patch(1, 512)
    hidden.rgba[100:400, 100:400, :3] = 77
    patches_write(large, [hidden], start=0)
    assert large.stat().st_size == pytest.approx(small.stat().st_size, abs=64)


def test_an_invisible_patch_is_none(tmp_path: Path) -> None:
    path = tmp_path / "shot"
    clear = MouthPatch(np.zeros((8, 8, 4), np.uint8), np.eye(2, 3))
    patches_write(path, [clear], start=0)
    with patches_open(path) as kept:
        assert kept[0] is None


def test_a_shot_that_was_interrupted_is_not_there(tmp_path: Path) -> None:
    def interrupted() -> Iterator[MouthPatch | None]:
        yield patch(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        patches_write(tmp_path / "shot", interrupted(), start=0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        patches_open(tmp_path / "shot")


def test_frames_outside_the_shot_are_a_mistake(tmp_path: Path) -> None:
    patches_write(tmp_path / "shot", [None, None], start=7)
    with patches_open(tmp_path / "shot") as kept:
        for frame in (6, 9, -1):
            with pytest.raises(IndexError):
                kept[frame]


@pytest.mark.parametrize("keep", [0, 10, 30, 100])
def test_a_truncated_file_is_said_to_be_broken(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "shot"
    patches_write(path, [patch(0)], start=0)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PatchesBroken):
        patches_open(path)


def test_a_changed_record_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "shot"
    patches_write(path, [patch(0)], start=0)
    content = bytearray(path.read_bytes())
    content[-60] ^= 255
    path.write_bytes(content)
    with patches_open(path) as kept, pytest.raises(PatchesBroken):
        kept[0]


def test_an_empty_shot_is_legal(tmp_path: Path) -> None:
    assert patches_write(tmp_path / "shot", [], start=3) == 0
    with patches_open(tmp_path / "shot") as kept:
        assert (kept.start, kept.stop) == (3, 3)
