"""Small real films, keys and signed files for the provenance tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.provenance.container import top_boxes
from synthesis.provenance.keys import KeyFolder, test_authority
from synthesis.provenance.manifest import (
    LabelFacts,
    ManifestFacts,
    SignedManifest,
    sign,
)
from synthesis.provenance.signers import FileSigner, signer_from_files

Plane = NDArray[np.uint8]

MARK_KEY = bytes(range(32))
MARK_ID = bytes.fromhex("0123456789abcdef")


def film(
    seed: int, *, width: int = 640, height: int = 360, frames: int = 50
) -> list[Plane]:
    """Luma planes of a soft textured set with an oval that nods and talks."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 200, (9, 16)).astype(np.float32)
    fine = rng.normal(0, 1, (height, width)).astype(np.float32)
    set_ = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    set_ += 12 * cv2.GaussianBlur(fine, (0, 0), 1.5)
    planes = []
    for number in range(frames):
        picture = np.clip(set_, 16, 235).astype(np.uint8)
        middle = (width // 2, height // 2 + int(6 * np.sin(number / 7)))
        face = (height // 5, height // 3)
        cv2.ellipse(picture, middle, face, 0, 0, 360, (150,), -1, cv2.LINE_AA)
        mouth = (middle[0], middle[1] + height // 6)
        opening = 2 + int(6 * abs(np.sin(number / 3)))
        cv2.ellipse(
            picture, mouth, (height // 12, opening), 0, 0, 360, (60,), -1, cv2.LINE_AA
        )
        planes.append(picture)
    return planes


def encode(path: Path, lumas: list[Plane], *, crf: int = 20) -> Path:
    """Write grey H.264 of even size with x264 at `crf`, 25 frames a second."""
    height, width = (side - side % 2 for side in lumas[0].shape)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        for luma in lumas:
            planes[:height] = luma[:height, :width]
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def decode(path: Path) -> Iterator[tuple[Plane, Plane, Plane]]:
    """The y, u and v planes of each frame."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            flat = frame.to_ndarray()
            height, width = frame.height, frame.width
            chroma = flat[height:].reshape(2, height // 2, width // 2)
            yield flat[:height], chroma[0], chroma[1]


def recoded(folder: Path, lumas: list[Plane], *, crf: int) -> list[Plane]:
    """The lumas after one more x264 encode."""
    path = encode(folder / "recoded.mp4", lumas, crf=crf)
    return [y for y, _, _ in decode(path)]


def remuxed(source: Path, target: Path) -> Path:
    """The same packets in a new file, as `ffmpeg -c copy` would."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return target


def media_at(path: Path, offset: int = 100) -> int:
    """Where in a file the byte lies that is so far from the start of its media data."""
    with path.open("rb") as file:
        (start,) = (box.start for box in top_boxes(file) if box.kind == b"mdat")
    return start + offset


def changed(source: Path, at: int) -> Path:
    """A copy of the file with one bit of one byte turned."""
    content = bytearray(source.read_bytes())
    content[at] ^= 1
    target = source.with_name("changed.mp4")
    target.write_bytes(content)
    return target


@dataclass(frozen=True)
class Studio:
    """One signing identity, one scene, one dub sound, and what to say of them."""

    folder: Path
    authority: KeyFolder
    signer: FileSigner
    facts: ManifestFacts

    @property
    def anchors(self) -> bytes:
        return self.authority.root.read_bytes()

    def signed(self, name: str, source: Path, **changes: object) -> Path:
        target, _ = self.sign(name, source, **changes)
        return target

    def sign(
        self, name: str, source: Path, **changes: object
    ) -> tuple[Path, SignedManifest]:
        facts = replace(self.facts, **changes)
        target = self.folder / name
        signed = sign(
            source, target, facts=facts, signer=self.signer, anchors=self.anchors
        )
        return target, signed


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unmarked film, 160x96, ten frames."""
    folder = tmp_path_factory.mktemp("scene")
    return encode(folder / "scene.mp4", film(1, width=160, height=96, frames=10))


@pytest.fixture
def studio(tmp_path: Path, scene: Path) -> Studio:
    """A studio with a fresh test authority."""
    return studio_in(tmp_path, scene)


def studio_in(folder: Path, scene: Path) -> Studio:
    """A studio whose files lie in a folder."""
    sound = folder / "dub.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1600), np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
    authority = test_authority(folder / "keys" / "authority")
    facts = ManifestFacts(
        title="Scene 12, Spanish",
        scene_path=scene,
        scene_sha256="a" * 64,
        sound_path=sound,
        sound_sha256="b" * 64,
        model_name="native",
        model_sha256="c" * 64,
        source_language="en",
        target_language="es",
        mark_id=MARK_ID.hex(),
        consent_records=("d" * 64,),
        ledger_root="e" * 64,
        software_version="0.1.0",
        label=LabelFacts("MODIFICADO CON IA", "es"),
    )
    signer = signer_from_files(authority.chain, authority.key)
    return Studio(folder, authority, signer, facts)
