"""Sound as a log-mel picture. No librosa here: it takes seconds to import."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

RATE_HZ = 16_000
MEL_BANDS = 80
MEL_RATE_HZ = 100
HOP = RATE_HZ // MEL_RATE_HZ
WINDOW = 400
FFT = 512
FLOOR = 1e-5

FILTERS = torch.from_numpy(np.load(Path(__file__).parent / "mel_80_16k.npy"))
"""float32 (80, 257): librosa.filters.mel(sr=16000, n_fft=512, n_mels=80, fmax=7600)."""


def log_mel(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn mono sound (samples,) at 16 kHz, -1..1, into float32 (frames, 80).

    Frame k is centred on sample 160 k; natural logarithm of the magnitude, not below
    log(1e-5). Sound of any length gives at least one frame.
    """
    padded = np.pad(sound.astype(np.float32), (0, max(0, FFT - len(sound))))
    spectrum = torch.stft(
        torch.from_numpy(padded),
        FFT,
        HOP,
        WINDOW,
        torch.hann_window(WINDOW),
        center=True,
        pad_mode="constant",
        return_complex=True,
    ).abs()
    mel = (FILTERS @ spectrum).clamp_min(FLOOR).log()
    count = max(1, len(sound) // HOP + 1)
    return mel.T[:count].contiguous().numpy()


QUIET = -4.5
"""Log of summed band magnitudes below which a whole sound counts as silence."""
DEPTH = 9.0
"""How far below its loud parts a sound is listened to, in natural logarithms."""


def loudness(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 (frames,): log of the summed bands of log-mel (frames, 80)."""
    total: NDArray[np.float32] = np.log(np.exp(mel).sum(1))
    return total


def normalised(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take level, microphone and noise floor off log-mel (frames, 80); about -1..1.

    Each band is measured against its mean over the loud frames, so that another
    voice, room or synthesiser looks as alike as speech allows.
    """
    level = loudness(mel)
    top = np.percentile(level, 95)
    bands = np.maximum(mel - top, -DEPTH)
    loud = bands[level > top - 3.0]
    centred = bands - (loud if len(loud) else bands).mean(0)
    scaled: NDArray[np.float32] = (np.clip(centred, -6, 4) / 3.0).astype(np.float32)
    return scaled


def resampled(
    rows: NDArray[np.float32], at: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Interpolate rows (n, C) at fractional positions (m,); the ends repeat."""
    at = np.clip(at, 0, len(rows) - 1)
    low = np.floor(at).astype(int)
    share = (at - low)[:, None].astype(np.float32)
    high = np.minimum(low + 1, len(rows) - 1)
    mixed: NDArray[np.float32] = rows[low] * (1 - share) + rows[high] * share
    return mixed
