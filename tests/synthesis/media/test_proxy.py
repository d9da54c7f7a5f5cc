from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe
from synthesis.media.proxy import proxy_size, write_proxy
from synthesis.media.sound import sound_mono_16k
from synthesis.media.thumbnail import thumbnail
from tests.footage import make_clip, number_shown


def test_a_proxy_has_the_scenes_frames_times_and_sound(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "scene.mov",
        codec="prores",
        pix_fmt="yuv422p10le",
        rate=Fraction(24_000, 1_001),
        frames=48,
        sound="pcm_s16le",
    )
    found, out, seen = probe(path), tmp_path / "proxy.mp4", []
    write_proxy(path, found, out, seen.append)
    copy = probe(out)
    assert (copy.codec, copy.pix_fmt) == ("h264", "yuv420p")
    assert [s * copy.time_base for s in copy.pts] == [
        s * found.time_base for s in found.pts
    ]
    assert seen == list(range(1, 49))
    shown = [number_shown(planes.y) for planes in read_frames(out, copy)]
    assert shown == list(range(48))
    assert copy.sounds[0].codec == "aac"
    assert abs(sound_mono_16k(out)).max() > 0.4


def test_key_frames_are_close(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "scene.mp4", frames=60)
    write_proxy(path, probe(path), tmp_path / "proxy.mp4")
    with av.open(str(tmp_path / "proxy.mp4")) as clip:
        keys = [i for i, frame in enumerate(clip.decode(video=0)) if frame.key_frame]
    assert max(np.diff([*keys, 60])) <= 13


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1_920, 1_080), (1_280, 720)),
        ((3_840, 1_600), (1_728, 720)),
        ((640, 480), (640, 480)),
        ((63, 47), (64, 48)),
        ((1, 1), (2, 2)),
        ((1_080, 1_920), (406, 720)),
    ],
)
def test_proxies_are_even_and_at_most_720_lines(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    found = probe(make_clip(tmp_path / "a.mp4", frames=3))
    width, height = proxy_size(replace(found, width=size[0], height=size[1]))
    assert abs(width - expected[0]) <= 2
    assert height == expected[1]
    assert width % 2 == height % 2 == 0


def test_an_odd_scene_gets_a_plain_proxy(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", codec="ffv1", size=(63, 47), frames=5)
    write_proxy(path, probe(path), tmp_path / "proxy.mp4")
    copy: Probe = probe(tmp_path / "proxy.mp4")
    assert (copy.width, copy.height, copy.pix_fmt) == (64, 48, "yuv420p")


def test_thumbnails_keep_the_shape_and_fit(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", size=(128, 64), frames=3)
    planes = next(read_frames(path, probe(path)))
    whole = _decoded(thumbnail(planes, size=(64, 64)))
    assert whole.shape == (32, 64, 3)
    part = _decoded(thumbnail(planes, (-10, 0, 32, 32), size=(320, 180)))
    assert part.shape == (32, 32, 3)
    assert abs(int(part[4, 4, 0]) - 51) < 8  # luma 60 of 16..235
    outside = _decoded(thumbnail(planes, (500, 500, 600, 600), size=(64, 64)))
    assert outside.shape == whole.shape


def _decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
