"""Bending the pattern to a picture that is not flat before the camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark.alignment import Response, Waves
from synthesis.provenance.mark.geometry import Matrix
from synthesis.provenance.mark.lattice import CARRIERS, PERIOD_PX

BLOCK_STEP, MOST_BLOCKS = PERIOD_PX // 2, 7
"""Along each side of the picture."""
NEAR_PX = 7
"""How far a block may lie from where it is expected."""


def track(response: Response, template: Waves) -> Matrix:
    """Bend the placement so that every part of the picture lies on the template.

    template: complex (n,), what the waves should be, 0 where unknown. Each block of the
    picture is correlated with it for shifts of a few pixels; then the perspective is
    climbed to under which these correlations together are highest. No block has to be
    sure by itself.
    """
    blocks = _Blocks.of(response, template)
    if blocks is None:
        return response.matrix
    return np.asarray(response.matrix @ blocks.bend())


@dataclass(frozen=True)
class _Blocks:
    """centres: (b, 2) pattern px. surfaces: (b, s, s), correlation by shift in steps of
    a pixel, no shift in the middle, s = 2 * NEAR_PX + 1."""

    centres: NDArray[np.float64]
    surfaces: NDArray[np.float64]

    @classmethod
    def of(cls, response: Response, template: Waves) -> _Blocks | None:
        laid = response.laid
        down, across = laid.shape
        if down < PERIOD_PX or across < PERIOD_PX:
            return None
        window = np.outer(np.hanning(PERIOD_PX), np.hanning(PERIOD_PX))
        # The carriers are all in the half of the spectrum that a real plane needs.
        spectrum = np.zeros((PERIOD_PX // 2 + 1, PERIOD_PX), np.complex128)
        spectrum[CARRIERS[:, 1], CARRIERS[:, 0]] = np.conj(template) / response.noise
        near = np.arange(-NEAR_PX, NEAR_PX + 1)
        centres, surfaces = [], []
        for top in _starts(down):
            for left in _starts(across):
                block = laid[top : top + PERIOD_PX, left : left + PERIOD_PX] * window
                block = np.roll(block, (top % PERIOD_PX, left % PERIOD_PX), (0, 1))
                heard = np.fft.rfft2(block, axes=(1, 0)) * spectrum
                surface = np.fft.irfft2(heard, axes=(1, 0))
                centres.append((left + PERIOD_PX / 2, top + PERIOD_PX / 2))
                surfaces.append(surface[np.ix_(near, near)])
        return cls(np.array(centres), np.array(surfaces))

    @cached_property
    def _places(self) -> NDArray[np.float64]:
        """Centres within -1..1 of the middle."""
        middle = self.centres.mean(axis=0)
        return np.asarray((self.centres - middle) / self._half)

    @cached_property
    def _half(self) -> float:
        return float(np.ptp(self.centres, axis=0).max() / 2 + PERIOD_PX / 4)

    @cached_property
    def _bends(self) -> NDArray[np.float64]:
        """(8, b, 2): shift of every block for one pixel of each kind of bend."""
        x, y = self._places.T
        zero, one = np.zeros_like(x), np.ones_like(x)
        kinds = [
            (one, zero), (zero, one), (x, y), (-y, x),
            (x, -y), (y, x), (x * x, x * y), (x * y, y * y),
        ]  # fmt: skip
        return np.array([np.stack(kind, axis=1) for kind in kinds])

    def height(self, bends: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the surfaces under amounts of each bend, (m, 8) -> (m,)."""
        place = np.tensordot(bends, self._bends, 1) + NEAR_PX
        place = np.clip(place, 0, 2 * NEAR_PX - 1e-6)
        cell = place.astype(int)
        part = place - cell
        block = np.arange(len(self.centres))
        total = 0.0
        for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = np.abs(1 - a - part[..., 0]) * np.abs(1 - b - part[..., 1])
            total = (
                total
                + weight * self.surfaces[block, cell[..., 1] + b, cell[..., 0] + a]
            )
        return np.asarray(np.sum(total, axis=-1))

    def _agreed(self) -> NDArray[np.float64]:
        """Amounts of each bend on which the highest places of the blocks agree, (m, 8):
        least squares in which the sure count most, and then those not far off."""
        side = self.surfaces.shape[-1]
        flat = self.surfaces.reshape(len(self.surfaces), -1)
        rows, columns = np.divmod(flat.argmax(axis=1), side)
        peaks = np.stack([columns, rows], axis=1) - NEAR_PX
        trust = flat.max(axis=1) / (flat.std(axis=1) + 1e-12 * (1 + flat.max()))
        bends = np.moveaxis(self._bends, 0, -1)
        found = []
        for _ in range(4):
            root = np.repeat(trust, 2)[:, None]
            ridge = 0.1 * trust.max() * np.eye(8)
            left = np.vstack([bends.reshape(-1, 8) * root, ridge])
            right = np.concatenate([peaks.ravel() * root[:, 0], np.zeros(8)])
            found.append(np.linalg.lstsq(left, right, rcond=None)[0])
            off = np.linalg.norm(bends @ found[-1] - peaks, axis=1)
            trust = trust * np.exp(-((off / NEAR_PX) ** 2))
        return np.array(found)

    def bend(self) -> Matrix:
        """The matrix of the best bend, (3, 3), pattern px to pattern px."""
        starts = np.vstack([np.zeros(8), self._agreed()])
        best = starts[int(np.argmax(self.height(starts)))]
        for step in (2.0, 1.0, 0.5, 0.25):
            for _ in range(6):
                around = best + step * MOVES
                top = int(np.argmax(self.height(around)))
                if top == 0:
                    break
                best = around[top]
        across, down, grow, turn, squeeze, skew, tilt_x, tilt_y = best / self._half
        middle = np.eye(3)
        middle[:2, 2] = self.centres.mean(axis=0)
        bent = np.array(
            [
                [1 + grow + squeeze, skew - turn, across * self._half],
                [skew + turn, 1 + grow - squeeze, down * self._half],
                [-tilt_x / self._half, -tilt_y / self._half, 1.0],
            ]
        )
        return np.asarray(middle @ bent @ np.linalg.inv(middle))


_SINGLE = np.vstack([np.eye(8), -np.eye(8)])
MOVES = np.vstack([np.zeros(8), _SINGLE, [a + b for a, b in combinations(_SINGLE, 2)]])
"""Bends by one or two kinds at a time."""


def _starts(length: int) -> NDArray[np.int64]:
    """Where blocks begin, evenly, from the first pixel to the last."""
    count = min(max(2, round((length - PERIOD_PX) / BLOCK_STEP) + 1), MOST_BLOCKS)
    return np.unique(np.linspace(0, length - PERIOD_PX, count).astype(int))
