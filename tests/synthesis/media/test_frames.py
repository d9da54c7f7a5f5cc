from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from synthesis.errors import MediaRefused
from synthesis.media.frames import Planes, read_frames
from synthesis.media.probe import probe
from tests.footage import make_clip, number_shown
from tests.synthesis.media.test_probe import damaged

KINDS = [
    ("clip.mp4", "libx264", {"g": "12", "bf": "3"}),
    ("clip.mp4", "libx264", {"g": "12", "x264-params": "open-gop=1:bframes=3"}),
    ("clip.mkv", "libx264", {"g": "12"}),
    ("clip.ts", "libx264", {"g": "12"}),
    ("clip.avi", "mpeg4", {"g": "12"}),
    ("clip.webm", "libvpx-vp9", {"g": "12"}),
    ("clip.mxf", "mpeg2video", {"g": "12"}),
    ("clip.mp4", "libx265", {"x265-params": "keyint=12:log-level=none"}),
]


@pytest.mark.parametrize(("name", "codec", "options"), KINDS)
def test_any_start_gives_the_frames_of_a_full_decode(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = make_clip(tmp_path / name, codec=codec, frames=60, options=options)
    found = probe(path)
    whole = list(read_frames(path, found))
    assert [number_shown(planes.y) for planes in whole] == list(range(60))
    assert [planes.index for planes in whole] == list(range(60))
    for start in (1, 11, 12, 13, 25, 47, 59):
        some = list(read_frames(path, found, start, min(60, start + 3)))
        assert [p.index for p in some] == list(range(start, min(60, start + 3)))
        for got in some:
            assert got.pts == found.pts[got.index]
            np.testing.assert_array_equal(got.y, whole[got.index].y)
            np.testing.assert_array_equal(got.v, whole[got.index].v)


def test_planes_are_the_decoders_own_bits(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=10)
    with av.open(str(path)) as clip:
        frames = [frame.to_ndarray() for frame in clip.decode(video=0)]
    for planes, frame in zip(read_frames(path, probe(path)), frames, strict=True):
        flat = np.concatenate([planes.y.ravel(), planes.u.ravel(), planes.v.ravel()])
        np.testing.assert_array_equal(flat, frame.ravel())


def test_a_clip_that_starts_late_is_read_from_its_first_picture(tmp_path: Path) -> None:
    stamps = [90_000 + 3_600 * i for i in range(30)]
    path = make_clip(
        tmp_path / "late.ts",
        pts=stamps,
        time_base=Fraction(1, 90_000),
        options={"g": "6"},
    )
    found = probe(path)
    for start in (0, 7, 20):
        first = next(read_frames(path, found, start))
        assert number_shown(first.y) == start
        assert first.pts == 3_600 * start


def test_an_edit_list_hides_frames_in_probe_and_reader_alike(tmp_path: Path) -> None:
    # Stamps below zero become an edit list in MP4: players start at zero.
    stamps = [512 * i for i in range(-5, 20)]
    path = make_clip(tmp_path / "edit.mp4", pts=stamps, time_base=Fraction(1, 12_800))
    found = probe(path)
    shown = [number_shown(planes.y) for planes in read_frames(path, found)]
    assert shown == list(range(25))[-found.frame_count :]
    assert found.pts[0] == 0
    late = next(read_frames(path, found, found.frame_count - 2))
    assert number_shown(late.y) == 23


def test_variable_rate_is_read_by_stamp(tmp_path: Path) -> None:
    stamps = [0, 40, 45, 300, 320, 321, 900, 1_500]
    path = make_clip(tmp_path / "vfr.mkv", pts=stamps, time_base=Fraction(1, 1_000))
    found = probe(path)
    frames = list(read_frames(path, found))
    assert [planes.pts for planes in frames] == stamps
    assert [number_shown(planes.y) for planes in frames] == list(range(8))
    assert number_shown(next(read_frames(path, found, 5)).y) == 5


@pytest.mark.parametrize("rotation", [-90, 90, 180])
def test_pictures_come_upright(tmp_path: Path, rotation: int) -> None:
    straight = make_clip(tmp_path / "straight.mp4", frames=3)
    turned = make_clip(tmp_path / "turned.mp4", frames=3, rotation=rotation)
    expected = next(read_frames(straight, probe(straight)))
    planes = next(read_frames(turned, probe(turned)))
    # The matrix turns counter-clockwise by `rotation`; so does rot90.
    np.testing.assert_array_equal(planes.y, np.rot90(expected.y, rotation // 90))
    np.testing.assert_array_equal(planes.u, np.rot90(expected.u, rotation // 90))


@pytest.mark.parametrize("size", [(1, 1), (63, 47), (64, 47)])
def test_odd_sizes_come_as_444(tmp_path: Path, size: tuple[int, int]) -> None:
    path = make_clip(tmp_path / "odd.mkv", codec="ffv1", size=size, frames=4)
    frames = list(read_frames(path, probe(path)))
    assert len(frames) == 4
    assert frames[0].u.shape == frames[0].y.shape == size[::-1]
    assert frames[0].pixels.name == "yuv444p"
    with av.open(str(path)) as clip:
        plane = next(clip.decode(video=0)).planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(size[1], plane.line_size)
    np.testing.assert_array_equal(frames[0].y, rows[:, : size[0]])


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        ("ffv1", "yuv422p10le"),
        ("ffv1", "yuv444p"),
        ("ffv1", "gray"),
        ("ffv1", "bgr0"),
        ("libx265", "yuv420p10le"),
    ],
)
def test_other_formats_are_reduced_to_eight_bits(
    tmp_path: Path, codec: str, pix_fmt: str
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = make_clip(
        tmp_path / "c.mkv", codec=codec, pix_fmt=pix_fmt, frames=9, options=options
    )
    frames = list(read_frames(path, probe(path)))
    assert [number_shown(planes.y) for planes in frames] == list(range(9))
    assert all(planes.pixels.name == "yuv420p" for planes in frames)
    # FFmpeg takes a format of grey alone for full range: 60 of 255 is 68 of 16..235.
    assert abs(int(frames[0].y[5, 5]) - (68 if pix_fmt == "gray" else 60)) <= 2
    assert abs(int(frames[0].u[5, 5]) - 128) <= 2


def test_closing_early_ends_the_child(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=60)
    frames = read_frames(path, probe(path))
    others = _children()
    next(frames)
    running = _children() - others
    frames.close()  # type: ignore[attr-defined]
    assert running
    assert not _children() & running


def _children() -> set[str]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {pid for task in tasks for pid in task.read_text().split()}


def test_damage_is_stood_in_for_and_told(tmp_path: Path) -> None:
    path = damaged(
        make_clip(tmp_path / "c.mov", codec="mjpeg", pix_fmt="yuvj420p", frames=40),
        range(20, 22),
    )
    found = probe(path)
    frames = list(read_frames(path, found))
    assert found.frame_count == len(frames) == 40
    assert found.broken == (20, 21)
    assert [planes.index for planes in frames if planes.repeated] == [20, 21]
    for planes in frames:
        if planes.index not in (20, 21):
            assert number_shown(planes.y) == planes.index


def test_a_file_that_changed_since_is_refused_or_stood_in_for(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=30)
    found = probe(path)
    make_clip(path, size=(96, 64), frames=30)
    with pytest.raises(MediaRefused):
        list(read_frames(path, found))


def test_a_range_outside_the_scene_is_a_mistake(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=5)
    found = probe(path)
    assert list(read_frames(path, found, 2, 2)) == []
    with pytest.raises(ValueError, match="of 5"):
        next(read_frames(path, found, 0, 6))


# Colour


def grey(luma: int, *, full_range: bool, matrix: str = "bt709") -> Planes:
    chroma = np.full((4, 4), 128, np.uint8)
    y = np.full((8, 8), luma, np.uint8)
    return Planes(y, chroma, chroma.copy(), 0, 0, matrix, full_range)


@pytest.mark.parametrize(
    ("luma", "full_range", "grey_level"),
    [(16, False, 0), (235, False, 255), (0, True, 0), (255, True, 255)],
)
def test_black_and_white_of_both_ranges(
    luma: int, full_range: bool, grey_level: int
) -> None:
    rgb = grey(luma, full_range=full_range).rgb()
    assert abs(rgb.astype(int) - grey_level).max() <= 1


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full_range", [False, True])
def test_rgb_is_the_inverse_of_our_matrix(matrix: str, full_range: bool) -> None:
    from synthesis.media.colour import rgb_to_yuv_matrix

    wanted = np.array([180.0, 90.0, 60.0], np.float32)
    rows, offset = rgb_to_yuv_matrix(matrix, full_range)
    y, u, v = np.rint(rows @ wanted + offset).astype(np.uint8)
    planes = grey(int(y), full_range=full_range, matrix=matrix)
    planes.u[:], planes.v[:] = u, v
    assert abs(planes.rgb().astype(float) - wanted).max() <= 3


def test_a_region_is_that_part_of_the_picture() -> None:
    rng = np.random.default_rng(1)
    planes = grey(0, full_range=False)
    planes.y[:] = rng.integers(16, 235, planes.y.shape)
    planes.u[:] = rng.integers(100, 156, planes.u.shape)
    whole = planes.rgb()
    np.testing.assert_array_equal(planes.rgb_region(1, 3, 6, 8), whole[3:8, 1:6])
