"""Laying the pattern of a key exactly over a picture roughly known in geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark.geometry import Matrix
from synthesis.provenance.mark.lattice import (
    CARRIERS,
    PERIOD_PX,
    RADIUS,
    FloatPlane,
    Lattice,
    folded_spectrum,
)

Waves = NDArray[np.complex128]

SOFTEN = 0.4
"""Sigma in canvas pixels of the blur before a shrink, for each time it shrinks."""
NEARER = np.array(list(product((-0.67, -0.33, 0.0, 0.33, 0.67), repeat=2)))
"""Where round the best whole pixel a shift is looked for."""
SAME, SAME_PX = 0.01, 3.0
BLOCK_STEP, MOST_BLOCKS = PERIOD_PX // 2, 7
"""Along each side of the picture."""
NEAR_PX = 7
"""How far a block may lie from where it is expected."""


@dataclass(frozen=True)
class Response:
    """What a window says at every carrier under one placement of the pattern.

    laid: the window on the pattern's own grid. matrix: float64 (3, 3), pattern px to
    canvas px. waves: complex (n,), over the noise between the lattice points, where
    nothing is written: known without knowing the key. opposite: the same at the
    carriers mirrored.
    """

    laid: FloatPlane
    matrix: Matrix
    waves: Waves
    opposite: Waves
    noise: NDArray[np.float64]

    @property
    def mirrored(self) -> Response:
        """The response under the mirrored placement, found without laying it anew."""
        last = self.laid.shape[1] - 1
        flip = np.array([[-1.0, 0.0, last], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        return Response(
            np.ascontiguousarray(self.laid[:, ::-1]),
            np.asarray(self.matrix @ flip),
            self.opposite * ramp((-last, 0)),
            self.waves * ramp((last, 0)),
            self.noise,
        )


def centred(matrix: Matrix, flat: FloatPlane) -> Matrix:
    """A map (2, 2) of pattern px to canvas px as a placement, (3, 3), that gives all of
    the picture positive places. Where in its period it begins is for shifts to find."""
    down, across = flat.shape
    corners = np.array([(0, 0), (across, 0), (0, down), (across, down)])
    placement = np.eye(3)
    placement[:2, :2] = matrix
    placement[:2, 2] = matrix @ (corners @ np.linalg.inv(matrix).T).min(axis=0)
    return placement


def respond(flat: FloatPlane, matrix: Matrix) -> Response:
    """Lay a flattened canvas on the pattern's own grid and read every carrier."""
    laid = _lay(flat, matrix)
    spectrum = folded_spectrum(laid, 2 * PERIOD_PX)
    # Of a fold twice as wide even points are the lattice, odd ones lie between.
    x, y = 2 * CARRIERS[:, 0], 2 * CARRIERS[:, 1]
    between = [np.abs(spectrum[y + a, x + b]) ** 2 for a in (-1, 1) for b in (-1, 1)]
    noise = _by_radius(np.mean(between, axis=0))
    return Response(
        laid, matrix, spectrum[y, x] / noise, spectrum[y, -x] / noise, noise
    )


def _lay(flat: FloatPlane, matrix: Matrix) -> FloatPlane:
    if np.array_equal(matrix, np.eye(3)):
        return flat
    down, across = flat.shape
    corners = np.array([[(0, 0), (across, 0), (0, down), (across, down)]], np.float64)
    reached = cv2.perspectiveTransform(corners, np.linalg.inv(matrix))[0]
    width, height = np.clip(np.ceil(reached.max(axis=0)), 8, 2048).astype(int)
    shrinks = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if shrinks > 1.2:
        flat = np.asarray(cv2.GaussianBlur(flat, (0, 0), SOFTEN * shrinks), np.float32)
    # cv2 takes whole numbers for the middle of a pixel, as the fold does.
    laid = cv2.warpPerspective(
        flat,
        matrix,
        (int(width), int(height)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    return np.asarray(laid, np.float32)


def _by_radius(power: NDArray[np.floating]) -> NDArray[np.float64]:
    """Smooth a power per carrier over rings of equal frequency; root of it, > 0."""
    ring = RADIUS.round().astype(int)
    wide = np.ones(3)
    total = np.convolve(np.bincount(ring, power), wide, "same")
    count = np.convolve(np.bincount(ring), wide, "same")
    mean = total / np.maximum(count, 1)
    return np.asarray(np.sqrt(np.maximum(mean, 1e-12))[ring])


def shifts(
    response: Response, lattice: Lattice, count: int
) -> list[tuple[float, tuple[float, float]]]:
    """The likeliest shifts of the pattern, (across, down) px, by its pilots; before
    each its height in deviations of noise."""
    points = CARRIERS[lattice.pilots]
    pilots = response.waves[lattice.pilots] * np.exp(
        -1j * lattice.phases[lattice.pilots]
    )
    # The low ones are the loudest, mostly.
    pilots /= 1 + (RADIUS[lattice.pilots] / PERIOD_PX / 0.10) ** 2
    pilots /= np.sqrt(np.sum(np.abs(pilots) ** 2) / 2) + 1e-12
    grid = np.zeros((PERIOD_PX, PERIOD_PX), np.complex128)
    grid[points[:, 1], points[:, 0]] = pilots
    heights = np.real(np.fft.ifft2(grid)) * PERIOD_PX**2
    found = []
    for _ in range(count):
        down, across = np.unravel_index(int(np.argmax(heights)), heights.shape)
        near = np.array([across, down]) + NEARER
        turns = np.exp(2j * np.pi / PERIOD_PX * (near @ points.T))
        exactly = np.real(turns @ pilots)
        top = int(np.argmax(exactly))
        found.append((float(exactly[top]), (float(near[top, 0]), float(near[top, 1]))))
        rows = np.arange(down - 3, down + 4) % PERIOD_PX
        columns = np.arange(across - 3, across + 4) % PERIOD_PX
        heights[np.ix_(rows, columns)] = -np.inf
    return found


def shifted(matrix: Matrix, shift: tuple[float, float]) -> Matrix:
    """The placement that has the pattern's origin where the shift says."""
    move = np.eye(3)
    move[:2, 2] = shift
    return np.asarray(matrix @ move)


def is_as_written(matrix: Matrix) -> bool:
    """Whether a placement says that the picture was neither cropped nor padded, moved
    nor turned: to a hundredth, and to a few pixels of a period."""
    off = (matrix[:2, 2] + PERIOD_PX / 2) % PERIOD_PX - PERIOD_PX / 2
    bent = np.abs(matrix[:2, :2] - np.eye(2)).max()
    return bool(bent < SAME and np.abs(off).max() < SAME_PX)


def ramp(shift: tuple[float, float]) -> Waves:
    """What turns the waves back that a shift has turned."""
    turn = 2j * np.pi / PERIOD_PX * (CARRIERS @ np.array(shift))
    return np.asarray(np.exp(turn), np.complex128)


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
        spectrum = np.zeros((PERIOD_PX, PERIOD_PX), np.complex128)
        spectrum[CARRIERS[:, 1], CARRIERS[:, 0]] = np.conj(template) / response.noise
        near = np.arange(-NEAR_PX, NEAR_PX + 1)
        centres, surfaces = [], []
        for top in _starts(down):
            for left in _starts(across):
                block = laid[top : top + PERIOD_PX, left : left + PERIOD_PX] * window
                block = np.roll(block, (top % PERIOD_PX, left % PERIOD_PX), (0, 1))
                surface = np.real(np.fft.ifft2(np.fft.fft2(block) * spectrum))
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

    def bend(self) -> Matrix:
        """The matrix of the best bend, (3, 3), pattern px to pattern px."""
        best = np.zeros(8)
        moves = np.vstack([np.zeros(8), np.eye(8), -np.eye(8)])
        for step in (2.0, 1.0, 0.5, 0.25):
            for _ in range(6):
                around = best + step * moves
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


def _starts(length: int) -> NDArray[np.int64]:
    """Where blocks begin, evenly, from the first pixel to the last."""
    count = min(max(2, round((length - PERIOD_PX) / BLOCK_STEP) + 1), MOST_BLOCKS)
    return np.unique(np.linspace(0, length - PERIOD_PX, count).astype(int))
