"""Footage without speech is not trained on."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from synthesis.faces.align import CropSpec
from synthesis.neural.listening import voiced_s
from synthesis.neural.mel import RATE_HZ
from synthesis.neural.prepare import prepare

DEMO = Path(__file__).resolve().parents[3] / "synthesis" / "demo"


def test_silence_and_faint_hiss_hold_no_speech() -> None:
    hiss = np.random.default_rng(0).normal(0, 2e-4, 2 * RATE_HZ).astype(np.float32)
    assert voiced_s(np.zeros(RATE_HZ, np.float32)) == 0.0
    assert voiced_s(hiss) == 0.0
    assert voiced_s(np.zeros(0, np.float32)) == 0.0


def test_pauses_do_not_count_as_speech() -> None:
    at = np.arange(4 * RATE_HZ) / RATE_HZ
    sound = np.where((at > 1) & (at < 2), 0.3 * np.sin(900 * at), 0).astype(np.float32)
    assert voiced_s(sound) == pytest.approx(1.0, abs=0.15)


def test_a_real_line_is_mostly_speech() -> None:
    with wave.open(str(DEMO / "robin-es.wav")) as line:
        pcm = np.frombuffer(line.readframes(line.getnframes()), np.int16)
        rate_hz = line.getframerate()
    at = np.arange(0, len(pcm), rate_hz / RATE_HZ).astype(int)
    sound = (pcm[at] / 32768).astype(np.float32)
    assert voiced_s(sound) > 0.6 * len(sound) / RATE_HZ


def test_a_clip_without_speech_is_left_out_with_the_reason(
    silent_face: Path, tmp_path: Path
) -> None:
    lines = list(prepare([silent_face.parent], tmp_path, CropSpec()))
    assert "holds no speech" in lines[0]


@pytest.fixture
def silent_face(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Robin's picture over silence."""
    import av

    path = tmp_path_factory.mktemp("quiet") / "robin.mp4"
    with av.open(str(DEMO / "robin.mp4")) as source, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(source.streams.video[0])
        audio = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
        nothing = np.zeros((1, 2 * RATE_HZ), np.float32)
        frame = av.AudioFrame.from_ndarray(nothing, "fltp", "mono")
        frame.sample_rate = RATE_HZ
        out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return path
