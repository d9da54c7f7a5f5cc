"""The animated face: valid glTF that moves as the render did."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL
from synthesis.neural.lipcode import LIPS_INNER, POINTS, LipCode
from synthesis.performance.face import EYES_M, face_mesh
from synthesis.performance.glb import performance_glb
from synthesis.performance.take import Performance

VALIDATOR = "gltf-validator@2.0.0-dev.3.10"
VALIDATE = """
const {validateBytes} = require('gltf-validator'), fs = require('fs');
validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))
  .then(report => console.log(JSON.stringify(report)));
"""
WIDTHS = {"SCALAR": 1, "VEC3": 3}
TYPES = {5126: np.dtype("<f4"), 5123: np.dtype("<u2")}


class Opened:
    """A .glb read back by the letter of the specification, sections 4.4 and 3.6."""

    def __init__(self, content: bytes) -> None:
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert kind == b"JSON" and size % 4 == 0
        self.document: dict[str, Any] = json.loads(content[20 : 20 + size])
        at = 20 + size
        size, kind = struct.unpack_from("<I4s", content, at)
        assert kind == b"BIN\0" and size % 4 == 0
        self.binary = content[at + 8 :]
        assert len(self.binary) == size == self.document["buffers"][0]["byteLength"]

    def array(self, number: int) -> NDArray[Any]:
        accessor = self.document["accessors"][number]
        view = self.document["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= len(self.binary)
        width = WIDTHS[accessor["type"]]
        kind = TYPES[accessor["componentType"]]
        assert view["byteLength"] == accessor["count"] * width * kind.itemsize
        flat = np.frombuffer(
            self.binary, kind, accessor["count"] * width, view["byteOffset"]
        )
        array = flat.reshape(-1, width)
        if "min" in accessor:
            assert accessor["min"] == array.min(0).tolist()
            assert accessor["max"] == array.max(0).tolist()
        return array if width > 1 else array[:, 0]


@pytest.fixture
def content(take: Performance, lip_code: LipCode) -> bytes:
    later = Performance(4, 1, 90, take.codes[:1], take.times_s[:1], ["01:00:03:18"])
    return performance_glb([take, later], lip_code, {"rate": "24000/1001"})


def test_each_track_is_an_animation_at_the_scenes_exact_rate(
    content: bytes, take: Performance
) -> None:
    glb = Opened(content)
    first, later = glb.document["animations"]
    assert (first["name"], later["name"]) == ("shot 3, face 2", "shot 4, face 1")
    (sampler,) = first["samplers"]
    times_s = glb.array(sampler["input"])
    assert times_s == pytest.approx(np.arange(9) * 1001 / 24000, abs=1e-7)
    weights = glb.array(sampler["output"]).reshape(9, 12)
    assert weights == pytest.approx(take.codes, abs=1e-6)
    assert first["channels"] == [
        {"sampler": 0, "target": {"node": 0, "path": "weights"}}
    ]
    assert first["extras"] == {
        "first_frame": 48, "first_timecode": "01:00:02:00", "frames": 9
    }  # fmt: skip


def test_the_face_moves_as_the_lip_code_says(content: bytes, lip_code: LipCode) -> None:
    glb = Opened(content)
    (primitive,) = glb.document["meshes"][0]["primitives"]
    codes = np.random.default_rng(1).normal(0, 2, 12)
    targets = [glb.array(target["POSITION"]) for target in primitive["targets"]]
    shift = np.einsum("k,kvd->vd", codes, np.stack(targets))
    still = np.zeros((len(POINTS), 3))
    wanted = lip_code.decode(codes[None], still)[0] * [1, -1, -1] * EYES_M
    assert shift[list(POINTS)] == pytest.approx(wanted, abs=1e-6)
    # Eyes and forehead are bone.
    assert np.abs(shift[[33, 263, 10, 151, 6]]).max() < 1e-6


def test_the_mesh_is_whole_and_faces_the_viewer(content: bytes) -> None:
    glb = Opened(content)
    (primitive,) = glb.document["meshes"][0]["primitives"]
    positions = glb.array(primitive["attributes"]["POSITION"])
    normals = glb.array(primitive["attributes"]["NORMAL"])
    triangles = glb.array(primitive["indices"]).reshape(-1, 3)
    assert len(positions) == 468
    assert triangles.max() < 468
    assert len(triangles) > 800
    # Two points of the lips' inside lie in the hole that the mouth is.
    assert len(set(range(468)) - set(triangles.ravel().tolist())) <= 4
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
    nose = normals[4]
    assert nose[2] > 0.5
    assert 0.08 < positions[263, 0] - positions[33, 0] < 0.1
    assert positions[10, 1] > positions[152, 1]
    assert positions[4, 2] > positions[234, 2]


def test_no_triangle_is_stretched_between_the_lips(lip_code: LipCode) -> None:
    mesh = face_mesh(lip_code)
    open_wide = mesh.positions + 4 * mesh.morphs[0]
    upper = {13, 81, 82, 80, 311, 312, 310}
    lower = {14, 87, 88, 178, 317, 318, 402}
    for triangle in mesh.triangles.tolist():
        assert not (upper & set(triangle) and lower & set(triangle))
    inner = open_wide[list(LIPS_INNER)]
    middle = np.array([0.0, inner[:, 1].mean()])
    for corners in open_wide[mesh.triangles.astype(int)][:, :, :2]:
        assert not _inside(middle, corners)


def test_at_rest_the_lips_are_together(lip_code: LipCode) -> None:
    gap = CANONICAL[14, 1] - CANONICAL[13, 1]
    mesh = face_mesh(lip_code)
    assert gap > 0.03
    shown = mesh.positions[13, 1] - mesh.positions[14, 1]
    assert shown == pytest.approx(0, abs=1e-6)


def _inside(point: NDArray[Any], triangle: NDArray[Any]) -> bool:
    edges = np.roll(triangle, -1, 0) - triangle
    away = point - triangle
    turns = edges[:, 0] * away[:, 1] - edges[:, 1] * away[:, 0]
    return bool((turns > 0).all() or (turns < 0).all())


@pytest.fixture(scope="session")
def khronos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node finds the Khronos validator."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node or npm is missing: glTF is checked by our own reader alone")
    folder = tmp_path_factory.mktemp("khronos")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
    try:
        done = subprocess.run(
            [*command, VALIDATOR], cwd=folder, capture_output=True, timeout=90
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer: glTF is checked by our own reader alone")
    if done.returncode:
        pytest.skip("npm has no glTF validator: our own reader checks alone")
    return folder


def test_the_khronos_validator_finds_nothing(
    content: bytes, khronos: Path, tmp_path: Path
) -> None:
    report = _report(content, khronos, tmp_path)
    assert report["issues"]["messages"] == []
    assert report["info"]["animationCount"] == 2
    assert report["info"]["hasMorphTargets"]


def test_the_khronos_validator_does_look(
    content: bytes, khronos: Path, tmp_path: Path
) -> None:
    broken = content.replace(b'"count":468', b'"count":469', 1)
    assert _report(broken, khronos, tmp_path)["issues"]["numErrors"] > 0


def _report(content: bytes, khronos: Path, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "face.glb"
    path.write_bytes(content)
    told = subprocess.run(
        ["node", "-e", VALIDATE, str(path)],
        cwd=khronos, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(told.stdout)
    return report
