"""A look through a file that may be broken, endless or no film: brightness only.

`probe` decodes all of a scene and refuses what cannot be worked on. Whoever asks what a
file is sends a clip that breaks off, or a whole film of which the start will do: this
reads once, from the beginning, and stops whenever its caller does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.limits import Limits
from synthesis.media.sandbox import Caps, Child
from synthesis.media.wire import LUMA_HEADER

_ENTRY = "synthesis.media.inside.glancing:send_lumas"


@dataclass
class Glance:
    """rate: frames a second, and length_s, 0 if unknown: as the file states them.
    reached_s: time stamp of the newest picture, from the first."""

    rate: Fraction
    length_s: float
    _child: Child
    _most: int
    reached_s: float = 0.0

    def lumas(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the luma planes, uint8 (H, W), upright, in order; the pictures that
        cannot be decoded are left out. Raises MediaRefused."""
        while (length := self._child.next_bytes(self._most)) is not None:
            buffer = np.empty(length, np.uint8)
            self._child.read_into(buffer.data)
            if length <= LUMA_HEADER.size:
                continue
            width, height, at_s = LUMA_HEADER.unpack_from(buffer.data)
            plane = buffer[LUMA_HEADER.size :]
            if width * height != len(plane):
                raise MediaRefused("media-crash", "The file cannot be read.")
            self.reached_s = max(self.reached_s, at_s)
            yield plane.reshape(height, width)


@contextmanager
def glance(
    path: str | os.PathLike[str], *, caps: Caps | None = None
) -> Iterator[Glance]:
    """Open a file in the sandbox and begin to look through it; leaving ends the child.
    Raises MediaRefused for what is no film."""
    most = Limits().picture_px
    with Child(_ENTRY, path, {"picture_px": most}, caps) as child:
        stated = child.json()
        try:
            rate, length_s = Fraction(stated["rate"]), float(stated["length_s"])
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise MediaRefused("media-crash", "The file cannot be read.") from error
        rate = rate if 1 <= rate <= 1_000 else Fraction(25)
        yield Glance(rate, length_s, child, most + LUMA_HEADER.size)
