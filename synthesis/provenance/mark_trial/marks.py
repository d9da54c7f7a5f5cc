"""The marks that are compared: ours, and a well-known library's two."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark import Embedder, detect
from synthesis.provenance.mark_trial.pictures import Picture, from_bgr, resized

ID_BITS = 64
OURS = "ours"
KEY = hashlib.sha256(b"the key of the trial").digest()
LIBRARY = "imwatermark"
HOW_TO_GET_IT = ".venv/bin/pip install --no-deps invisible-watermark PyWavelets"
SMALLEST_AREA_PX = 256 * 256
"""The library's own limit."""


class Mark(Protocol):
    """Writes an id of eight bytes into a film, and reads it from a piece of it."""

    name: str

    def write(
        self, pictures: Iterable[Picture], mark_id: bytes
    ) -> Iterator[Picture]: ...

    def read(
        self, pictures: Sequence[Picture], mark_id: bytes, size: tuple[int, int]
    ) -> str:
        """Return 'found', 'none' or 'false'.

        size: (width, height) when it was marked.
        """
        ...


class Ours:
    """The lattice of synthesis.provenance.mark."""

    name = OURS

    def write(self, pictures: Iterable[Picture], mark_id: bytes) -> Iterator[Picture]:
        embedder: Embedder | None = None
        for picture in pictures:
            if embedder is None:
                embedder = Embedder(KEY, mark_id, *picture.size)
            y = picture.y.copy()
            embedder.apply(y)
            yield picture._replace(y=y)

    def read(
        self, pictures: Sequence[Picture], mark_id: bytes, size: tuple[int, int]
    ) -> str:
        lumas = [picture.y for picture in pictures]
        found = detect(lumas, [("trial", KEY)])
        if not found.found:
            return "none"
        return "found" if found.id == mark_id.hex() else "false"


class Library:
    """One method of the package invisible-watermark, given every advantage.

    It carries the bare 64 bits, without ours of proof; every picture has all of them;
    the pictures of a piece vote; and a picture of another size is brought back to the
    size it was marked at first, which the package itself does not do.
    """

    def __init__(self, name: str, file: str, of_class: str, every: int = 1) -> None:
        """every: reads each so-manieth picture only, since it takes long."""
        self.name = name
        self._file, self._class, self._every = file, of_class, every

    def _maker(self) -> Callable[..., Any]:
        folder = _library_folder()
        if folder is None:
            raise ModuleNotFoundError(LIBRARY)
        module = _module_alone(folder / self._file)
        maker: Callable[..., Any] = getattr(module, self._class)
        return maker

    def write(self, pictures: Iterable[Picture], mark_id: bytes) -> Iterator[Picture]:
        bits = [int(bit) for bit in _bits(mark_id)]
        coder = self._maker()(bits, wmLen=ID_BITS)
        for picture in pictures:
            yield from_bgr(np.asarray(coder.encode(picture.bgr()), np.uint8))

    def read(
        self, pictures: Sequence[Picture], mark_id: bytes, size: tuple[int, int]
    ) -> str:
        coder = self._maker()([], wmLen=ID_BITS)
        votes = np.zeros(ID_BITS)
        for picture in pictures[:: self._every]:
            back = picture if picture.size == size else resized(picture, *size)
            votes += np.where(coder.decode(back.bgr()), 1, -1)
        return "found" if np.array_equal(votes > 0, _bits(mark_id) > 0) else "none"


def library_marks(every: int = 1) -> list[Library]:
    """The package's two methods that need no weights; none if it is not installed."""
    if _library_folder() is None:
        return []
    return [
        Library("dwtDct", "maxDct.py", "EmbedMaxDct", every),
        Library("dwtDctSvd", "dwtDctSvd.py", "EmbedDwtDctSvd", every),
    ]


def _library_folder() -> Path | None:
    found = importlib.util.find_spec(LIBRARY)
    needed = importlib.util.find_spec("pywt")
    if found is None or needed is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0])


def _module_alone(path: Path) -> ModuleType:
    """A file of the package by itself: its __init__ would load torch for rivaGan."""
    spec = importlib.util.spec_from_file_location(f"{LIBRARY}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(LIBRARY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _bits(mark_id: bytes) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(mark_id, np.uint8))


def id_for(name: str) -> bytes:
    """The id that a film of this name gets in the trial."""
    return hashlib.sha256(b"the id of " + name.encode()).digest()[:8]
