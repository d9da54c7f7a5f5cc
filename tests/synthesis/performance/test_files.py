"""JSON and CSV as other tools read them, and codes as they are kept."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from synthesis.neural.lipcode import LipCode
from synthesis.performance import arkit, visemes
from synthesis.performance.files import arkit_csv, arkit_json, ovr_csv
from synthesis.performance.kept import PerformanceError, codes_pack, codes_unpack
from synthesis.performance.take import Performance

ABOUT = {"rate": "24000/1001", "language": "es"}


def rows(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """The remarks and the table of a CSV file."""
    lines = content.decode().splitlines()
    remarks = [line for line in lines if line.startswith("# ")]
    table = csv.DictReader(io.StringIO("\n".join(lines[len(remarks) :])))
    return remarks, list(table)


def test_json_carries_frames_time_codes_and_rate(
    take: Performance, lip_code: LipCode
) -> None:
    document = json.loads(arkit_json([take], lip_code, ABOUT))
    assert document["rate"] == "24000/1001"
    assert tuple(document["names"]) == arkit.NAMES
    (track,) = document["tracks"]
    assert (track["shot"], track["face"]) == (3, 2)
    frames = track["frames"]
    assert [frame["frame"] for frame in frames] == list(range(48, 57))
    assert frames[2]["timecode"] == "01:00:02:02"
    values = np.array([frame["values"] for frame in frames])
    expected = arkit.arkit_curves(take.motion(lip_code))
    assert values == pytest.approx(expected, abs=1e-5)
    assert values.max() > 0.1


def test_csv_says_the_same_as_json(take: Performance, lip_code: LipCode) -> None:
    remarks, table = rows(arkit_csv([take, take], lip_code, ABOUT))
    assert "# rate: 24000/1001" in remarks
    assert list(table[0]) == ["shot", "face", "frame", "timecode", *arkit.NAMES]
    frames: list[dict[str, Any]] = json.loads(arkit_json([take], lip_code, ABOUT))[
        "tracks"
    ][0]["frames"]
    assert len(table) == 2 * len(frames)
    for row, frame in zip(table, frames, strict=False):
        assert [float(row[name]) for name in arkit.NAMES] == frame["values"]
        assert row["timecode"] == frame["timecode"]


def test_the_visemes_file_says_what_lips_cannot_tell(
    take: Performance, lip_code: LipCode
) -> None:
    remarks, table = rows(ovr_csv([take], lip_code, ABOUT))
    assert any("cannot be told apart" in remark for remark in remarks)
    assert [name for name in table[0] if name in visemes.NAMES] == list(visemes.NAMES)
    sums = [sum(float(row[name]) for name in visemes.NAMES) for row in table]
    assert sums == pytest.approx([1] * 9, abs=1e-3)


def test_codes_come_back_as_they_were_kept() -> None:
    codes = np.random.default_rng(2).normal(0, 2, (40, 12)).astype(np.float32)
    kept = codes_pack(codes)
    assert len(kept) == 32 + 40 * 12 * 2
    assert codes_unpack(kept) == pytest.approx(codes, abs=5e-3)


def test_codes_of_another_lip_code_are_refused() -> None:
    kept = bytearray(codes_pack(np.zeros((2, 12))))
    kept[0] ^= 1
    with pytest.raises(PerformanceError, match="other networks") as caught:
        codes_unpack(bytes(kept))
    assert caught.value.code == "other-lip-code"


def test_a_version_without_codes_is_named_as_such() -> None:
    with pytest.raises(PerformanceError, match="Render a new version"):
        codes_unpack(b"")


def test_exporting_needs_no_torch() -> None:
    """A web process answers downloads; the networks' library is the workers'."""
    program = "import sys, synthesis.performance.files, synthesis.performance.kept;"
    program += "sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
