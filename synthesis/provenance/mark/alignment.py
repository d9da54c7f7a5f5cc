"""Laying the pattern of a key exactly over a picture roughly known in geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark.geometry import Matrix
from synthesis.provenance.mark.lattice import (
    CARRIERS,
    MIRRORED,
    PERIOD_PX,
    RADIUS,
    FloatPlane,
    Lattice,
    folded_spectrum,
)

Waves = NDArray[np.complex128]

SOFTEN = 0.4
"""Sigma in canvas pixels of the blur before a shrink, for each time it shrinks."""
NEIGHBOURS = 2.0
"""Lattice steps over which noise is smoothed: loud near the axes, softer off them."""
NEARER = np.array(list(product((-0.67, -0.33, 0.0, 0.33, 0.67), repeat=2)))
NEARER_TURNS = np.exp(2j * np.pi / PERIOD_PX * (NEARER @ CARRIERS.T))
"""Where round the best whole pixel a shift is looked for, and how that turns waves."""
SAME, SAME_PX = 0.01, 3.0
"""How far a placement may be from the one written, by ratio and in canvas pixels."""


@dataclass(frozen=True)
class Response:
    """What a window says at every carrier under one placement of the pattern.

    laid: the window on the pattern's own grid. matrix: float64 (3, 3), pattern px to
    canvas px. waves: complex (n,), over the noise between the lattice points, where
    nothing is written: known without knowing the key.
    """

    laid: FloatPlane
    matrix: Matrix
    waves: Waves
    noise: NDArray[np.float64]

    @property
    def mirrored(self) -> Response:
        """The response under the mirrored placement, found without laying it anew."""
        last = self.laid.shape[1] - 1
        flip = np.array([[-1.0, 0.0, last], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        return Response(
            np.ascontiguousarray(self.laid[:, ::-1]),
            np.asarray(self.matrix @ flip),
            self.waves[MIRRORED] * ramp((-last, 0)),
            self.noise[MIRRORED],
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
    power = _neighbourhood() @ np.mean(between, axis=0)
    noise = np.sqrt(np.maximum(power, 1e-12))
    return Response(laid, matrix, spectrum[y, x] / noise, noise)


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


@lru_cache(maxsize=1)
def _neighbourhood() -> NDArray[np.float64]:
    """(n, n): shares in which the carriers about each one say how loud its noise is."""
    apart = np.sum((CARRIERS[:, None] - CARRIERS[None]) ** 2, axis=-1)
    near = np.exp(-apart / (2 * NEIGHBOURS**2))
    return np.asarray(near / near.sum(axis=1, keepdims=True))


def ramp(shift: tuple[float, float]) -> Waves:
    """What turns the waves back that a shift has turned."""
    turn = 2j * np.pi / PERIOD_PX * (CARRIERS @ np.array(shift))
    return np.asarray(np.exp(turn), np.complex128)


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
    nearer = NEARER_TURNS[:, lattice.pilots]
    found = []
    for _ in range(count):
        down, across = np.unravel_index(int(np.argmax(heights)), heights.shape)
        whole = (float(across), float(down))
        exactly = np.real(nearer @ (pilots * ramp(whole)[lattice.pilots]))
        top = int(np.argmax(exactly))
        shift = (whole[0] + float(NEARER[top, 0]), whole[1] + float(NEARER[top, 1]))
        found.append((float(exactly[top]), shift))
        rows = np.arange(down - 3, down + 4) % PERIOD_PX
        columns = np.arange(across - 3, across + 4) % PERIOD_PX
        heights[np.ix_(rows, columns)] = -np.inf
    return found


def shifted(matrix: Matrix, shift: tuple[float, float]) -> Matrix:
    """The placement with the pattern's origin where the shift says, or whole periods
    before it, so that no part of the picture comes to lie before it."""
    move = np.eye(3)
    move[:2, 2] = np.mod(shift, -PERIOD_PX)
    return np.asarray(matrix @ move)


def is_as_written(matrix: Matrix) -> bool:
    """Whether a placement says that the picture was neither cropped nor padded, moved
    nor turned: to a hundredth, and to a few pixels of a period."""
    off = (matrix[:2, 2] + PERIOD_PX / 2) % PERIOD_PX - PERIOD_PX / 2
    bent = np.abs(matrix[:2, :2] - np.eye(2)).max()
    return bool(bent < SAME and np.abs(off).max() < SAME_PX)
