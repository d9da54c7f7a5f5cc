"""A supervisor's dials laid over what the sound asks for. Pure arithmetic.

Every border is a blend of BLEND_FRAMES outside of it: inside a range, and on a drawn
curve, the mouth does exactly what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from synthesis.engines.base import BLEND_FRAMES, JOIN_FRAMES, Controls, KeyPoint

Codes = NDArray[np.float32]


def dialled(
    sounding: Callable[[float], Codes], controls: Controls, count: int
) -> Codes:
    """Return codes (count, C) for a shot of count frames.

    sounding(offset_frames): codes (count, C) that the sound asks for, moved later by so
    many frames.
    """
    codes = sounding(controls.offset_frames).astype(np.float64) * controls.intensity
    weights = [nearness(s.first_frame, s.end_frame, count) for s in controls.stretches]
    if weights:
        total = np.sum(weights, axis=0)[:, None]
        codes *= np.clip(1 - total, 0, 1)
        for stretch, weight in zip(controls.stretches, weights, strict=True):
            own = sounding(stretch.offset_frames) * stretch.intensity
            codes += weight[:, None] * own
        # Where two ranges meet, their blends overlap and share the frame.
        codes /= np.maximum(total, 1)
    for axis in {point.axis for point in controls.points}:
        points = [point for point in controls.points if point.axis == axis]
        values, weight = drawn(points, count)
        codes[:, axis] += weight * (values - codes[:, axis])
    return codes.astype(np.float32)


def nearness(first: int, end: int, count: int) -> NDArray[np.float64]:
    """Return (count,): 1 on frames first to end - 1, falling to 0 over the blend."""
    frames = np.arange(count)
    away = np.maximum(np.maximum(first - frames, frames - (end - 1)), 0)
    return np.asarray(np.clip(1 - away / (BLEND_FRAMES + 1), 0, 1), np.float64)


def drawn(
    points: Sequence[KeyPoint], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values and weights, each (count,), of the curve through key points.

    Points at most JOIN_FRAMES apart are joined; further apart, the curve goes back to
    what the sound asks for between them.
    """
    values, weights = np.zeros(count), np.zeros(count)
    frames = np.arange(count)
    for group in _joined(sorted(points, key=lambda point: point.frame)):
        at = np.array([point.frame for point in group], np.float64)
        weight = nearness(group[0].frame, group[-1].frame + 1, count)
        curve = _smooth_curve(at, np.array([p.value for p in group]), frames)
        values = np.where(weight > 0, curve, values)
        weights = np.maximum(weights, weight)
    return values, weights


def _joined(points: Sequence[KeyPoint]) -> list[list[KeyPoint]]:
    groups: list[list[KeyPoint]] = []
    for point in points:
        if groups and point.frame - groups[-1][-1].frame <= JOIN_FRAMES:
            groups[-1].append(point)
        else:
            groups.append([point])
    return groups


def _smooth_curve(
    at: NDArray[np.float64], values: NDArray[np.float64], frames: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the monotone cubic through (at, values) at frames, held off its ends.

    Fritsch and Butland 1984: no overshoot, so lips drawn closed stay closed.
    """
    if len(at) == 1:
        return np.full(len(frames), values[0])
    rise = np.diff(values) / np.diff(at)
    slope = np.zeros(len(at))
    same = rise[:-1] * rise[1:] > 0
    both = np.where(same, rise[:-1] + rise[1:], 1.0)
    slope[1:-1] = np.where(same, 2 * rise[:-1] * rise[1:] / both, 0.0)
    x = np.clip(frames, at[0], at[-1])
    k = np.clip(np.searchsorted(at, x, "right") - 1, 0, len(at) - 2)
    width = at[k + 1] - at[k]
    t = (x - at[k]) / width
    ease = t * t * (3 - 2 * t)
    curve: NDArray[np.float64] = values[k] + (values[k + 1] - values[k]) * ease
    curve += width * (t * (1 - t) ** 2 * slope[k] - t * t * (1 - t) * slope[k + 1])
    return curve
