from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from synthesis.errors import OutputFailed
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.media.soundtrack import SoundTrack
from synthesis.media.writer import Writer
from tests.footage import make_clip, make_sound, number_shown


def rewrite(source: Path, out: Path, sound: Path | None = None) -> Probe:
    """Read and write a clip; return the new probe."""
    found = probe(source)
    with Writer(out, like=found) as writer:
        if sound:
            writer.add_sound(SoundTrack(sound))
        for planes in read_frames(source, found):
            writer.write(planes)
    return probe(out)


def times_s(found: Probe) -> list[Fraction]:
    return [stamp * found.time_base for stamp in found.pts]


@pytest.mark.parametrize(
    "rate", [(24_000, 1_001), (25, 1), (30_000, 1_001), (50, 1), (60_000, 1_001)]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_times_and_count_come_out_as_they_went_in(
    tmp_path: Path, rate: tuple[int, int], name: str
) -> None:
    source = make_clip(tmp_path / name, rate=Fraction(*rate), frames=50)
    before = probe(source)
    after = rewrite(source, tmp_path / "out.mp4")
    assert times_s(after) == times_s(before)
    # Matroska rounds the end to its millisecond; the rate tells it exactly.
    assert abs(after.duration - before.duration) <= before.time_base / 2
    assert (after.rate, after.variable_rate) == (before.rate, False)
    shown = [number_shown(p.y) for p in read_frames(tmp_path / "out.mp4", after)]
    assert shown == list(range(50))


def test_variable_rate_stays_exact(tmp_path: Path) -> None:
    stamps = [0, 1_001, 2_002, 9_009, 10_010, 10_011, 13_013, 30_030]
    source = make_clip(tmp_path / "vfr.mp4", pts=stamps, time_base=Fraction(1, 30_000))
    after = rewrite(source, tmp_path / "out.mp4")
    assert times_s(after) == [Fraction(stamp, 30_000) for stamp in stamps]
    assert after.duration == probe(source).duration


@pytest.mark.parametrize("size", [(1, 1), (63, 47), (64, 47)])
def test_odd_sizes_are_written(tmp_path: Path, size: tuple[int, int]) -> None:
    source = make_clip(tmp_path / "a.mkv", codec="ffv1", size=size, frames=5)
    after = rewrite(source, tmp_path / "out.mp4")
    assert (after.width, after.height, after.frame_count) == (*size, 5)
    assert after.pix_fmt == "yuv444p"


def test_tags_are_kept(tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / "a.mp4",
        aspect=Fraction(4, 3),
        timecode="10:00:00:12",
        colour={
            "colorspace": 9,
            "color_range": 2,
            "color_primaries": 9,
            "color_trc": 14,
        },
    )
    before = probe(source)
    after = rewrite(source, tmp_path / "out.mp4")
    assert after.colour == before.colour
    assert after.sample_aspect == Fraction(4, 3)
    assert after.timecode == "10:00:00:12"


def test_a_rotated_scene_is_written_upright(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", rotation=-90)
    after = rewrite(source, tmp_path / "out.mp4")
    assert (after.width, after.height, after.rotation) == (48, 64, 0)


def test_pictures_stay_close_to_what_was_written(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=10)
    after = rewrite(source, tmp_path / "out.mp4")
    for one, two in zip(
        read_frames(source, probe(source)),
        read_frames(tmp_path / "out.mp4", after),
        strict=True,
    ):
        assert np.abs(one.y.astype(int) - two.y).mean() < 1.5


def test_the_same_in_gives_the_same_bytes_out(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=30)
    dub = make_sound(tmp_path / "dub.wav", seconds=1)
    for name in ("one.mp4", "two.mp4"):
        rewrite(source, tmp_path / name, dub)
    assert sha256_file(tmp_path / "one.mp4") == sha256_file(tmp_path / "two.mp4")


def test_the_index_comes_first_for_streaming(tmp_path: Path) -> None:
    rewrite(make_clip(tmp_path / "a.mp4"), tmp_path / "out.mp4")
    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


# Sound: see test_soundtrack.py


def test_picture_and_sound_are_interleaved(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=150)
    dub = make_sound(tmp_path / "dub.wav", seconds=6)
    rewrite(source, tmp_path / "out.mp4", dub)
    with av.open(str(tmp_path / "out.mp4")) as clip:
        spans = sorted(
            (packet.pos, packet.stream.type, packet.dts * packet.time_base)
            for packet in clip.demux()
            if packet.size
        )
    reached = {"video": Fraction(0), "audio": Fraction(0)}
    for _, kind, time in spans:
        reached[kind] = time
        assert abs(reached["video"] - reached["audio"]) < Fraction(3, 2)


# Whole or not at all


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=30)
    found, out = probe(source), tmp_path / "new" / "out.mp4"
    out.parent.mkdir()
    with pytest.raises(ZeroDivisionError), Writer(out, like=found) as writer:
        writer.add_sound(SoundTrack(make_sound(tmp_path / "dub.wav")))
        for planes in read_frames(source, found):
            writer.write(planes)
            if planes.index == 20:
                raise ZeroDivisionError
    assert list(out.parent.iterdir()) == []


def test_missing_frames_are_no_deliverable(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=10)
    found, out = probe(source), tmp_path / "out.mp4"
    with pytest.raises(OutputFailed, match="9 of 10"), Writer(out, like=found) as w:
        for planes in read_frames(source, found, 0, 9):
            w.write(planes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_an_older_file_of_that_name_survives_a_failure(tmp_path: Path) -> None:
    source, out = make_clip(tmp_path / "a.mp4"), tmp_path / "out.mp4"
    out.write_text("the version before")
    with pytest.raises(OutputFailed), Writer(out, like=probe(source)):
        pass
    assert out.read_text() == "the version before"


def test_frames_out_of_turn_are_a_mistake(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=10)
    found = probe(source)
    late = next(read_frames(source, found, 3))
    with (
        pytest.raises(ValueError, match="3 instead of 0"),
        Writer(tmp_path / "out.mp4", like=found) as writer,
    ):
        writer.write(late)


def test_a_folder_that_is_not_there_is_a_failure_in_words(tmp_path: Path) -> None:
    found = probe(make_clip(tmp_path / "a.mp4", frames=5))
    with (
        pytest.raises(OutputFailed, match="could not be written"),
        Writer(tmp_path / "gone" / "out.mp4", like=found) as writer,
    ):
        for planes in read_frames(tmp_path / "a.mp4", found):
            writer.write(planes)
