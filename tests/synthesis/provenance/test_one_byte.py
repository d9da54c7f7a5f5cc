"""One bit of one byte: in the picture, in the sound, in the credential, of an MP4."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from synthesis.provenance.container import manifest_boxes
from synthesis.provenance.read import read_credential
from tests.synthesis.provenance.conftest import Studio, changed, film


@pytest.fixture
def talkie(tmp_path: Path) -> Path:
    """Ten frames of H.264 with a tone in AAC."""
    path = tmp_path / "talkie.mp4"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 160, 96, "yuv420p"
        sound = container.add_stream("aac", rate=16_000, layout="mono")
        for luma in film(1, width=160, height=96, frames=10):
            planes = np.full((144, 160), 128, np.uint8)
            planes[:96] = luma
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            container.mux(picture.encode(frame))
        tone = np.sin(np.arange(6_400) / 8, dtype=np.float32)[None]
        heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        heard.sample_rate = 16_000
        container.mux(sound.encode(heard))
        for stream in (picture, sound):
            container.mux(stream.encode(None))
    return path


def middle_of(path: Path, kind: str) -> int:
    """Where in the file the largest packet of a kind has its middle."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(**{kind: 0}) if p.size]
        largest = max(packets, key=lambda packet: packet.size)
        return int(largest.pos + largest.size // 2)


@pytest.mark.parametrize("part", ["video", "audio"])
def test_one_byte_of_picture_or_sound_breaks_the_binding(
    studio: Studio, talkie: Path, part: str
) -> None:
    path = studio.signed("signed.mp4", talkie)
    assert read_credential(path, anchors=studio.anchors).state == "trusted"
    found = read_credential(
        changed(path, middle_of(path, part)), anchors=studio.anchors
    )
    assert found.state == "invalid"
    assert "assertion.bmffHash.mismatch" in found.problems


def test_one_byte_of_what_the_credential_says_breaks_it(
    studio: Studio, talkie: Path
) -> None:
    path = studio.signed("signed.mp4", talkie)
    with path.open("rb") as file:
        (box,) = manifest_boxes(file)
    at = path.read_bytes().index(b"notAllowed", box.start)
    found = read_credential(changed(path, at), anchors=studio.anchors)
    assert found.state == "invalid"
    assert "assertion.hashedURI.mismatch" in found.problems
