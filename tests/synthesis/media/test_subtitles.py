"""Text subtitles of a scene, carried over into what is made of it."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from synthesis.delivery import Delivery, not_kept, scene_subtitles
from synthesis.media.formats import Format, encoding_of
from synthesis.media.frames import read_frames
from synthesis.media.probe import probe
from synthesis.media.writer import Writer
from tests.footage import make_clip

CUES = ((200, 700, "<i>Hola</i>"), (1_000, 1_500, "¿Qué tal?"), (1_500, 1_900, "Adiós"))
WORDS = ["Hola", "¿Qué tal?", "Adiós"]


def with_subtitles(
    clip: Path, out: Path, codec: str, cues: Any = CUES, shift_ms: int = 0
) -> Path:
    """The clip's picture remuxed with texts beside it, times in milliseconds."""
    with av.open(str(clip)) as source, av.open(str(out), "w") as target:
        video = source.streams.video[0]
        copied = target.add_stream_from_template(video)
        texts: Any = target.add_mux_stream(codec)
        texts.metadata["language"] = "spa"
        texts.time_base = Fraction(1, 1_000)
        for packet in source.demux(video):
            if packet.size:
                packet.stream = copied
                packet.pts += round(Fraction(shift_ms, 1_000) / packet.time_base)
                packet.dts += round(Fraction(shift_ms, 1_000) / packet.time_base)
                target.mux(packet)
        for start, end, words in cues:
            text: Any = av.Packet(words.encode())
            text.stream, text.time_base = texts, Fraction(1, 1_000)
            text.pts = text.dts = start + shift_ms
            text.duration = end - start
            target.mux(text)
    return out


def shown(path: Path) -> list[tuple[float, str]]:
    """(when, words) of each text sample, empty ones included."""
    found = []
    with av.open(str(path)) as clip:
        for packet in clip.demux(subtitles=0):
            content = bytes(packet)
            if len(content) >= 2:
                (size,) = struct.unpack_from(">H", content)
                words = content[2 : 2 + size].decode()
                found.append((round(float(packet.pts * packet.time_base), 3), words))
    return found


def rewritten(scene: Path, out: Path, asked: Format = Format.H264) -> Path:
    found = probe(scene)
    encoding = encoding_of(asked, found)
    with Writer(out, like=found, encoding=encoding) as writer:
        for track in scene_subtitles(scene, found):
            writer.add_subtitles(track)
        for planes in read_frames(scene, found, pixels=encoding.pixels):
            writer.write(planes)
    return out


@pytest.mark.parametrize(("name", "asked"), [("a.mp4", "h264"), ("a.mov", "prores")])
def test_words_of_a_matroska_come_at_their_times(
    tmp_path: Path, name: str, asked: str
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=50)
    scene = with_subtitles(clip, tmp_path / "scene.mkv", "subrip")
    out = rewritten(scene, tmp_path / name, Format(asked))
    told = shown(out)
    assert [words for _, words in told if words] == WORDS
    assert [when for when, words in told if words] == [0.2, 1.0, 1.5]
    # Nothing is shown from 0.7 s on, and after 1.9 s.
    assert [when for when, words in told if not words] == [0.0, 0.7, 1.9]
    (after,) = probe(out).subtitles
    assert (after.codec, after.language, after.is_text) == ("mov_text", "spa", True)
    assert probe(out).frame_count == 50


def test_timed_text_is_copied_and_can_be_copied_again(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=50)
    scene = with_subtitles(clip, tmp_path / "scene.mkv", "subrip")
    first = rewritten(scene, tmp_path / "first.mp4")
    second = rewritten(first, tmp_path / "second.mov", Format.H264_MOV)
    assert shown(second) == shown(first)


def test_texts_count_from_the_first_picture(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=50)
    scene = with_subtitles(clip, tmp_path / "scene.mkv", "subrip", shift_ms=3_000)
    told = shown(rewritten(scene, tmp_path / "out.mp4"))
    assert [when for when, words in told if words] == [0.2, 1.0, 1.5]


def test_a_text_gives_way_to_the_next_one_and_ends_with_the_scene(
    tmp_path: Path,
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=25)
    cues = ((100, 900, "one"), (500, 5_000, "two"), (2_000, 3_000, "never"))
    scene = with_subtitles(clip, tmp_path / "scene.mkv", "subrip", cues)
    out = rewritten(scene, tmp_path / "out.mp4")
    assert shown(out) == [(0.0, ""), (0.1, "one"), (0.5, "two")]
    assert probe(out).duration == 1


def test_pictures_of_words_are_told_not_dropped_in_silence(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=25)
    scene = with_subtitles(clip, tmp_path / "scene.mkv", "hdmv_pgs_subtitle")
    found = probe(scene)
    assert [one.is_text for one in found.subtitles] == [False]
    (told,) = not_kept(found, Delivery())
    assert told.startswith("1 subtitle track of the scene (Blu-ray pictures)")
    assert not probe(rewritten(scene, tmp_path / "out.mp4")).subtitles


def test_facts_without_subtitles_are_read_back_as_they_were(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=25)
    scene = with_subtitles(clip, tmp_path / "scene.mkv", "subrip")
    for path in (clip, scene):
        found = probe(path)
        assert type(found).from_json(found.to_json()) == found
