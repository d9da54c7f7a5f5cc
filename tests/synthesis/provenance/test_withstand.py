"""What a stranger may do to a file, and what is said of it then."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synthesis.provenance.problems import _SAID, in_words
from synthesis.provenance.read import Credential, read_credential
from tests.conftest import REPOSITORY
from tests.synthesis.provenance.certificates import DAY, RIGHT, WRONG, signed_with_bad
from tests.synthesis.provenance.conftest import Studio

CASES = {
    "expired": (-3 * DAY, -DAY, RIGHT),
    "not yet valid": (DAY, 3 * DAY, RIGHT),
    "wrong purpose": (-DAY, DAY, WRONG),
}


def seen(studio: Studio, path: Path) -> Credential:
    return read_credential(path, anchors=studio.anchors)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("expired", "has expired"),
        ("not yet valid", "not valid yet"),
        ("wrong purpose", "another purpose"),
    ],
)
def test_bad_certificates_are_told_apart(
    studio: Studio, scene: Path, case: str, said: str
) -> None:
    begins, ends, uses = CASES[case]
    path = signed_with_bad(studio, scene, begins=begins, ends=ends, uses=uses)
    found = seen(studio, path)
    assert found.state == "invalid"
    sentences = [in_words(code) for code in found.problems]
    assert any(said in sentence for sentence in sentences), found.problems
    others = {"has expired", "not valid yet", "another purpose", "vouches"} - {said}
    assert not any(other in one for one in sentences for other in others)


def test_the_way_bad_certificates_are_made_makes_good_ones_too(
    studio: Studio, scene: Path
) -> None:
    path = signed_with_bad(studio, scene, begins=-2 * DAY, ends=2 * DAY)
    assert seen(studio, path).state == "trusted"


def test_an_unknown_root_is_no_fault_of_the_file(studio: Studio, scene: Path) -> None:
    path = studio.signed("out.mp4", scene)
    found = read_credential(path, anchors=b"")
    assert found.state == "valid"
    (code,) = found.problems
    assert "vouches" in in_words(code)


def test_every_sentence_is_its_own() -> None:
    assert len(set(_SAID.values())) == len(_SAID)
    assert in_words("some.new.code") not in _SAID.values()


RIFF = b"RIFF\xff\xff\xff\xffWAVE"
FTYP = b"\0\0\0\x10ftypisom\0\0\0\0"


def c2pa_box(store: bytes) -> bytes:
    body = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0\0\0\0manifest\0"
    return struct.pack(">I4s", 16 + len(body) + len(store), b"uuid") + (
        body + bytes(8) + store
    )


def jumbf(depth: int) -> bytes:
    """Superboxes within superboxes."""
    inner = b""
    for _ in range(depth):
        described = struct.pack(">I4s", 29, b"jumd") + b"c2pa" + bytes(12) + b"\3c2pa"
        inner = (
            struct.pack(">I4s", 8 + 29 + len(inner), b"jumb") + described[:29] + inner
        )
    return inner


NESTED = FTYP + b"".join(
    (80_008 - 8 * depth).to_bytes(4, "big") + b"moov" for depth in range(10_000)
)
BOMBS = {
    "boxes in boxes": NESTED,
    "riff that claims four gigabytes": RIFF + b"data\xff\xff\xff\xff",
    "riff of lists in lists": RIFF + b"LIST\x10\0\0\0RIFF" * 20_000,
    "riff of empty chunks": RIFF + b"C2PA\0\0\0\0" * 50_000,
    "riff chunk longer than the file": RIFF + b"C2PA\xf0\xff\xff\x7f" + bytes(100),
    "superboxes in superboxes": FTYP + c2pa_box(jumbf(5_000)),
    "store that claims four gigabytes": FTYP + c2pa_box(b"\xff\xff\xff\xffjumb"),
    "store of nothing": FTYP + c2pa_box(b""),
    "many stores": FTYP + c2pa_box(jumbf(2)) * 500,
    "flac that claims much": b"fLaC\x84\xff\xff\xff" + bytes(50),
    "id3 that claims much": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(50),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_answered_within_the_limits(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bomb.mp4"
    path.write_bytes(content)
    found = read_credential(path, anchors=b"", time_limit_s=60)
    assert found.state in ("absent", "invalid")
    assert not found.holds


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_what_was_made_of_a_bomb_is_signed_all_the_same(
    studio: Studio, scene: Path, content: bytes
) -> None:
    bomb = studio.folder / "bomb.mp4"
    bomb.write_bytes(content)
    path, signed = studio.sign("out.mp4", scene, scene_path=bomb)
    found = seen(studio, path)
    assert found.state == "trusted"
    assert {one.state for one in found.ingredients} <= {"absent", "invalid"}
    assert len(signed.manifest) < 100_000


def test_a_huge_sparse_file_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.write(FTYP + b"\0\0\0\1mdat" + (1 << 40).to_bytes(8, "big"))
        file.truncate(1 << 40)
    assert not read_credential(path, anchors=b"", time_limit_s=60).holds


def memory_of(scene: Path, folder: Path, size: int) -> dict[str, Any]:
    """What the steps of a process take over a film of so many bytes."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.synthesis.provenance.memory"]
    asked = subprocess.run(
        [*command, str(scene), str(folder), str(size)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return dict(json.loads(asked.stdout))


@pytest.mark.slow
def test_a_gigabyte_is_signed_and_read_in_the_memory_of_fifty_megabytes(
    scene: Path, tmp_path: Path
) -> None:
    small = memory_of(scene, tmp_path / "small", 50 << 20)
    large = memory_of(scene, tmp_path / "large", 1 << 30)
    assert large["size"] > 1 << 30
    assert small["state"] == large["state"] == "trusted"
    for step, kib in large["held"].items():
        assert kib < 1.15 * small["held"][step], step
        assert kib - large["held"]["none"] < 32 << 10, step
