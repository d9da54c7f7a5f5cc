"""Every format of a deliverable: assembled, marked, signed, read back, watched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from synthesis.composite import composite
from synthesis.delivery import Delivery, not_kept
from synthesis.engines.base import MouthPatch
from synthesis.errors import SynthesisError
from synthesis.media.colour import Colour
from synthesis.media.formats import (
    Encoding,
    Format,
    encoding_of,
    format_verify,
    formats_here,
)
from synthesis.media.frames import Planes, read_frames
from synthesis.media.light import Light
from synthesis.media.probe import Probe, probe
from synthesis.media.proxy import browsers_play, write_proxy
from synthesis.media.soundtrack import SoundTrack
from synthesis.pipeline import Laid, Marks, assemble
from synthesis.provenance.container import UpdatedFile, manifest_boxes, skeleton
from synthesis.provenance.label import Schedule, Sign
from synthesis.provenance.mark import Embedder, detect
from synthesis.provenance.read import library_report, read_credential
from synthesis.provenance.readback import check_output
from synthesis.provenance.transcode import TranscodeFacts, transcode_sign
from synthesis.provenance.update import Before, UpdateFacts, update_sign
from tests.footage import make_sound
from tests.synthesis.provenance.conftest import (
    MARK_ID,
    MARK_KEY,
    Studio,
    film,
    studio_in,
)

SIZE, FRAMES = (640, 360), 50
KEY = ("k1", MARK_KEY)
HD = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}


def filmed(
    path: Path,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: Fraction = Fraction(30_000, 1_001),
    frames: int = FRAMES,
    size: tuple[int, int] = SIZE,
    colour: dict[str, int] | None = None,
    timecode: str = "01:00:59;28",
    options: dict[str, str] | None = None,
) -> Path:
    """A film with texture, in full depth where the pixels have ten bits."""
    if options is None:
        options = {"qp": "0"} if codec == "libx264" else {}
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        tags = HD if colour is None else colour
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        if timecode:
            out.metadata["timecode"] = timecode
        deep = "10" in pixels
        for number, luma in enumerate(film(7, width=size[0], height=size[1])[:frames]):
            frame = av.VideoFrame(*size, pixels)
            for index, plane in enumerate(frame.planes):
                kind: Any = "<u2" if deep else np.uint8
                rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
                scale = 4 if deep else 1
                if index == 0:
                    # The lowest two bits are not those of any eight-bit picture.
                    rows[:, : size[0]] = luma.astype(kind) * scale + deep * (number % 3)
                else:
                    ramp = np.arange(plane.width) % 32
                    rows[:, : plane.width] = (112 + ramp) * scale + deep
            for name, value in tags.items():
                setattr(frame, name, value)
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, scene_8: Path) -> Studio:
    return studio_in(tmp_path_factory.mktemp("studio"), scene_8)


@pytest.fixture(scope="module")
def scene_8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filmed(tmp_path_factory.mktemp("8") / "scene.mp4")


@pytest.fixture(scope="module")
def scene_10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("10")
    return filmed(folder / "scene.mov", codec="prores", pixels="yuv422p10le")


@pytest.fixture(scope="module")
def dub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dub")
    return make_sound(folder / "dub.wav", codec="pcm_s24le", layout="5.1", seconds=1.6)


def label_of(found: Probe, encoding: Encoding) -> Schedule:
    sign = Sign(found.width, found.height, full_range=encoding.full_range)
    return Schedule.throughout(sign, found.frame_count)


def assembled(scene: Path, out: Path, asked: Format, dub: Path | None) -> Probe:
    found = probe(scene)
    encoding = encoding_of(asked, found)
    embedder = Embedder(MARK_KEY, MARK_ID, found.width, found.height)
    assemble(
        scene=scene,
        probe=found,
        takes=[],
        laid=Laid([SoundTrack(dub, language="spa")] if dub else []),
        marks=Marks(label_of(found, encoding), embedder),
        encoding=encoding,
        target=out,
        report=lambda *_: None,
    )
    return probe(out)


def lumas(path: Path, found: Probe) -> Iterator[Any]:
    return (planes.y for planes in read_frames(path, found))


EXPECTED = {
    Format.H264: ("h264", "yuv420p", "yuv420p", "avc1"),
    Format.H264_MOV: ("h264", "yuv420p", "yuv420p", "avc1"),
    Format.HEVC: ("hevc", "yuv420p", "yuv420p10le", "hvc1"),
    Format.PRORES: ("prores", "yuv422p10le", "yuv422p10le", "apch"),
    Format.DNXHR: ("dnxhd", "yuv422p10le", "yuv422p10le", "AVdh"),
}


@pytest.mark.slow
@pytest.mark.parametrize("asked", list(Format))
@pytest.mark.parametrize("depth", [8, 10])
def test_a_deliverable_of_any_format_carries_all_marks_and_can_be_watched(
    studio: Studio,
    scene_8: Path,
    scene_10: Path,
    dub: Path,
    tmp_path: Path,
    asked: Format,
    depth: int,
) -> None:
    scene = scene_8 if depth == 8 else scene_10
    before = probe(scene)
    encoding = encoding_of(asked, before)
    plain = tmp_path / f"plain.{encoding.container}"
    after = assembled(scene, plain, asked, dub)

    # The scene's pictures, times, tags and time code.
    codec, shallow, deep, tag = EXPECTED[asked]
    assert (after.codec, after.pix_fmt) == (codec, shallow if depth == 8 else deep)
    with av.open(str(plain)) as clip:
        assert clip.streams.video[0].codec_context.codec_tag == tag
    assert (after.frame_count, after.rate) == (before.frame_count, before.rate)
    assert after.times_s().tolist() == before.times_s().tolist()
    assert abs(after.duration - before.duration) < Fraction(1, 1_000)
    assert (after.sample_aspect, after.timecode) == (Fraction(4, 3), "01:00:59;28")
    assert after.colour == before.colour
    assert [(s.channels, s.language) for s in after.sounds] == [(6, "spa")]

    # Signed, and all three marks read back from the file itself.
    signed, manifest = studio.sign(
        f"{asked}-{depth}.{encoding.container}", plain, mark_id=MARK_ID.hex()
    )
    credential = read_credential(signed, anchors=studio.anchors)
    assert (credential.state, credential.problems) == ("trusted", ())
    held = probe(signed)
    frames = ((p.y, p.u, p.v) for p in read_frames(signed, held))
    read = check_output(
        frames,
        label=label_of(before, encoding),
        mark_key=KEY,
        mark_id=MARK_ID,
        credential=credential,
        manifest_id=manifest.manifest_id,
    )
    assert read.problems == ()

    # Watched in a browser: itself, or a copy that says where it is from.
    if asked == Format.H264:
        assert browsers_play(held)
        return
    copy, viewed = tmp_path / "copy.mp4", tmp_path / "viewed.mp4"
    write_proxy(signed, held, copy)
    made = transcode_sign(
        copy,
        viewed,
        facts=TranscodeFacts(
            title="Dub in es",
            original=signed,
            original_id=manifest.manifest_id,
            mark_id=MARK_ID.hex(),
            consent_records=studio.facts.consent_records,
            software_version="1",
        ),
        signer=studio.signer,
        anchors=studio.anchors,
    )
    shown = probe(viewed)
    assert browsers_play(shown)
    assert shown.times_s().tolist() == held.times_s().tolist()
    assert shown.sounds[0].codec == "aac"
    assert detect(lumas(viewed, shown), [KEY]).id == MARK_ID.hex()
    told = read_credential(viewed, anchors=studio.anchors)
    assert (told.state, told.manifest_id) == ("trusted", made.manifest_id)
    assert told.actions == ("c2pa.opened", "c2pa.transcoded")
    assert [(i.relationship, i.state) for i in told.ingredients] == [
        ("parentOf", "trusted")
    ]
    assert told.consent_records == studio.facts.consent_records


def test_a_release_is_added_to_a_quicktime_file_as_to_any_other(
    studio: Studio, scene_8: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.mov"
    assembled(scene_8, plain, Format.H264_MOV, None)
    signed, manifest = studio.sign("release.mov", plain)
    with signed.open("rb") as file:
        head, (box,) = skeleton(file), manifest_boxes(file)
    update = update_sign(
        Before(
            head=head,
            appended=b"",
            store=box.store,
            manifest_id=manifest.manifest_id,
            checked=library_report(signed, anchors=studio.anchors, store=box.store),
        ),
        UpdateFacts("published", "t", ("d" * 64,), "m", "c" * 64, "1"),
        signer=studio.signer,
    )
    out = tmp_path / "updated.mov"
    out.write_bytes(UpdatedFile(signed.open("rb"), update.appended).read())
    found = read_credential(out, anchors=studio.anchors)
    assert (found.state, found.manifest_id) == ("trusted", update.manifest_id)
    assert [later.action for later in found.updates] == ["c2pa.published"]


# Ten bits


def raw(path: Path, pixels: str) -> list[tuple[Any, Any, Any]]:
    """The decoder's own samples."""
    frames = []
    with av.open(str(path)) as clip:
        for frame in clip.decode(video=0):
            assert frame.format.name == pixels
            frames.append(
                tuple(
                    np.frombuffer(plane, "<u2").reshape(plane.height, -1)[
                        :, : plane.width
                    ]
                    for plane in frame.planes
                )
            )
    return frames  # type: ignore[return-value]


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv422p10le", "yuv444p10le"])
def test_ten_bit_planes_come_as_they_were_decoded(tmp_path: Path, pixels: str) -> None:
    scene = filmed(
        tmp_path / "scene.mkv", codec="ffv1", pixels=pixels, frames=5, timecode=""
    )
    found = probe(scene)
    wanted = raw(scene, pixels)
    across, down = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}[pixels[3:6]]
    asked = replace(encoding_of(Format.PRORES, found).pixels, across=across, down=down)
    for planes, (y, u, v) in zip(
        read_frames(scene, found, pixels=asked), wanted, strict=True
    ):
        assert (planes.y.dtype, planes.pixels.name) == (np.uint16, pixels)
        for ours, theirs in ((planes.y, y), (planes.u, u), (planes.v, v)):
            np.testing.assert_array_equal(ours, theirs)


def test_eight_bits_become_ten_by_a_factor_of_four(tmp_path: Path) -> None:
    scene = filmed(tmp_path / "scene.mp4", frames=3)
    found = probe(scene)
    deep = read_frames(scene, found, pixels=encoding_of(Format.PRORES, found).pixels)
    for planes, plain in zip(deep, read_frames(scene, found), strict=True):
        np.testing.assert_array_equal(planes.y, plain.y.astype(np.uint16) * 4)
        np.testing.assert_array_equal(planes.luma_8(), plain.y)


def test_a_master_of_a_full_range_scene_says_limited_and_is_so(tmp_path: Path) -> None:
    colour = HD | {"color_range": 2}
    scene = filmed(tmp_path / "scene.mp4", frames=3, colour=colour)
    after = assembled(scene, tmp_path / "out.mov", Format.PRORES, None)
    assert (after.colour.range, after.colour.matrix) == (1, 1)
    shown = next(iter(read_frames(tmp_path / "out.mov", after))).rgb().astype(int)
    meant = next(iter(read_frames(scene, probe(scene)))).rgb().astype(int)
    # Below the label.
    assert np.abs(shown - meant)[180:].mean() < 2.5


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_scene_is_upright_in_a_master(tmp_path: Path, turned: int) -> None:
    source = filmed(
        tmp_path / "s.mov",
        codec="prores",
        pixels="yuv422p10le",
        frames=2,
        size=(160, 96),
    )
    found = replace(probe(source), rotation=turned)
    if turned != 180:
        found = replace(found, width=found.height, height=found.width)
    pixels = encoding_of(Format.PRORES, found).pixels
    (first, _) = read_frames(source, found, pixels=pixels)
    (plain, _) = read_frames(source, probe(source), pixels=pixels)
    np.testing.assert_array_equal(first.y, np.rot90(plain.y, -turned // 90))
    assert first.u.shape == (found.height, found.width // 2)


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv422p10le", "yuv422p", "yuv444p"])
def test_outside_the_mouth_no_sample_changes_in_any_layout(pixels: str) -> None:
    deep = pixels.endswith("10le")
    rng = np.random.default_rng(3)
    across, down = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}[pixels[3:6]]
    kind, top = (np.uint16, 1_024) if deep else (np.uint8, 256)
    height, width = 120, 160
    shapes = [(height, width)] + [(height // down, width // across)] * 2
    y, u, v = (rng.integers(0, top, shape).astype(kind) for shape in shapes)
    planes = Planes(y, u, v, 0, 0, "bt709", False)
    before = planes.copy()
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[..., :3] = (200, 40, 40)
    cv2.circle(rgba, (20, 20), 15, (200, 40, 40, 255), -1, cv2.LINE_AA)
    box = composite(planes, MouthPatch(rgba, np.array([[1.0, 0, 60.3], [0, 1, 40.7]])))
    assert box is not None
    inside = np.zeros((height, width), bool)
    inside[box.y0 : box.y1, box.x0 : box.x1] = True
    coarse = inside.reshape(height // down, down, width // across, across).any((1, 3))
    for ours, theirs, where in (
        (planes.y, before.y, inside),
        (planes.u, before.u, coarse),
        (planes.v, before.v, coarse),
    ):
        np.testing.assert_array_equal(ours[~where], theirs[~where])
    # And in its middle is the colour that was drawn: BT.709 of (200, 40, 40).
    unit = 4 if deep else 1
    middle = (61, 80)
    assert planes.y[middle] / unit == pytest.approx(79, abs=1)
    small = (middle[0] // down, middle[1] // across)
    assert planes.u[small] / unit == pytest.approx(112, abs=1)
    assert planes.v[small] / unit == pytest.approx(198, abs=1)


# HDR


@pytest.mark.slow
@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("asked", [Format.HEVC, Format.PRORES, Format.DNXHR])
def test_hdr_keeps_its_depth_and_its_tags(
    tmp_path: Path, asked: Format, transfer: int
) -> None:
    colour = {
        "colorspace": 9,
        "color_primaries": 9,
        "color_trc": transfer,
        "color_range": 1,
    }
    scene = filmed(
        tmp_path / "scene.mov",
        codec="prores",
        pixels="yuv422p10le",
        colour=colour,
        frames=10,
    )
    before = probe(scene)
    out = tmp_path / f"out.{encoding_of(asked, before).container}"
    after = assembled(scene, out, asked, None)
    assert after.bits == 10
    assert after.colour == before.colour
    assert after.colour.is_hdr


LIGHT = Light(
    (34_000, 16_000, 13_250, 34_500, 7_500, 3_000, 15_635, 16_450, 10_000_000, 50),
    (1_000, 400),
)


@pytest.mark.slow
def test_the_metadata_of_hdr10_goes_into_hevc_and_is_missed_aloud_elsewhere(
    tmp_path: Path,
) -> None:
    colour = {
        "colorspace": 9,
        "color_primaries": 9,
        "color_trc": 16,
        "color_range": 1,
    }
    params = {"x265-params": f"log-level=none{LIGHT.x265_params()}"}
    scene = filmed(
        tmp_path / "hdr10.mov",
        codec="libx265",
        pixels="yuv420p10le",
        colour=colour,
        options=params,
    )
    before = probe(scene)
    assert before.light == LIGHT
    assert Probe.from_json(before.to_json()) == before
    after = assembled(scene, tmp_path / "out.mp4", Format.HEVC, None)
    assert after.light == LIGHT
    assert not not_kept(before, Delivery(Format.HEVC))
    (told,) = not_kept(before, Delivery(Format.PRORES))
    assert "HDR10" in told


@pytest.mark.parametrize(
    "fields",
    [
        {"display": [1, 2, 3], "content": None},
        {"display": [60_000] + [1] * 7 + [9, 1], "content": None},
        {"display": [1] * 8 + [1, 9], "content": [-1, 4]},
        {"display": [], "content": [1, 70_000]},
    ],
)
def test_numbers_that_no_display_has_are_dropped(fields: dict[str, Any]) -> None:
    assert Light.from_json(fields) == Light()
    assert Light().x265_params() == ""


# Refused before anything is rendered


def facts(**changes: Any) -> Probe:
    found = Probe(
        container="MP4/MOV", demuxer="mov", codec="h264", pix_fmt="yuv420p", bits=8,
        width=1920, height=1080, rotation=0, sample_aspect=Fraction(1),
        rate=Fraction(25), variable_rate=False, interlaced=False,
        time_base=Fraction(1, 25), start_pts=0, end_pts=1, colour=COLOUR, light=Light(),
        timecode="",
        sounds=(), subtitles=(), broken=(), pts=(0,), keyframes=(0,),
    )  # fmt: skip
    return replace(found, **changes)


COLOUR = Colour(1, 1, 1, 1)
HDR = replace(COLOUR, matrix=9, primaries=9, transfer=16)


@pytest.mark.parametrize(
    ("asked", "changes", "code"),
    [
        (Format.PRORES, {"width": 1921}, "format-needs-even-width"),
        (Format.DNXHR, {"width": 1921}, "format-needs-even-width"),
        (Format.DNXHR, {"width": 200}, "format-needs-larger-picture"),
        (Format.DNXHR, {"height": 110}, "format-needs-larger-picture"),
        (Format.DNXHR, {"colour": replace(COLOUR, matrix=6)}, "format-needs-hd-colour"),
        (Format.HEVC, {"height": 14}, "format-needs-larger-picture"),
        (Format.H264, {"colour": HDR}, "format-not-for-hdr"),
        (Format.H264_MOV, {"colour": HDR}, "format-not-for-hdr"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_in_words(
    asked: Format, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(SynthesisError) as refused:
        format_verify(asked, facts(**changes))
    assert refused.value.code == code
    assert "Choose" in refused.value.sentence


@pytest.mark.parametrize("asked", list(Format))
def test_every_format_is_here_and_takes_an_ordinary_scene(asked: Format) -> None:
    assert asked in formats_here()
    format_verify(asked, facts())


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        (Format.PRORES, (642, 361)),
        (Format.DNXHR, (642, 361)),
        (Format.HEVC, (641, 361)),
        (Format.H264_MOV, (641, 361)),
    ],
)
def test_sizes_that_are_not_refused_are_written(
    tmp_path: Path, asked: Format, size: tuple[int, int]
) -> None:
    scene = filmed(
        tmp_path / "scene.mkv",
        codec="ffv1",
        pixels="yuv444p",
        size=size,
        frames=3,
        timecode="",
    )
    format_verify(asked, probe(scene))
    out = tmp_path / f"out.{encoding_of(asked, probe(scene)).container}"
    after = assembled(scene, out, asked, None)
    assert (after.width, after.height, after.frame_count) == (*size, 3)
