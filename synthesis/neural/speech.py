"""When somebody speaks, and the lip codes of a whole sound."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from synthesis.faces.align import smooth
from synthesis.neural.control import CONTROL_RATE_HZ, SoundToLips
from synthesis.neural.mel import MEL_RATE_HZ, QUIET, loudness, normalised

LEAD_S, HANG_S = 0.12, 0.10
"""The mouth opens before it is heard and closes after."""
EASE_S = 0.05
"""Sigma of the gate's slopes: open to rest in about 100 ms."""
CHUNK_S, OVERLAP_S = 30.0, 2.0
"""Long sounds are heard in pieces that overlap by more than the networks reach."""


def speech_gate(mel: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (frames,) at 100 Hz: 1 where log-mel (frames, 80) holds speech, else 0.

    Loudness against the sound's own floor and peaks, widened by lead and hang, eased.
    """
    level = smooth(loudness(mel), 2.0)
    top, floor = np.percentile(level, 95), np.percentile(level, 5)
    if top < QUIET:
        return np.zeros(len(level))
    # A sound without pauses has a high floor: then nearly all of it is speech.
    threshold = max(min(floor + 0.3 * (top - floor), top - 2.5), top - 5.5)
    active = (level > threshold).astype(np.float64)
    lead, hang = round(LEAD_S * MEL_RATE_HZ), round(HANG_S * MEL_RATE_HZ)
    reach = np.ones(lead + hang + 1)
    widened = np.convolve(active, reach, "full")[lead : lead + len(active)] > 0
    return np.clip(smooth(widened.astype(np.float64), EASE_S * MEL_RATE_HZ), 0, 1)


@torch.inference_mode()
def codes_of_sound(
    networks: SoundToLips, mel: NDArray[np.float32], style_row: int
) -> NDArray[np.float32]:
    """Return lip codes (steps, CODE_SIZE) at 50 Hz for log-mel (frames, 80), gated."""
    heard = torch.from_numpy(normalised(mel))
    style = networks.control.styles(torch.tensor([style_row]))
    chunk, overlap = round(CHUNK_S * MEL_RATE_HZ), round(OVERLAP_S * MEL_RATE_HZ)
    pieces = []
    for start in range(0, len(heard), chunk):
        first = max(0, start - overlap)
        codes = networks(heard[None, first : start + chunk + overlap], style)[0].T
        skip = (start - first) // 2
        pieces.append(codes[skip : skip + chunk // 2])
    codes = torch.cat(pieces).numpy()
    gate = speech_gate(mel)[::2][: len(codes), None]
    gated: NDArray[np.float32] = (codes[: len(gate)] * gate).astype(np.float32)
    return gated


def codes_at(
    codes: NDArray[np.float32], times_s: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Interpolate codes at 50 Hz to times_s (n,); the mouth rests off the sound."""
    at = times_s * CONTROL_RATE_HZ
    grid = np.arange(len(codes))
    columns = [np.interp(at, grid, column, left=0.0, right=0.0) for column in codes.T]
    return np.stack(columns, 1).astype(np.float32)
