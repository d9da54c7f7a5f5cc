"""The evaluator as evaluate's SyncJudge: what it cannot judge is not a number."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.evaluator import Evaluator, JudgeError, agreement, judge_sync


class EvaluatorSays:
    """See evaluate.SyncJudge."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def sync(
        self,
        crops: NDArray[np.uint8],
        sound: NDArray[np.float32],
        times_s: NDArray[np.float64],
    ) -> tuple[float, float]:
        """Return (offset in frames, confidence); NaN where the clip is too short."""
        try:
            found = judge_sync(self._evaluator, crops, sound, times_s)
        except JudgeError:
            return math.nan, math.nan
        return float(found.offset_frames), found.confidence

    def agreement(
        self,
        crops: NDArray[np.uint8],
        sound: NDArray[np.float32],
        times_s: NDArray[np.float64],
    ) -> float:
        """Return the mean similarity; NaN where the clip is too short."""
        try:
            return agreement(self._evaluator, crops, sound, times_s)
        except JudgeError:
            return math.nan
