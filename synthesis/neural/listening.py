"""What is heard in footage before it is trained on. Training side only: librosa takes
seconds to import, and inference never needs it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.mel import RATE_HZ

BELOW_TOP_DB = 40.0
"""Sound this far below the clip's loudest is a pause."""
SILENT_PEAK = 10 ** (-50 / 20)
"""A clip whose peak is below -50 dBFS holds noise, not speech."""


def voiced_s(sound: NDArray[np.float32]) -> float:
    """Return how many seconds of mono sound (samples,) at 16 kHz are not pauses.

    By librosa.effects.split on short-time energy; 0 for silence.
    """
    import librosa

    if not len(sound) or float(np.abs(sound).max()) < SILENT_PEAK:
        return 0.0
    spans = librosa.effects.split(sound, top_db=BELOW_TOP_DB)
    return float((spans[:, 1] - spans[:, 0]).sum()) / RATE_HZ
