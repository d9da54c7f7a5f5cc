"""A face with a moving mouth in one binary file: glTF 2.0 (Khronos, ISO/IEC 12113).

One mesh with a morph target for each axis of the lip code; one animation a track, whose
weights are the codes themselves: what is played is exactly what was rendered.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.lipcode import LipCode
from synthesis.performance.face import FaceMesh, face_mesh
from synthesis.performance.take import Performance

MAGIC, VERSION = b"glTF", 2
FLOAT, UINT16 = 5126, 5123
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
SHAPES = {1: "SCALAR", 3: "VEC3"}


class _Buffer:
    """The binary chunk as it grows, with the views and accessors into it."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(
        self, array: NDArray[Any], *, target: int | None = None, bounds: bool = False
    ) -> int:
        """Append float32 or uint16 (n,) or (n, 3); return the accessor's number."""
        view: dict[str, Any] = {
            "buffer": 0, "byteOffset": len(self.content), "byteLength": array.nbytes
        }  # fmt: skip
        if target is not None:
            view["target"] = target
        accessor: dict[str, Any] = {
            "bufferView": len(self.views),
            "componentType": FLOAT if array.dtype == np.float32 else UINT16,
            "count": len(array),
            "type": SHAPES[array.shape[1] if array.ndim == 2 else 1],
        }
        if bounds:
            rows = array.reshape(len(array), -1)
            accessor["min"] = [float(value) for value in rows.min(0)]
            accessor["max"] = [float(value) for value in rows.max(0)]
        self.content += array.astype(array.dtype.newbyteorder("<")).tobytes()
        self.content += bytes(-len(self.content) % 4)
        self.views.append(view)
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def performance_glb(
    performances: Sequence[Performance], lip_code: LipCode, about: Mapping[str, Any]
) -> bytes:
    """Return the whole .glb; about goes into asset.extras.

    Each animation starts at 0 s with its track's first frame; its extras say where in
    the scene that is.
    """
    buffer, mesh = _Buffer(), face_mesh(lip_code)
    document = {
        "asset": {"version": "2.0", "generator": "lipweb", "extras": dict(about)},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "face"}],
        "materials": [
            {
                "name": "clay",
                "doubleSided": True,
                "pbrMetallicRoughness": {
                    "baseColorFactor": [0.72, 0.66, 0.62, 1.0],
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.8,
                },
            }
        ],
        "meshes": [_mesh(buffer, mesh)],
        "animations": [_animation(buffer, take) for take in performances],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
    }
    document["buffers"] = [{"byteLength": len(buffer.content)}]
    return _packed(document, bytes(buffer.content))


def _mesh(buffer: _Buffer, mesh: FaceMesh) -> dict[str, Any]:
    count = len(mesh.morphs)
    primitive = {
        "attributes": {
            "POSITION": buffer.add(mesh.positions, target=ARRAY_BUFFER, bounds=True),
            "NORMAL": buffer.add(mesh.normals, target=ARRAY_BUFFER),
        },
        "indices": buffer.add(mesh.triangles.ravel(), target=ELEMENT_ARRAY_BUFFER),
        "material": 0,
        "targets": [
            {"POSITION": buffer.add(morph, target=ARRAY_BUFFER, bounds=True)}
            for morph in mesh.morphs
        ],
    }
    names = [f"lip code {number}" for number in range(1, count + 1)]
    return {
        "name": "face",
        "primitives": [primitive],
        "weights": [0.0] * count,
        "extras": {"targetNames": names},
    }


def _animation(buffer: _Buffer, take: Performance) -> dict[str, Any]:
    times_s = (take.times_s - take.times_s[0]).astype(np.float32)
    weights = np.asarray(take.codes, np.float32).ravel()
    return {
        "name": take.name,
        "samplers": [
            {
                "input": buffer.add(times_s, bounds=True),
                "output": buffer.add(weights),
                "interpolation": "LINEAR",
            }
        ],
        "channels": [{"sampler": 0, "target": {"node": 0, "path": "weights"}}],
        "extras": {
            "first_frame": take.first_frame,
            "first_timecode": take.timecodes[0],
            "frames": len(take.codes),
        },
    }


def _packed(document: Mapping[str, Any], binary: bytes) -> bytes:
    """Return header, JSON chunk padded with spaces, binary chunk padded with zeros."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return MAGIC + struct.pack("<II", VERSION, 12 + len(chunks)) + chunks
