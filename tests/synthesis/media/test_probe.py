from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest

from synthesis.errors import MediaRefused
from synthesis.media.probe import Limits, Probe, probe, probe_sound, sha256_file
from tests.footage import make_clip, make_sound

FILM, NTSC = Fraction(24_000, 1_001), Fraction(30_000, 1_001)


def refusal(path: Path, limits: Limits | None = None) -> MediaRefused:
    with pytest.raises(MediaRefused) as refused:
        probe(path, limits)
    assert refused.value.sentence.endswith(".")
    return refused.value


@pytest.mark.parametrize("rate", [FILM, Fraction(25), NTSC, Fraction(50), 2 * NTSC])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_the_rate_is_exact(tmp_path: Path, rate: Fraction, name: str) -> None:
    found = probe(make_clip(tmp_path / name, rate=rate, frames=31))
    assert (found.rate, found.variable_rate) == (rate, False)
    assert found.frame_count == 31
    assert abs(found.duration - 31 / rate) <= found.time_base
    assert found.pts[0] == 0


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "kind"),
    [
        ("clip.mov", "prores", "yuv422p10le", "MP4/MOV"),
        ("clip.mov", "libx265", "yuv420p", "MP4/MOV"),
        ("clip.webm", "libvpx-vp9", "yuv420p", "Matroska/WebM"),
        ("clip.webm", "libvpx", "yuv420p", "Matroska/WebM"),
        ("clip.mkv", "ffv1", "yuv420p", "Matroska/WebM"),
        ("clip.avi", "mpeg4", "yuv420p", "AVI"),
        ("clip.mxf", "mpeg2video", "yuv420p", "MXF"),
        ("clip.ts", "libx264", "yuv420p", "MPEG-TS"),
        ("clip.mp4", "libsvtav1", "yuv420p", "MP4/MOV"),
    ],
)
def test_accepted_kinds_are_measured(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, kind: str
) -> None:
    path = make_clip(tmp_path / name, codec=codec, pix_fmt=pix_fmt, frames=12)
    found = probe(path)
    assert found.container == kind
    assert found.frame_count == 12
    assert found.pix_fmt == pix_fmt
    assert found.bits == (10 if "10" in pix_fmt else 8)


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4")
    odd = path.rename(tmp_path / "🎬 .. clip.txt")
    assert probe(odd).codec == "h264"


def test_variable_rate_keeps_every_stamp(tmp_path: Path) -> None:
    stamps = [0, 1_001, 2_002, 9_009, 10_010, 13_013, 30_030]
    found = probe(
        make_clip(
            tmp_path / "vfr.mp4",
            pts=stamps,
            time_base=Fraction(1, 30_000),
        )
    )
    assert found.variable_rate
    times = [stamp * found.time_base for stamp in found.pts]
    assert times == [Fraction(stamp, 30_000) for stamp in stamps]
    assert found.times_s()[3] == pytest.approx(0.3003)
    assert found.duration_pts(2) * found.time_base == Fraction(7_007, 30_000)


def test_rotation_turns_the_size_and_the_aspect(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "phone.mp4", rotation=-90, aspect=Fraction(4, 3))
    found = probe(path)
    assert (found.width, found.height, found.rotation) == (48, 64, 90)
    assert found.sample_aspect == Fraction(3, 4)


def test_colour_time_code_and_sound_are_told(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "clip.mp4",
        colour={"colorspace": 1, "color_range": 2, "color_trc": 1},
        timecode="01:00:00:00",
        sound="aac",
        sound_layout="5.1",
    )
    found = probe(path)
    assert found.colour.full_range
    assert found.colour.effective_matrix(found.height) == "bt709"
    assert found.timecode == "01:00:00:00"
    (sound,) = found.sounds
    assert (sound.codec, sound.rate_hz, sound.channels) == ("aac", 48_000, 6)
    assert sound.layout == "5.1"
    assert sound.start_s == 0
    assert float(sound.duration_s) == pytest.approx(1.0, abs=0.03)


def test_hdr_is_recognised(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", colour={"color_trc": 16})
    assert probe(path).colour.is_hdr


@pytest.mark.parametrize("size", [(1, 1), (63, 47), (64, 47), (2, 2)])
def test_odd_and_tiny_pictures_are_legal(tmp_path: Path, size: tuple[int, int]) -> None:
    path = make_clip(tmp_path / "clip.mp4", size=size, pix_fmt="yuv444p", frames=5)
    found = probe(path)
    assert (found.width, found.height, found.frame_count) == (*size, 5)


def test_a_clip_that_starts_late_is_put_on_the_scenes_clock(tmp_path: Path) -> None:
    stamps = [10_000 + 40 * i for i in range(10)]
    path = make_clip(tmp_path / "late.mkv", pts=stamps, time_base=Fraction(1, 1_000))
    found = probe(path)
    assert found.start_pts == 10_000
    assert found.pts[:3] == (0, 40, 80)
    assert found.duration == Fraction(2, 5)


def test_a_probe_survives_json(tmp_path: Path) -> None:
    found = probe(make_clip(tmp_path / "clip.mkv", rate=FILM, sound="aac"))
    assert Probe.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_progress_is_reported(tmp_path: Path) -> None:
    seen: list[int] = []
    probe(make_clip(tmp_path / "clip.mp4", frames=60), report=seen.append)
    assert seen == [25, 50]


# What is no scene


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scene.mp4"
    path.touch()
    assert refusal(path).code == "file-empty"


def test_a_text_file_called_mp4_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scene.mp4"
    path.write_text("Dear Robin,\nplease find the scene attached. Grüße\n")
    refused = refusal(path)
    assert refused.code == "text-file"
    assert "MP4, MOV" in refused.sentence


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "ffconcat version 1.0\nfile '/etc/passwd'\n",
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        "\ufeff[playlist]\nFile1=http://127.0.0.1/x\n",
    ],
)
def test_a_playlist_called_mp4_is_never_followed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scene.mp4"
    path.write_text(text)
    assert refusal(path).code == "playlist"


def test_an_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "clip.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: whole.index(b"moov") - 200])
    assert refusal(path).code == "mp4-no-index"


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_clip_that_breaks_off_is_refused_with_the_time(
    tmp_path: Path, name: str
) -> None:
    fast = {"movflags": "+faststart"} if name.endswith("mp4") else {}
    path = make_clip(
        tmp_path / name, frames=100, options={"g": "10"}, container_options=fast
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    refused = refusal(path)
    assert refused.code == "media-truncated"
    assert "of 4.0" in refused.sentence


def test_sound_alone_is_no_scene(tmp_path: Path) -> None:
    assert refusal(make_sound(tmp_path / "dub.wav")).code == "sound-only"
    alone = make_sound(tmp_path / "dub.mp4", codec="aac")
    assert refusal(alone).code == "sound-only"


def test_an_encrypted_file_is_named(tmp_path: Path) -> None:
    secret = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
        "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
    }
    path = make_clip(tmp_path / "drm.mp4", container_options=secret)
    assert refusal(path).code == "encrypted"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(side_px=32), "picture-too-large"),
        (Limits(picture_px=1_000), "picture-too-large"),
        (Limits(duration_s=0.5), "too-long"),
        (Limits(frames=10), "too-long"),
        (Limits(file_bytes=100), "file-too-large"),
        (Limits(sound_channels=1), "sound-too-large"),
        (Limits(sound_streams=0), "too-many-sounds"),
    ],
)
def test_limits_are_kept(tmp_path: Path, limits: Limits, code: str) -> None:
    path = make_clip(tmp_path / "clip.mp4", sound="aac", sound_layout="stereo")
    assert refusal(path, limits).code == code


def test_noise_behind_a_good_beginning_is_refused(tmp_path: Path) -> None:
    for head in (b"\x00\x00\x00\x20ftypisom", b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI "):
        path = tmp_path / "noise.mp4"
        path.write_bytes(head + bytes(range(256)) * 64)
        assert refusal(path).code in {
            "mp4-no-index",
            "media-damaged",
            "no-picture",
            "media-unreadable",
        }


def test_other_documents_are_named(tmp_path: Path) -> None:
    for head, word in ((b"%PDF-1.7", "PDF"), (b"\xff\xd8\xff\xe0", "JPEG")):
        path = tmp_path / "scene.mp4"
        path.write_bytes(head + bytes(500))
        assert word in refusal(path).sentence


def test_a_picture_whose_size_changes_is_refused(tmp_path: Path) -> None:
    small = make_clip(tmp_path / "a.ts", options={"g": "5"})
    large = make_clip(tmp_path / "b.ts", size=(96, 64), options={"g": "5"})
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    assert refusal(joined).code == "size-changes"


def test_damage_in_the_middle_keeps_the_count(tmp_path: Path) -> None:
    path = damaged(make_clip(tmp_path / "clip.mp4", frames=60, options={"g": "10"}))
    found = probe(path)
    assert found.frame_count == 60


def damaged(path: Path, packets: range = range(31, 33)) -> Path:
    """Overwrite the bytes of some packets, sparing the rest of the file."""
    with av.open(str(path)) as clip:
        spans = [(p.pos, p.size) for p in clip.demux(video=0) if p.size]
    content = bytearray(path.read_bytes())
    for position, size in (spans[i] for i in packets):
        content[position : position + size] = bytes([255]) * size
    path.write_bytes(content)
    return path


# Sound files


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("dub.wav", "pcm_s24le"),
        ("dub.aiff", "pcm_s16be"),
        ("dub.flac", "flac"),
        ("dub.mp3", "libmp3lame"),
        ("dub.m4a", "aac"),
        ("dub.aac", "aac"),
        ("dub.ogg", "libopus"),
    ],
)
def test_sound_files_are_measured(tmp_path: Path, name: str, codec: str) -> None:
    container = {"dub.m4a": "mp4", "dub.aac": "adts"}.get(name)
    path = make_sound(
        tmp_path / name, codec=codec, layout="stereo", seconds=2, container=container
    )
    found = probe_sound(path)
    assert (found.rate_hz, found.channels, found.layout) == (48_000, 2, "stereo")
    assert float(found.duration_s) == pytest.approx(2.0, abs=0.06)


def test_the_sound_of_a_video_is_measured(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mov", sound="pcm_s16le")
    assert probe_sound(path).codec == "pcm_s16le"


def test_a_long_sound_is_measured_to_its_end(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "long.wav", seconds=90)
    assert probe_sound(path).duration_s == 90


def test_a_silent_film_is_no_dub(tmp_path: Path) -> None:
    with pytest.raises(MediaRefused) as refused:
        probe_sound(make_clip(tmp_path / "clip.mp4"))
    assert refused.value.code == "no-sound"


def test_a_wave_file_without_samples_is_refused(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "dub.wav", seconds=0)
    with pytest.raises(MediaRefused):
        probe_sound(path)


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256_file(path).startswith("ba7816bf8f01cfea414140de5dae2223")
