"""A look through any film: the same planes as exact reading gives, and no patience."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from synthesis.errors import MediaRefused
from synthesis.media.frames import read_frames
from synthesis.media.glance import glance
from synthesis.media.probe import probe
from synthesis.media.sandbox import Caps
from tests.synthesis.production import video_bytes


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(video_bytes())
    return path


def test_it_sees_what_exact_reading_sees(film: Path) -> None:
    with glance(film) as seen:
        assert (seen.rate, seen.length_s) == (25, 2.0)
        lumas = list(seen.lumas())
        assert seen.reached_s == pytest.approx(49 / 25)
    exact = [planes.y for planes in read_frames(film, probe(film))]
    assert len(lumas) == len(exact) == 50
    for one, other in zip(lumas, exact, strict=True):
        assert np.array_equal(one, other)


def test_ten_bits_come_as_eight(tmp_path: Path) -> None:
    path = tmp_path / "ten.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p10le"
        flat = np.full((54, 64), 400, np.uint16)
        frame = av.VideoFrame.from_ndarray(flat, "yuv420p10le")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with glance(path) as seen:
        (luma,) = seen.lumas()
    assert luma.shape == (36, 64)
    assert luma.dtype == np.uint8
    assert abs(int(luma.mean()) - 100) <= 1


def test_a_film_turned_by_its_container_comes_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.mp4"
    content = bytearray(video_bytes())
    identity = bytes.fromhex("00010000" + "00" * 12 + "00010000")
    quarter = bytes.fromhex(f"{0:08x}{1 << 16:08x}{0:08x}ffff0000{0:08x}")
    at = content.index(b"tkhd")
    at = content.index(identity, at)
    content[at : at + 20] = quarter
    path.write_bytes(content)
    facts = probe(path)
    assert (facts.width, facts.height) == (180, 320)
    with glance(path) as seen:
        first = next(seen.lumas())
    assert np.array_equal(first, next(read_frames(path, facts)).y)


def test_what_breaks_off_is_seen_as_far_as_it_goes(film: Path, tmp_path: Path) -> None:
    stream = tmp_path / "film.ts"
    with av.open(str(film)) as old, av.open(str(stream), "w") as new:
        target = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = target
                new.mux(packet)
    content = stream.read_bytes()
    stream.write_bytes(content[: len(content) // 2])
    with glance(stream) as seen:
        assert 10 < len(list(seen.lumas())) < 50


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "file-empty"), (b"#EXTM3U\nhttp://x/", "playlist"), (b"text", "text-file")],
)
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaRefused) as refused, glance(path):
        pass
    assert refused.value.code == code


def test_a_look_that_takes_too_long_is_ended(film: Path) -> None:
    with (
        pytest.raises(MediaRefused) as refused,
        glance(film, caps=Caps(stall_s=0, wall_s=0)) as seen,
    ):
        list(seen.lumas())
    assert refused.value.code == "media-time"
