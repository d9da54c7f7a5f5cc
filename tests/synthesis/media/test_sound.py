from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from synthesis.errors import MediaRefused, OutputFailed
from synthesis.media.inside.sounds import dialogue_weights
from synthesis.media.probe import probe, probe_sound
from synthesis.media.sound import (
    Line,
    SoundReader,
    fit_sound,
    mix_lines,
    pcm_24,
    read_sound,
    scene_origin_s,
    sound_mono_16k,
)
from tests.footage import make_clip, make_sound

KINDS = [
    ("dub.wav", "pcm_s16le", None),
    ("dub.wav", "pcm_f32le", None),
    ("dub.aiff", "pcm_s24be", None),
    ("dub.flac", "flac", None),
    ("dub.mp3", "libmp3lame", None),
    ("dub.m4a", "aac", "mp4"),
    ("dub.ogg", "libopus", None),
]


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0


@pytest.mark.parametrize(("name", "codec", "container"), KINDS)
def test_every_kind_becomes_mono_16_khz_in_sync(
    tmp_path: Path, name: str, codec: str, container: str | None
) -> None:
    path = make_sound(
        tmp_path / name,
        codec=codec,
        container=container,
        layout="stereo",
        seconds=1.5,
        silent_after_s=0.5,
    )
    sound = sound_mono_16k(path, 0, 2)
    assert sound.dtype == np.float32
    assert len(sound) == 32_000
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000)
    assert np.abs(sound[400:7_600] - wanted[400:7_600]).max() < 0.06
    assert loudness(sound[8_800:]) < 0.005


def test_a_stretch_is_that_part_of_the_whole(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "dub.wav", seconds=2, silent_after_s=1)
    whole = sound_mono_16k(path)
    np.testing.assert_array_equal(sound_mono_16k(path, 0.5, 1.25), whole[8_000:20_000])
    np.testing.assert_array_equal(sound_mono_16k(path, 0.5), whole[8_000:])
    before = sound_mono_16k(path, -0.5, 0.5)
    assert not before[:8_000].any()
    np.testing.assert_array_equal(before[8_000:], whole[:8_000])


def test_the_centre_channel_carries_the_dialogue(tmp_path: Path) -> None:
    levels = {}
    for number, name in enumerate(["FL", "FR", "FC", "LFE", "BL", "BR"]):
        path = make_sound(
            tmp_path / f"{name}.wav", layout="5.1", loud_channels=[number], seconds=0.5
        )
        levels[name] = loudness(sound_mono_16k(path)[800:7_200])
    assert levels["FC"] == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert levels["LFE"] < 0.001
    assert levels["FL"] < 0.3 * levels["FC"]


def test_weights_never_make_a_stereo_dub_louder() -> None:
    assert dialogue_weights(["FC"]).tolist() == [1]
    assert dialogue_weights(["FL", "FR"]).tolist() == [0.5, 0.5]
    assert dialogue_weights(["FL", "FR", "LFE"])[2] == 0


def test_channels_and_rate_are_kept_unless_asked(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "dub.wav", layout="5.1", rate_hz=44_100, seconds=0.5)
    with SoundReader(path) as reader:
        assert reader.format.rate_hz == 44_100
        assert reader.format.layout == "5.1"
        samples = sum(len(piece) for piece in reader)
    assert samples == 22_050
    pieces = list(read_sound(path, mono=False, rate_hz=48_000))
    assert pieces[0].shape[1] == 6
    assert abs(sum(map(len, pieces)) - 24_000) <= 2


def test_the_sound_of_a_scene_starts_with_its_first_picture(tmp_path: Path) -> None:
    stamps = [1_000 + 40 * i for i in range(50)]
    path = make_clip(
        tmp_path / "late.mkv", pts=stamps, time_base=Fraction(1, 1_000), sound="aac"
    )
    found = probe(path)
    origin_s = scene_origin_s(found)
    assert (origin_s, found.sounds[0].start_s) == (1, -1)
    scene = sound_mono_16k(path, 0, 2, origin_s=origin_s)
    assert loudness(scene) > 0.3
    file = sound_mono_16k(path, 1, 3)
    assert np.abs(scene[100:-100] - file[100:-100]).max() < 0.02


def test_an_overrun_is_measured_and_heard(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "dub.wav", seconds=2, silent_after_s=1.0)
    fit = fit_sound(path, Fraction(3, 2))
    assert (fit.length_s, fit.over_s, fit.over_silent) == (2, Fraction(1, 2), True)
    fit = fit_sound(path, Fraction(1, 2))
    assert (fit.over_s, fit.over_silent) == (Fraction(3, 2), False)
    assert fit_sound(path, Fraction(5)).over_s == 0


# Mixing


def test_lines_are_laid_where_they_belong(tmp_path: Path) -> None:
    line = make_sound(tmp_path / "line.wav", seconds=0.5, rate_hz=22_050)
    out = tmp_path / "mix.wav"
    peak = mix_lines([Line(line, 0.5), Line(line, 1.5, gain=0.5)], Fraction(3), out)
    assert peak == pytest.approx(0.5, abs=0.02)
    with wave.open(str(out)) as wav:
        assert wav.getparams()[:4] == (1, 3, 48_000, 144_000)
    sound = sound_mono_16k(out)
    levels = [loudness(sound[at : at + 6_000]) for at in (1_000, 9_000, 17_000, 25_000)]
    assert levels == pytest.approx([0, 0.354, 0, 0.177], abs=0.01)


def test_a_line_that_runs_over_or_starts_before_is_cut(tmp_path: Path) -> None:
    line = make_sound(tmp_path / "line.wav", seconds=2)
    out = tmp_path / "mix.wav"
    mix_lines([Line(line, 0.75)], Fraction(1), out)
    assert probe_sound(out).duration_s == 1


def test_overlapping_lines_add_up_and_clip_audibly_told(tmp_path: Path) -> None:
    line = make_sound(tmp_path / "line.wav", seconds=0.5)
    out = tmp_path / "mix.wav"
    assert mix_lines([Line(line)] * 3, Fraction(1, 2), out) == pytest.approx(1.5, 0.01)
    assert np.abs(sound_mono_16k(out)).max() <= 1


def test_one_stereo_line_makes_the_mix_stereo(tmp_path: Path) -> None:
    mono = make_sound(tmp_path / "mono.wav", seconds=0.5)
    left = make_sound(
        tmp_path / "left.flac",
        codec="flac",
        layout="stereo",
        loud_channels=[0],
        seconds=0.5,
    )
    out = tmp_path / "mix.wav"
    mix_lines([Line(mono), Line(left, 0.5)], Fraction(1), out)
    (whole,) = [np.concatenate(list(read_sound(out, mono=False)))]
    assert loudness(whole[:20_000, 0]) == pytest.approx(loudness(whole[:20_000, 1]))
    assert loudness(whole[26_000:, 0]) > 0.3
    assert loudness(whole[26_000:, 1]) < 0.001


def test_no_lines_are_silence(tmp_path: Path) -> None:
    out = tmp_path / "mix.wav"
    assert mix_lines([], Fraction(1), out) == 0
    assert not sound_mono_16k(out).any()


def test_a_bad_line_leaves_no_mix_behind(tmp_path: Path) -> None:
    bad = tmp_path / "line.wav"
    bad.write_text("not a sound")
    with pytest.raises(MediaRefused):
        mix_lines([Line(bad)], Fraction(1), tmp_path / "mix.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["line.wav"]


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed):
        mix_lines([], Fraction(1), tmp_path / "gone" / "mix.wav")


def test_24_bit_samples_are_little_endian_and_clipped() -> None:
    block = np.array([[0.0], [1.0], [-2.0]], np.float32)
    assert pcm_24(block).hex() == "000000" + "ffff7f" + "010080"
