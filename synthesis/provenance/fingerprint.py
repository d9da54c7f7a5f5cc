"""What a video looks like and how it moves, in about a kilobyte a second.

Kept with a deliverable, it tells a mark that was copied onto another video from one
that is where it was put. A coarse picture ten times a second: where a piece of film
lies in the whole, and in which part of its picture, is found by how it looks; whether
it is that film, by how it moves there, since another take of the same talker in the
same chair looks alike and moves otherwise. It recognises, it does not prove.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

ALIKE = 0.5
"""From this similarity on, two videos are taken for the same pictures."""
STRANGE = 0.3
"""Below this one a video is another even where it was cropped, turned or mirrored."""

PICTURES_A_SECOND = 10
AREA_SIDE = 21
"""A coarse picture has about the square of this many cells, square ones."""
PIECE = 20
"""Coarse pictures that are compared at a time: two seconds."""
MOST_PIECES = 3
_HEADER = struct.Struct(">BBB")
_FORMAT = 2
_LONGEST_BYTES = 1 << 28

Series = NDArray[np.float32]


class Fingerprint:
    """Collects the fingerprint of one video, frame by frame, with little memory."""

    def __init__(self, rate: Fraction) -> None:
        """Prepare for `rate` frames a second."""
        self._step = PICTURES_A_SECOND / rate if rate > 0 else Fraction(1)
        self._at = Fraction(0)
        self._grid: tuple[int, int] | None = None
        self._sum: Series | None = None
        self._count = 0
        self._last: NDArray[np.uint8] | None = None
        self._packer = zlib.compressobj(9)
        self._packed = b""

    def push(self, y: NDArray[np.uint8]) -> None:
        """Take the next luma plane, uint8 (H, W)."""
        if self._grid is None:
            height, width = y.shape
            ratio = min(max((width / height) ** 0.5, 0.25), 4.0)
            self._grid = round(AREA_SIDE * ratio), round(AREA_SIDE / ratio)
        cells = cv2.resize(y, self._grid, interpolation=cv2.INTER_AREA)
        self._sum = cells.astype(np.float32) if self._sum is None else self._sum + cells
        self._count += 1
        due = int(self._at + self._step) - int(self._at)
        self._at += self._step
        for _ in range(due):
            self._close()

    def bytes(self) -> bytes:
        """The fingerprint so far; empty if there were no frames."""
        if self._grid is None:
            return b""
        if self._last is None:
            self._close()
        rest = self._packer.copy().flush()
        return _HEADER.pack(_FORMAT, *self._grid) + self._packed + rest

    def _close(self) -> None:
        """Write the mean of the frames since the last coarse picture as changes."""
        if self._sum is not None:
            mean = np.rint(self._sum / self._count).astype(np.uint8)
            self._sum, self._count = None, 0
        elif self._last is not None:
            mean = self._last  # fewer frames a second than coarse pictures
        else:
            return
        before = np.zeros_like(mean) if self._last is None else self._last
        self._packed += self._packer.compress((mean - before).tobytes())
        self._last = mean


def unpacked(fingerprint: bytes) -> Series:
    """The coarse pictures, float32 (n, rows, columns); n is 0 if it cannot be read."""
    nothing = np.zeros((0, 1, 1), np.float32)
    if len(fingerprint) <= _HEADER.size:
        return nothing
    form, width, height = _HEADER.unpack_from(fingerprint)
    if form != _FORMAT or not width or not height:
        return nothing
    try:
        unpacker = zlib.decompressobj()
        flat = unpacker.decompress(fingerprint[_HEADER.size :], _LONGEST_BYTES)
    except zlib.error:
        return nothing
    whole = len(flat) - len(flat) % (width * height)
    changes = np.frombuffer(flat[:whole], np.uint8).reshape(-1, height, width)
    return np.cumsum(changes, axis=0, dtype=np.uint8).astype(np.float32)


@dataclass(frozen=True)
class Likeness:
    """looks: correlation of a piece's mean picture with the part of the film that it
    is most like. moves: correlation of how both change in time there; None where
    nothing in the film moves. start: coarse picture of the film where it begins.
    """

    looks: float
    moves: float | None
    start: int = 0

    @property
    def similarity(self) -> float:
        """One number, at most 1: how it moves or, where nothing does, how it looks."""
        if self.moves is not None:
            return min(self.moves, self.looks)
        return STILL_SHARE * self.looks


STILL_SHARE = 0.55
"""A still film is only taken for another if it looks very much like it."""
UNLIKE = Likeness(-1.0, -1.0)


def similarity(kept: bytes, seen: bytes) -> float:
    """How far `seen`, of a file, shows the film that `kept` is of: 0..1.

    The file may be a piece of the film from anywhere in it, scaled, cropped, mirrored
    or between bars; or the film may be a piece of the file. 0 if either is empty.
    """
    film, file = unpacked(kept), unpacked(seen)
    if not len(film) or not len(file):
        return 0.0
    best = 0.0
    for piece in _pieces(file, min(PIECE, len(film))):
        best = max(best, likeness(film, piece).similarity)
        if best >= ALIKE:
            break
    return min(best, 1.0)


def _pieces(file: Series, length: int) -> Iterator[Series]:
    """Two seconds at a time, the last ones first: there the mark was read. Of a film
    that is shorter the whole, wherever it may lie."""
    length = min(length, len(file))
    step = PIECE if length == PIECE else 1
    ends = range(len(file), length - 1, -step)
    for end in ends[: MOST_PIECES * PIECE // step]:
        yield file[end - length : end]


# How it looks: where in the film's picture the file's picture lies

FINER = 2
SHARES = tuple(np.round(np.arange(1.0, 0.39, -0.05), 2))
CANDIDATES = 6
SAME_SHOT, REMEMBERED = 1.0, 50
"""Mean difference in levels of pictures of one shot; shots to compare with."""
FLAT = 1.0
"""Levels: deviation of a picture that has nothing to be known by."""
DARKEST = 26.0
"""Mean level up to which a row or column at the edge is a bar."""


@dataclass(frozen=True)
class Place:
    """Where a file's picture lies in a film's, in shares of its width and height."""

    left: float
    top: float
    width: float
    height: float
    mirrored: bool = False


def likeness(film: Series, piece: Series) -> Likeness:
    """Find a piece in a film no shorter; both series (n, rows, columns), in levels."""
    piece = _unbarred(piece)
    best = UNLIKE
    for looks, place in _places(film, piece):
        found = _moments(film, piece, looks, place)
        if found.similarity > best.similarity:
            best = found
    return best


def _unbarred(piece: Series) -> Series:
    """Without the rows and columns at its edges that stay black."""
    brightest = piece.max(axis=0)
    rows = np.flatnonzero(brightest.max(axis=1) > DARKEST)
    columns = np.flatnonzero(brightest.max(axis=0) > DARKEST)
    if len(rows) < 4 or len(columns) < 4:
        return piece
    return piece[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _places(film: Series, piece: Series) -> list[tuple[float, Place]]:
    """Where the piece's mean picture looks most like the film's, the best first."""
    rows, columns = (FINER * side for side in film.shape[1:])
    parts = list(_parts(piece.mean(axis=0), columns, rows))
    found: list[tuple[float, Place]] = []
    for shot in _shots(film, len(piece)):
        large = cv2.resize(shot, (columns, rows), interpolation=cv2.INTER_CUBIC)
        for part, mirrored in parts:
            fits = cv2.matchTemplate(large, part, cv2.TM_CCOEFF_NORMED)
            _, looks, _, (left, top) = cv2.minMaxLoc(fits)
            high, wide = part.shape
            shares = (left / columns, top / rows, wide / columns, high / rows)
            found.append((float(looks), Place(*shares, mirrored)))
    found.sort(key=lambda one: -one[0])
    return found[:CANDIDATES]


def _shots(film: Series, count: int) -> Iterator[Series]:
    """Mean pictures of `count` coarse ones, without those that look like one before."""
    seen = np.zeros((0, *film.shape[1:]), np.float32)
    for start in range(0, len(film) - count + 1, max(count // 2, 1)):
        mean = film[start : start + count].mean(axis=0)
        if len(seen) and np.abs(seen - mean).mean(axis=(1, 2)).min() < SAME_SHOT:
            continue
        seen = np.concatenate([seen[-REMEMBERED:], mean[None]])
        yield mean


def _parts(own: Series, columns: int, rows: int) -> Iterator[tuple[Series, bool]]:
    """The picture in every size that a part of the film's may have, and mirrored."""
    shape = own.shape[1] / own.shape[0]
    sizes = {(columns, rows)}  # the whole, perhaps in another shape
    for share in SHARES:
        wide = min(columns, rows * shape) * share
        sizes.add((round(wide), round(wide / shape)))
    for wide, high in sizes:
        if not (4 <= wide <= columns and 4 <= high <= rows):
            continue
        shrunk = cv2.resize(own, (wide, high), interpolation=cv2.INTER_AREA)
        part = np.asarray(shrunk, np.float32)
        if part.std() >= FLAT:  # or it would be found everywhere
            yield part, False
            yield np.ascontiguousarray(part[:, ::-1]), True


# How it moves: when in the film, and whether it is the film at all

STILL = 0.3
"""Root mean square, in levels, of the changes in a film of which nothing moves; a
talker who sits still in the middle of the picture makes 0.6 to 3."""
SOFT = 2.0
"""Levels: cells that change less than that count less, since encoders change them so
far, and cells that change more do not count more."""
STARTS = 6
LATE = (0.0, 0.5)
"""Between two coarse pictures a piece may begin, too."""


def _moments(film: Series, piece: Series, looks: float, place: Place) -> Likeness:
    """The piece at the moment of the film with which it moves best."""
    there = _part(film, piece, place)
    count, own = len(piece), piece - piece.mean(axis=0)
    even = _loudness(there) ** 2
    rough = _slid(there * even, own)
    # The stillest moment too: what does not move is never the best of those that do.
    power = np.var(there, axis=(1, 2)) if count == 1 else _slid_power(there, count)
    best = UNLIKE
    for start in {*np.argsort(-rough)[:STARTS].tolist(), int(np.argmin(power))}:
        stretch = there[start : start + count + 1]
        for late in LATE:
            part = (1 - late) * stretch[:count] + late * stretch[-count:]
            found = Likeness(looks, _together(own, part), start)
            if found.similarity > best.similarity:
                best = found
    return best


def _together(own: Series, part: Series) -> float | None:
    """The correlation of changes; None if neither moves, -1 if only the piece does."""
    if _change(part) < STILL:
        return None if _change(own) < 2 * STILL else -1.0
    weight = _loudness(part)
    one, other = own * weight, (part - part.mean(axis=0)) * weight
    norm = float(np.sqrt(np.sum(one**2) * np.sum(other**2)))
    return float(np.sum(one * other)) / norm if norm else 0.0


def _change(part: Series) -> float:
    """Root mean square of the changes in time, in levels."""
    return float(np.sqrt(np.var(part, axis=0).mean()))


def _loudness(part: Series) -> Series:
    """(rows, columns): what to multiply changes by, so that every cell in which the
    film moves says as much as another, and those in which it does not, nothing. What
    only the file has there (a subtitle, noise) is not listened to.
    """
    power = np.var(part, axis=0)
    return np.asarray(np.sqrt(power) / (power + SOFT**2), np.float32)


def _slid(film: Series, piece: Series) -> Series:
    """Sum of products for every start of the piece in the film."""
    products = film.reshape(len(film), -1) @ piece.reshape(len(piece), -1).T
    starts, steps = np.arange(len(film) - len(piece) + 1), np.arange(len(piece))
    return np.asarray(products[starts[:, None] + steps, steps].sum(axis=1))


def _slid_power(film: Series, count: int) -> Series:
    """How much changes from picture to picture, for every start of `count` of them."""
    steps = np.sum(np.diff(film, axis=0) ** 2, axis=(1, 2))
    whole = np.concatenate([[0.0], np.cumsum(steps, dtype=np.float64)])
    return np.asarray(whole[count - 1 :] - whole[: len(whole) - count + 1])


def _part(film: Series, piece: Series, place: Place) -> Series:
    """The part of the film at a place, in cells of the piece."""
    across = _weights(film.shape[2], piece.shape[2], place.left, place.width)
    down = _weights(film.shape[1], piece.shape[1], place.top, place.height)
    if place.mirrored:
        across = across[::-1]
    return np.asarray(down @ film @ across.T, np.float32)


def _weights(cells: int, wanted: int, start: float, share: float) -> Series:
    """(wanted, cells): each of `wanted` equal parts of a stretch as a mean of cells."""
    edges = (start + share * np.arange(wanted + 1) / wanted) * cells
    lower, upper = edges[:-1, None], edges[1:, None]
    cell = np.arange(cells)
    covered = np.minimum(upper, cell + 1) - np.maximum(lower, cell)
    weights = np.clip(covered, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
