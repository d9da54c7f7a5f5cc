"""The manifest's place in a film, and what binds the two: every layout, every byte."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import c2pa
import numpy as np
import pytest

from synthesis.errors import SynthesisError
from synthesis.provenance import binding
from synthesis.provenance.binding import Film
from synthesis.provenance.chunk_offsets import offsets_moved
from synthesis.provenance.container import manifest_boxes, top_boxes
from synthesis.provenance.native import settings
from synthesis.provenance.read import read_credential
from tests.synthesis.provenance.conftest import Studio, changed
from tests.synthesis.provenance.films import (
    parts,
    seen_and_heard,
    talking,
    with_wide_offsets,
)
from tests.synthesis.provenance.test_update import updated, written

LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "mp4, moov last": lambda folder: talking(folder / "a.mp4"),
    "mp4, moov first": lambda folder: talking(folder / "a.mp4", movflags="+faststart"),
    "mp4, 64-bit offsets": lambda folder: with_wide_offsets(talking(folder / "a.mp4")),
    "mov, moov last": lambda folder: talking(folder / "a.mov", codec="mpeg4"),
    "mov, moov first": lambda folder: talking(
        folder / "a.mov", codec="mpeg4", movflags="+faststart"
    ),
    "mov, 64-bit offsets": lambda folder: with_wide_offsets(
        talking(folder / "a.mov", codec="mpeg4")
    ),
    "mov, ProRes": lambda folder: talking(folder / "a.mov", codec="prores"),
}


def state(studio: Studio, path: Path) -> str:
    return read_credential(path, anchors=studio.anchors).state


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_signed_film_shows_and_sounds_as_before_in_every_layout(
    studio: Studio, tmp_path: Path, layout: Callable[[Path], Path]
) -> None:
    plain = layout(tmp_path)
    signed = studio.signed("signed" + plain.suffix, plain)
    assert state(studio, signed) == "trusted"
    kinds = [box.kind for box, _ in parts(plain)]
    assert [box.kind for box, _ in parts(signed)] == [kinds[0], b"uuid", *kinds[1:]]
    before, after = seen_and_heard(plain), seen_and_heard(signed)
    assert len(before) == len(after) > 40
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_layouts_are_what_they_are_called(tmp_path: Path) -> None:
    kinds = {}
    for name, layout in LAYOUTS.items():
        folder = tmp_path / name
        folder.mkdir()
        plain = layout(folder)
        kinds[name] = [box.kind for box, _ in parts(plain)]
        assert (b"co64" in plain.read_bytes()) == ("64-bit" in name)
        assert (b"ftypqt  " in plain.read_bytes()) == name.startswith("mov")
    assert kinds["mov, moov last"] == [b"ftyp", b"wide", b"mdat", b"moov"]
    assert kinds["mp4, moov first"][:2] == [b"ftyp", b"moov"]


def test_a_release_is_added_to_a_quicktime_film_too(
    studio: Studio, tmp_path: Path
) -> None:
    signed = studio.signed("a-signed.mov", talking(tmp_path / "a.mov", codec="mpeg4"))
    release = updated(studio, signed, "published")
    found = read_credential(
        written(signed, release, "released.mov"), anchors=studio.anchors
    )
    assert found.state == "trusted"
    assert found.actions[-1] == "c2pa.published"


def test_a_byte_changed_anywhere_in_a_film_is_noticed(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its head apart, which no C2PA hash covers, and which is not media."""
    monkeypatch.setattr(binding, "_LEAST_BLOCK", 1 << 10)
    signed = studio.signed("signed.mp4", talking(tmp_path / "a.mp4"))
    boxes = [box for box, _ in parts(signed) if box.kind not in (b"ftyp", b"uuid")]
    for box in boxes:
        inside = {box.start + 9, box.start + 17, (box.start + box.end) // 2}
        for at in {*inside, box.end - 1} if box.end - box.start > 18 else set():
            assert state(studio, changed(signed, at)) == "invalid", (box, at)
    assert {box.kind for box in boxes} == {b"free", b"mdat", b"moov"}


def blocks_of(path: Path) -> tuple[int, int]:
    """Where the media data that is hashed in blocks begins and ends."""
    (media,) = (box for box, _ in parts(path) if box.kind == b"mdat")
    return media.start + 16, media.end


@pytest.mark.parametrize("change", ["swapped", "repeated", "dropped"])
def test_blocks_of_the_media_data_cannot_change_places(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    size = 1 << 10
    monkeypatch.setattr(binding, "_LEAST_BLOCK", size)
    signed = studio.signed("signed.mp4", talking(tmp_path / "a.mp4"))
    start, end = blocks_of(signed)
    content = signed.read_bytes()
    one, two = content[start : start + size], content[start + size : start + 2 * size]
    first = {"swapped": two + one, "repeated": one + one, "dropped": one}[change]
    head = content[start - 16 : start]
    short = struct.pack(">I", end - start + 16 - (2 * size - len(first)))
    forged = tmp_path / "forged.mp4"
    forged.write_bytes(
        content[: start - 16] + short + head[4:] + first + content[start + 2 * size :]
    )
    assert state(studio, signed) == "trusted"
    assert state(studio, forged) == "invalid"


def test_neither_who_signs_nor_who_reads_needs_the_whole_film(
    studio: Studio, tmp_path: Path
) -> None:
    """The spec's own words for that are in the assertion, where readers find them."""
    signed = studio.signed("signed.mp4", talking(tmp_path / "a.mp4"))
    context = c2pa.Context.from_dict(settings(studio.anchors))
    with (
        signed.open("rb") as file,
        c2pa.Reader("video/mp4", file, context=context) as reader,
    ):
        assert '"fixedBlockSize":1048576' in reader.crjson().replace(" ", "")


def test_a_long_film_has_longer_blocks_and_not_more_of_them(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        file.write(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov")
        file.write(b"\0\0\0\1mdat" + (100 << 30).to_bytes(8, "big"))
        file.truncate(24 + (100 << 30))
    with path.open("rb") as file:
        blank = Film(file).blank()
    assert blank.blocks is not None
    assert binding.MOST_BLOCKS * 0.9 < len(blank.blocks) <= binding.MOST_BLOCKS
    assert blank.block_bytes % (1 << 20) == 0


def test_media_data_in_several_boxes_is_bound_as_one(
    studio: Studio, tmp_path: Path
) -> None:
    plain = talking(tmp_path / "a.mp4")
    two = tmp_path / "two.mp4"
    two.write_bytes(plain.read_bytes() + b"\0\0\0\x20mdat" + bytes(range(24)))
    signed = studio.signed("signed.mp4", two)
    # More than once: what readers make of blocks of several boxes is up to chance.
    assert {state(studio, signed) for _ in range(3)} == {"trusted"}
    last = signed.stat().st_size - 1
    assert state(studio, changed(signed, last)) == "invalid"


def near_the_end_of_32_bits(path: Path) -> Path:
    """The film, one chunk of it said to lie just before 4 GiB."""
    content = bytearray(path.read_bytes())
    at = content.index(b"stco") + 12
    content[at : at + 4] = ((1 << 32) - 8).to_bytes(4, "big")
    path.write_bytes(content)
    return path


def chunk_offsets(path: Path) -> list[int]:
    """All chunk offsets of a film, in order."""
    (moov,) = (content for box, content in parts(path) if box.kind == b"moov")
    found: list[int] = []
    offsets_moved(moov, lambda offsets: found.extend(map(int, offsets)) or offsets)
    return found


def test_offsets_that_no_longer_fit_get_more_room(
    studio: Studio, tmp_path: Path
) -> None:
    plain = near_the_end_of_32_bits(talking(tmp_path / "a.mp4", movflags="faststart"))
    signed = studio.signed("signed.mp4", plain)
    assert state(studio, signed) == "trusted"
    assert b"stco" not in signed.read_bytes()
    old, new = parts(plain), parts(signed)
    media = [
        next(box.start for box, _ in boxes if box.kind == b"mdat")
        for boxes in (old, new)
    ]
    by = media[1] - media[0]
    before, after = chunk_offsets(plain), chunk_offsets(signed)
    assert after == [at + by for at in before]
    assert max(after) > 1 << 32


def moof(content: bytes) -> bytes:
    return content + b"\0\0\0\x08moof"


REFUSED: dict[str, Callable[[bytes], bytes]] = {
    "in fragments": moof,
    "cut off": lambda content: content[:-1],
    "with something behind it": lambda content: content + b"\0\0",
    "without a head": lambda content: content[32:],
    "without a moov": lambda content: content[: content.index(b"moov") - 4],
    "with two": lambda content: content + b"\0\0\0\x08moov",
    "open at its end": lambda content: content + b"\0\0\0\0free12345678",
    "with a bad table": lambda content: content.replace(
        b"stco\0\0\0\0\0\0\0", b"stco\0\0\0\0\0\0\1"
    ),
}


@pytest.mark.parametrize("spoil", REFUSED.values(), ids=REFUSED.keys())
def test_what_our_encoder_would_not_leave_is_not_signed(
    studio: Studio, scene: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    odd = tmp_path / "odd.mp4"
    content = spoil(scene.read_bytes())
    assert content != scene.read_bytes()
    odd.write_bytes(content)
    before = set(tmp_path.iterdir())
    with pytest.raises(SynthesisError) as refusal:
        studio.sign("out.mp4", odd)
    assert refusal.value.code == "credential-not-signed"
    assert set(tmp_path.iterdir()) == before


def test_a_film_is_not_signed_twice(studio: Studio, scene: Path) -> None:
    signed = studio.signed("signed.mp4", scene)
    with pytest.raises(SynthesisError, match="could not be signed"):
        studio.sign("again.mp4", signed)


def test_the_box_of_the_manifest_is_where_the_rest_of_us_looks(
    studio: Studio, scene: Path
) -> None:
    path, signed = studio.sign("signed.mp4", scene)
    with path.open("rb") as file:
        (found,) = manifest_boxes(file)
        (head, *_) = top_boxes(file)
    assert found.store == signed.manifest
    assert found.start == head.end
    assert Film(io.BytesIO(scene.read_bytes())).head == path.read_bytes()[: head.end]
