"""The stronger network: only the one file is taken, and OpenCV runs it.

The real file is not here. A tiny network in its format stands in for its weights; what
aligns faces and calls it is OpenCV itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from synthesis.errors import SynthesisError
from synthesis.faces import sface
from synthesis.faces.features import ShippedFeatures
from synthesis.faces.portraits import Portraits


def field(number: int, content: bytes | int | str) -> bytes:
    """One field of a protocol buffer: a number, or something with a length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def tensor(name: str, *sides: int) -> bytes:
    """ValueInfoProto of a float tensor."""
    shape = b"".join(field(1, field(1, side)) for side in sides)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def tiny_network() -> bytes:
    """An ONNX model: the mean colour of a (1, 3, 112, 112) picture, as (1, 3)."""
    pool = field(1, "data") + field(2, "mean") + field(4, "GlobalAveragePool")
    flat = field(1, "mean") + field(2, "fc1") + field(4, "Flatten")
    graph = field(1, pool) + field(1, flat) + field(2, "g")
    graph += field(11, tensor("data", 1, 3, 112, 112)) + field(12, tensor("fc1", 1, 3))
    return field(1, 7) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def portraits(*colours: tuple[int, int, int]) -> Portraits:
    pictures = np.stack([np.full((192, 192, 3), c, np.uint8) for c in colours])
    five = np.array([[66, 77], [126, 77], [96, 110], [74, 142], [118, 142]])
    count = len(colours)
    return Portraits(
        pictures,
        np.repeat(five[None].astype(np.float32), count, axis=0),
        np.full(count, 60, np.float32),
        np.zeros(count, np.int64),
    )


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in, as if it was the network we name."""
    path = tmp_path / "download.onnx"
    path.write_bytes(tiny_network())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(sface, "SHA256", sha256)
    return path


def test_another_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    pointer = tmp_path / "pointer.onnx"
    pointer.write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(SynthesisError, match=sface.SHA256) as refused:
        sface.install(pointer, tmp_path / "models")
    assert refused.value.code == "not-the-network"
    assert not (tmp_path / "models" / sface.NAME).exists()
    with pytest.raises(SynthesisError, match="https"):
        sface.download("http://example.com/x.onnx", tmp_path)


def test_what_ships_is_used_until_the_network_is_in_place(
    known: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    assert isinstance(sface.best_features(folder), ShippedFeatures)
    sface.install(known, folder)
    assert isinstance(sface.best_features(folder), sface.SFaceFeatures)
    assert sface.features_named("0" * 64, folder) is None


def test_opencv_aligns_and_measures_portraits_with_it(
    known: Path, tmp_path: Path
) -> None:
    sface.install(known, tmp_path / "models")
    features = sface.SFaceFeatures(tmp_path / "models" / sface.NAME)
    vectors = features.describe(portraits((200, 100, 50), (200, 100, 50), (0, 0, 90)))
    assert vectors.shape == (3, 3)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert vectors[0] @ vectors[1] == pytest.approx(1)
    assert vectors[0] @ vectors[2] < 0.5
