"""From sound to lip code: features, gate, networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synthesis.neural.control import ControlConfig, SoundToLips
from synthesis.neural.mel import RATE_HZ, log_mel, normalised
from synthesis.neural.speech import codes_at, codes_of_sound, speech_gate

SMALL = ControlConfig(width=16, heard=8, dilations=(1,))


def bursts(seconds: float, loud: tuple[float, float]) -> NDArray[np.float32]:
    """Return a buzz between two moments and a faint hiss elsewhere."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    buzz = np.sign(np.sin(2 * np.pi * 140 * at)) * 0.3
    hiss = np.random.default_rng(1).normal(0, 1e-3, len(at))
    return np.where((at > loud[0]) & (at < loud[1]), buzz, hiss).astype(np.float32)


def test_a_second_of_sound_is_a_hundred_and_one_mel_frames() -> None:
    mel = log_mel(np.zeros(RATE_HZ, np.float32))
    assert mel.shape == (101, 80)
    assert mel.dtype == np.float32
    assert np.allclose(mel, np.log(1e-5))


@pytest.mark.parametrize("samples", [0, 1, 159, 511])
def test_the_shortest_sound_still_has_a_frame(samples: int) -> None:
    assert len(log_mel(np.zeros(samples, np.float32))) >= 1


def test_a_high_tone_lights_higher_bands_than_a_low_one() -> None:
    at = np.arange(RATE_HZ) / RATE_HZ
    low = log_mel(np.sin(2 * np.pi * 200 * at).astype(np.float32))[50].argmax()
    high = log_mel(np.sin(2 * np.pi * 4000 * at).astype(np.float32))[50].argmax()
    assert low < 10 < high


@pytest.mark.slow
def test_the_baked_matrix_is_the_one_librosa_makes() -> None:
    librosa = pytest.importorskip("librosa")
    from synthesis.neural.mel import FILTERS

    made = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=80, fmax=7600)
    assert np.allclose(FILTERS.numpy(), made, atol=1e-7)


def test_loudness_does_not_change_what_is_heard() -> None:
    sound = bursts(2.0, (0.5, 1.5))
    loud, quiet = normalised(log_mel(sound)), normalised(log_mel(sound * 0.2))
    assert np.abs(loud - quiet)[60:140].max() < 0.02


def test_the_gate_opens_on_speech_and_closes_within_a_fifth_of_a_second() -> None:
    gate = speech_gate(log_mel(bursts(3.0, (1.0, 2.0))))
    assert gate[150] == pytest.approx(1.0, abs=1e-3)
    assert gate[:70].max() < 0.05
    assert gate[230:].max() < 0.05


def test_digital_silence_never_opens_the_gate() -> None:
    assert speech_gate(log_mel(np.zeros(RATE_HZ, np.float32))).max() == 0


def test_silence_gives_the_mouth_at_rest() -> None:
    codes = codes_of_sound(
        SoundToLips(SMALL).eval(), log_mel(np.zeros(RATE_HZ, np.float32)), 0
    )
    assert codes.shape == (51, 12)
    assert not codes.any()


def test_a_long_sound_heard_in_pieces_sounds_as_if_heard_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(1)
    networks = SoundToLips(SMALL).eval()
    for module in networks.modules():
        # Group norm looks at the whole window: leave it out of the comparison.
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # type: ignore[method-assign]
    mel = log_mel(bursts(8.0, (1.0, 7.0)))
    whole = codes_of_sound(networks, mel, 0)
    monkeypatch.setattr("synthesis.neural.speech.CHUNK_S", 3.0)
    pieces = codes_of_sound(networks, mel, 0)
    assert pieces.shape == whole.shape
    assert np.abs(pieces - whole).max() < 1e-3


def test_codes_are_read_between_their_steps_and_rest_outside_the_sound() -> None:
    codes = np.arange(1, 51, dtype=np.float32)[:, None].repeat(12, 1)
    read = codes_at(codes, np.array([-0.5, 0.0, 0.01, 0.5, 9.0]))
    assert read[:, 0].tolist() == [0, 1, 1.5, 26, 0]


def test_every_length_of_sound_gives_half_as_many_steps() -> None:
    networks = SoundToLips(SMALL)
    style = networks.control.styles(torch.tensor([0]))
    for frames in (1, 2, 7, 100):
        steps = networks(torch.zeros(1, frames, 80), style).shape[2]
        assert steps == (frames + 1) // 2
