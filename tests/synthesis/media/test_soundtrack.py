"""Sound under a new picture: the same packets, or the same samples, in their place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.media.formats import Format, encoding_of
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe
from synthesis.media.sound import read_sound, scene_origin_s, sound_mono_16k
from synthesis.media.soundtrack import SoundTrack
from synthesis.media.writer import Writer
from tests.footage import make_clip, make_sound

SCENE_S = 2


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene")
    return make_clip(folder / "scene.mp4", size=(64, 48), frames=25 * SCENE_S)


def laid(
    scene: Path,
    out: Path,
    *tracks: SoundTrack,
    asked: Format = Format.H264,
    aac: bool = False,
) -> tuple[Probe, list[str]]:
    """Write the scene with sound tracks; return the new probe and what became of
    each."""
    found = probe(scene)
    encoding = encoding_of(asked, found)
    with Writer(out, like=found, encoding=encoding) as writer:
        hows = [writer.add_sound(track, aac=aac) for track in tracks]
        for planes in read_frames(scene, found, pixels=encoding.pixels):
            writer.write(planes)
    return probe(out), hows


def packets(path: Path, number: int = 0) -> list[bytes]:
    with av.open(str(path)) as clip:
        return [bytes(packet) for packet in clip.demux(audio=number) if packet.size]


def samples(path: Path, **asked: Any) -> NDArray[np.float32]:
    return np.concatenate(list(read_sound(path, mono=False, **asked)))


def onset_s(path: Path, number: int = 0) -> float:
    """When a track is first heard, on the file's own clock, as a player plays it."""
    with av.open(str(path)) as clip:
        stream = clip.streams.audio[number]
        for frame in clip.decode(stream):
            heard = np.abs(frame.to_ndarray().astype(float))
            loud = heard > 0.1 * (32_768 if "s16" in frame.format.name else 1)
            if "s32" in frame.format.name:
                loud = heard > 0.1 * 2**31
            channels = 1 if frame.format.is_planar else frame.layout.nb_channels
            found = np.flatnonzero(loud.reshape(len(heard), -1, channels).any((0, 2)))
            if len(found):
                start = float(frame.pts * frame.time_base)
                return start + int(found[0]) / frame.sample_rate
    raise AssertionError("nothing is heard")


# Copied


@pytest.mark.parametrize(
    ("codec", "layout", "asked"),
    [
        ("aac", "stereo", Format.H264),
        ("aac", "5.1", Format.H264),
        ("flac", "stereo", Format.H264),
        ("alac", "stereo", Format.H264),
        ("ac3", "5.1(side)", Format.H264),
        ("eac3", "5.1(side)", Format.H264),
        ("aac", "5.1", Format.PRORES),
        ("ac3", "5.1(side)", Format.PRORES),
        ("alac", "stereo", Format.PRORES),
    ],
)
def test_sound_that_the_container_takes_is_copied_packet_by_packet(
    scene: Path, tmp_path: Path, codec: str, layout: str, asked: Format
) -> None:
    dub = make_sound(tmp_path / "dub.mp4", codec=codec, seconds=1.9, layout=layout)
    out = tmp_path / f"out.{encoding_of(asked, probe(scene)).container}"
    after, hows = laid(scene, out, SoundTrack(dub), asked=asked)
    assert hows == ["copied"]
    assert packets(dub) == packets(out)
    assert (after.sounds[0].codec, after.sounds[0].layout) == (codec, layout)
    ours, theirs = sound_mono_16k(out), sound_mono_16k(dub)
    np.testing.assert_array_equal(ours[:30_000], theirs[:30_000])


@pytest.mark.parametrize(
    ("name", "codec", "layout"),
    [
        ("dub.wav", "pcm_s16le", "mono"),
        ("dub.wav", "pcm_s24le", "5.1"),
        ("dub.wav", "pcm_s24le", "7.1"),
        ("dub.wav", "pcm_f32le", "stereo"),
        ("dub.aiff", "pcm_s24be", "stereo"),
    ],
)
def test_pcm_goes_into_quicktime_as_it_is(
    scene: Path, tmp_path: Path, name: str, codec: str, layout: str
) -> None:
    dub = make_sound(tmp_path / name, codec=codec, layout=layout, seconds=1.5)
    out = tmp_path / "out.mov"
    after, hows = laid(scene, out, SoundTrack(dub), asked=Format.PRORES)
    assert hows == ["copied"]
    assert b"".join(packets(out)) == b"".join(packets(dub))
    assert after.sounds[0].codec == codec
    assert after.sounds[0].channels == av.AudioLayout(layout).nb_channels


# Kept without loss


@pytest.mark.parametrize(
    ("name", "codec", "layout", "rate_hz", "stored"),
    [
        ("dub.wav", "pcm_s16le", "mono", 22_050, "flac"),
        ("dub.wav", "pcm_s24le", "stereo", 96_000, "flac"),
        ("dub.wav", "pcm_s24le", "5.1", 48_000, "flac"),
        ("dub.wav", "pcm_s24le", "7.1", 48_000, "flac"),
        ("dub.aiff", "pcm_s24be", "stereo", 48_000, "flac"),
        ("dub.wav", "pcm_f32le", "stereo", 48_000, "pcm_f32le"),
        ("dub.wav", "pcm_s32le", "mono", 48_000, "pcm_s32le"),
    ],
)
def test_pcm_in_an_mp4_keeps_every_sample(
    scene: Path,
    tmp_path: Path,
    name: str,
    codec: str,
    layout: str,
    rate_hz: int,
    stored: str,
) -> None:
    dub = make_sound(
        tmp_path / name, codec=codec, layout=layout, rate_hz=rate_hz, seconds=1.5
    )
    after, hows = laid(scene, tmp_path / "out.mp4", SoundTrack(dub))
    assert hows == ["lossless" if stored == "flac" else "copied"]
    (sound,) = after.sounds
    assert (sound.codec, sound.rate_hz) == (stored, rate_hz)
    assert sound.channels == av.AudioLayout(layout).nb_channels
    ours, theirs = samples(tmp_path / "out.mp4"), samples(dub)
    np.testing.assert_array_equal(ours[: len(theirs)], theirs)
    assert not ours[len(theirs) :].any()


@pytest.mark.parametrize(
    ("name", "codec", "asked"),
    [
        ("dub.mp3", "libmp3lame", Format.H264),
        ("dub.ogg", "libopus", Format.H264),
        ("dub.aac", "aac", Format.H264),
        ("dub.flac", "flac", Format.PRORES),
    ],
)
def test_what_the_container_cannot_start_on_time_is_decoded_and_loses_nothing_more(
    scene: Path, tmp_path: Path, name: str, codec: str, asked: Format
) -> None:
    """Half a step of 24 bits is all that may come between."""
    container = "adts" if name.endswith("aac") else None
    dub = make_sound(tmp_path / name, codec=codec, layout="stereo", container=container)
    out = tmp_path / f"out.{encoding_of(asked, probe(scene)).container}"
    after, hows = laid(scene, out, SoundTrack(dub), asked=asked)
    assert hows == ["lossless"]
    assert after.sounds[0].codec == ("flac" if asked == Format.H264 else "pcm_s16le")
    ours, theirs = samples(out), samples(dub)
    assert np.abs(ours[: len(theirs)] - theirs).max() <= 2.0**-24
    assert after.sounds[0].duration_s == pytest.approx(SCENE_S, abs=0.001)


# Encoded, when that was asked for


@pytest.mark.parametrize(
    ("name", "codec", "layout", "rate_hz"),
    [
        ("dub.wav", "pcm_s16le", "mono", 22_050),
        ("dub.wav", "pcm_s24le", "5.1", 48_000),
        ("dub.wav", "pcm_s24le", "7.1", 48_000),
        ("dub.mp3", "libmp3lame", "stereo", 44_100),
    ],
)
def test_aac_has_the_sounds_own_rate_and_channels(
    scene: Path, tmp_path: Path, name: str, codec: str, layout: str, rate_hz: int
) -> None:
    dub = make_sound(tmp_path / name, codec=codec, layout=layout, rate_hz=rate_hz)
    after, hows = laid(scene, tmp_path / "out.mp4", SoundTrack(dub), aac=True)
    assert hows == ["encoded"]
    (sound,) = after.sounds
    assert (sound.codec, sound.layout, sound.rate_hz) == ("aac", layout, rate_hz)
    assert (after.frame_count, after.duration) == (50, SCENE_S)
    assert float(sound.duration_s) == pytest.approx(2.0, abs=0.001)


def test_aac_that_is_aac_already_is_copied(scene: Path, tmp_path: Path) -> None:
    dub = make_sound(tmp_path / "dub.m4a", codec="aac", container="ipod")
    _, hows = laid(scene, tmp_path / "out.mp4", SoundTrack(dub), aac=True)
    assert hows == ["copied"]
    assert packets(dub) == packets(tmp_path / "out.mp4")


@pytest.mark.parametrize("aac", [True, False])
def test_sound_stays_in_sync(scene: Path, tmp_path: Path, aac: bool) -> None:
    dub = make_sound(tmp_path / "dub.wav", seconds=1.5, silent_after_s=0.5)
    laid(scene, tmp_path / "out.mp4", SoundTrack(dub), aac=aac)
    heard = sound_mono_16k(tmp_path / "out.mp4", 0, 2)
    wanted = sound_mono_16k(dub, 0, 2)
    lags = range(-400, 401)
    scores = [float(np.roll(heard, lag) @ wanted) for lag in lags]
    assert abs(lags[int(np.argmax(scores))]) <= 1
    assert np.abs(heard[int(0.6 * 16_000) :]).max() < 0.01


# In its place


@pytest.mark.parametrize(
    ("name", "codec", "asked", "over_s"),
    [
        ("dub.mp4", "aac", Format.H264, 0.001),
        ("dub.wav", "pcm_s16le", Format.H264, 0.001),
        ("dub.wav", "pcm_s24le", Format.PRORES, 0.001),
        ("dub.mp4", "aac", Format.PRORES, 0.001),
        # The muxer takes AC-3 in whole packets of 1536 samples.
        ("dub.mp4", "ac3", Format.H264, 1_536 / 48_000),
    ],
)
def test_a_dub_longer_than_the_scene_is_cut_at_its_end(
    tmp_path: Path, name: str, codec: str, asked: Format, over_s: float
) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=25)
    dub = make_sound(tmp_path / name, codec=codec, seconds=3)
    out = tmp_path / f"out.{encoding_of(asked, probe(source)).container}"
    after, _ = laid(source, out, SoundTrack(dub), asked=asked)
    assert after.duration == 1
    assert float(after.sounds[0].duration_s) == pytest.approx(1.0, abs=over_s)
    with av.open(str(out)) as clip:
        assert clip.duration / 1e6 == pytest.approx(1.0, abs=over_s)
    if codec != "pcm_s16le":
        ours = b"".join(packets(out))
        assert b"".join(packets(dub)).startswith(ours)


@pytest.mark.parametrize(
    ("name", "codec", "asked", "within_s"),
    [
        ("dub.mp4", "aac", Format.H264, 0.002),
        ("dub.mp4", "ac3", Format.H264, 0.006),
        ("dub.mp4", "flac", Format.H264, 0.001),
        ("dub.wav", "pcm_s24le", Format.H264, 0.001),
        ("dub.wav", "pcm_s24le", Format.PRORES, 0.001),
        ("dub.mp4", "aac", Format.DNXHR, 0.002),
    ],
)
def test_a_line_that_begins_later_is_heard_at_its_frame(
    tmp_path: Path, name: str, codec: str, asked: Format, within_s: float
) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=40, size=(256, 144), **HD)
    dub = make_sound(tmp_path / name, codec=codec, seconds=0.5)
    plain, _ = laid(source, tmp_path / "plain.mov", SoundTrack(dub), asked=asked)
    at_s = Fraction(17, 25)
    out = tmp_path / "late.mov"
    out = out.with_suffix(f".{encoding_of(asked, plain).container}")
    late, _ = laid(source, out, SoundTrack(dub, start_s=at_s), asked=asked)
    begun = onset_s(tmp_path / "plain.mov")
    assert onset_s(out) - begun == pytest.approx(float(at_s), abs=0.001)
    assert begun == pytest.approx(0, abs=within_s)
    assert late.duration == plain.duration


HD: dict[str, Any] = {"colour": {"colorspace": 1}}


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
@pytest.mark.parametrize("name", ["scene.mkv", "scene.mov"])
def test_a_scenes_own_sound_starts_where_it_started(
    tmp_path: Path, name: str, codec: str
) -> None:
    """Of a scene whose first picture comes a second after its first sound."""
    stamps = [25 + i for i in range(50)]
    source = make_clip(
        tmp_path / name, pts=stamps, time_base=Fraction(1, 25), sound=codec
    )
    found = probe(source)
    (own,) = found.sounds
    track = SoundTrack(source, own.number, origin_s=scene_origin_s(found))
    wanted = sound_mono_16k(source, 0, 2, origin_s=scene_origin_s(found))
    laid(source, tmp_path / "out.mp4", track)
    heard = sound_mono_16k(tmp_path / "out.mp4", 0, 2)
    assert np.abs(wanted[:8_000]).max() > 0.3
    # Half a period either way: a packet or its start-up too many would show. Matroska
    # rounds each packet's time to a millisecond.
    lags = range(-17, 18)
    scores = [float(np.roll(heard, lag) @ wanted) for lag in lags]
    assert abs(lags[int(np.argmax(scores))]) <= (8 if name == "scene.mkv" else 1)


def test_sound_that_starts_late_is_laid_in_its_place(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", frames=50)
    late = make_clip(tmp_path / "late.mkv", frames=50, sound="aac")
    laid(source, tmp_path / "out.mp4", SoundTrack(late, origin_s=Fraction(1)))
    heard = sound_mono_16k(tmp_path / "out.mp4", 0, 2)
    assert np.abs(heard[1_000:15_000]).max() > 0.3
    assert np.abs(heard[17_000:]).max() < 0.01


# Several tracks


@pytest.mark.parametrize("asked", [Format.H264, Format.PRORES])
def test_every_track_keeps_its_language_title_channels_and_beginning(
    scene: Path, tmp_path: Path, asked: Format
) -> None:
    dub = make_sound(tmp_path / "dub.wav", codec="pcm_s24le", layout="5.1")
    other = make_sound(tmp_path / "me.mp4", codec="aac", layout="stereo")
    out = tmp_path / f"out.{encoding_of(asked, probe(scene)).container}"
    after, _ = laid(
        scene,
        out,
        SoundTrack(dub, language="spa", title="Doblaje"),
        SoundTrack(other, language="cym", title="Music and effects"),
        SoundTrack(other, language="deu", start_s=Fraction(1, 2)),
        asked=asked,
    )
    told = [(one.language, one.title, one.channels) for one in after.sounds]
    assert told == [
        ("spa", "Doblaje", 6),
        ("cym", "Music and effects", 2),
        ("deu", "", 2),
    ]
    assert [onset_s(out, n) for n in range(3)] == pytest.approx([0, 0, 0.5], abs=0.002)
    with av.open(str(out)) as clip:
        shown = [bool(s.disposition & 1) for s in clip.streams.audio]
    assert shown == [True, False, False]
