"""From a folder of consented clips to what the networks train on, clip by clip.

A clip is cut at its cuts, and each piece holds one face that speaks. The folder a clip
lies in names its talker.

DIR/clips/<piece>.crops.npy  uint8 (n, H, W, 3) aligned lower faces, RGB
DIR/clips/<piece>.sound.npy  int16 (samples,) mono at 16 kHz, on the piece's clock
DIR/clips/<piece>.npz        landmarks, crop maps, times, log-mel, talker
DIR/clips/<piece>.words.json what is said and when, where an alignment lies by the clip
DIR/clips/<clip>.json        the clip is done: its pieces, and what was left out
DIR/left_out.json            why a clip or piece was left out
DIR/splits.json              splits.split: what is trained on, what is judged by
"""

from __future__ import annotations

import fcntl
import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec, crop_maps, cut_face, filled
from synthesis.faces.finder import FaceFinder
from synthesis.media.aside import written_aside
from synthesis.media.probe import sha256_file
from synthesis.neural import footage
from synthesis.neural.articulation import Spoken
from synthesis.neural.footage import FootageError
from synthesis.neural.mel import log_mel
from synthesis.neural.pieces import Piece, find_pieces
from synthesis.neural.splits import split

CROPS = {"general": CropSpec(), "large": CropSpec(288, 256, 172.0)}
"""The two sizes that renderers are trained at."""
logger = logging.getLogger(__name__)

FULL_SCALE = 32767
"""Of stored sound."""
SENTENCES = 3
"""Said about one clip at most; left_out.json has them all."""


@dataclass(frozen=True)
class Clip:
    """One prepared piece of a clip; n frames.

    crops: uint8 (n, H, W, 3) RGB, memory-mapped. landmarks: float32 (n, 468, 3) frame
    pixels. to_frame: float64 (n, 2, 3). times_s: (n,), on the clock of mel: float32
    (frames, 80).
    """

    name: str
    talker: str
    crops: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    to_frame: NDArray[np.float64]
    times_s: NDArray[np.float64]
    mel: NDArray[np.float32]


@dataclass
class _Record:
    """What became of one clip: names of its pieces; sentences for what was left out."""

    talker: str
    source_sha256: str
    pieces: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        count, refused = len(self.pieces), list(self.left_out.values())
        told = ["ok" if count == 1 else f"ok, {count} pieces"] if count else []
        told += refused[:SENTENCES]
        if len(refused) > SENTENCES:
            told.append(f"{len(refused) - SENTENCES} more are in left_out.json.")
        return " ".join(told)


def prepare(folders: Sequence[Path], out: Path, spec: CropSpec) -> Iterator[str]:
    """Prepare every clip below folders into out; yield a line of progress each.

    Resumable: clips done or refused before are passed over; two runs at once share the
    work. What cannot be used is left out with its reason and never ends the run.
    Raises FootageError for a folder that does not exist ("no-folder") and for an out
    that holds crops of another size ("crop-sizes").
    """
    open_folder(out, spec)
    clips = _named(folders)
    finder = FaceFinder()
    began, done = time.monotonic(), 0
    try:
        for number, (name, path) in enumerate(clips, 1):
            with _claimed(out, name) as mine:
                if not mine:
                    continue
                record = _prepare_clip(path, out, name, spec, finder)
                write_json(out / "clips" / f"{name}.json", asdict(record))
            done += 1
            left_s = (time.monotonic() - began) / done * (len(clips) - number)
            yield f"{number}/{len(clips)} {name} {record.words} ETA {left_s:.0f} s"
    finally:
        parts = _write_lists(out)
    yield ", ".join(f"{part}: {len(names)}" for part, names in parts.items())


def _named(folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """Name clips after talker and file; those of one name also after their bytes."""
    for folder in folders:
        if not folder.exists():
            raise FootageError("no-folder", f"There is no folder {folder.name}.")
    found = [path for folder in folders for path in footage.clip_paths(folder)]
    paths = list({path.resolve(): path for path in found}.values())
    plain = [f"{path.parent.name}-{path.stem}" for path in paths]
    count = Counter(plain)
    return [
        (name if count[name] == 1 else f"{name}-{_sha256(path)[:12]}", path)
        for name, path in zip(plain, paths, strict=True)
    ]


def _sha256(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError:
        return ""


@contextmanager
def _claimed(out: Path, name: str) -> Iterator[bool]:
    """Whether this run, and no other at the same time, shall prepare the clip."""
    lock = out / "clips" / f"{name}.lock"
    if (out / "clips" / f"{name}.json").exists():
        yield False
        return
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        # Another run may have ended with it between the two looks.
        yield not (out / "clips" / f"{name}.json").exists()
        lock.unlink(missing_ok=True)


def _prepare_clip(
    path: Path, out: Path, name: str, spec: CropSpec, finder: FaceFinder
) -> _Record:
    """Write the pieces of one clip; FootageErrors become sentences of the record."""
    record = _Record(path.parent.name, _sha256(path))
    try:
        same = _same_bytes(out, record.source_sha256)
        if same:
            raise FootageError("twice", f"{path.name} is the same file as {same}.")
        pieces = list(find_pieces(path, name, finder, record.left_out))
        for piece in pieces:
            logger.info("piece name=%s frames=%d", piece.name, len(piece.landmarks))
        _write_pieces(path, out, pieces, spec)
        record.pieces = [piece.name for piece in pieces]
    except FootageError as error:
        record.left_out[name] = error.sentence
    return record


def _same_bytes(out: Path, sha256: str) -> str:
    """The clip prepared before from the same bytes: twins would straddle the splits."""
    for path, known in _records(out):
        if known["source_sha256"] == sha256 and known["pieces"]:
            return path.stem
    return ""


def _write_pieces(
    path: Path, out: Path, pieces: Sequence[Piece], spec: CropSpec
) -> None:
    """Read the clip once more and write what the pieces show and sound like."""
    frames, at = footage.frames(path), 0
    for piece in pieces:
        first, last = piece.start - at, piece.start - at + len(piece.landmarks)
        at += last
        write_clip(
            out / "clips" / piece.name,
            islice(frames, first, last),
            landmarks=piece.landmarks,
            times_s=piece.times_s,
            sound=piece.sound,
            talker=piece.talker,
            spec=spec,
        )
        if piece.words is not None:
            said = [asdict(word) for word in piece.words]
            write_json(out / "clips" / f"{piece.name}.words.json", said)


def write_clip(
    stem: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    landmarks: NDArray[np.floating],
    times_s: NDArray[np.float64],
    sound: NDArray[np.float32],
    talker: str,
    spec: CropSpec,
) -> None:
    """Write one piece's files beside stem: the crops of one face, and what is heard.

    frames: RGB uint8 (H, W, 3), one for each of landmarks (n, 468, 3), NaN rows where
    the face was not found; one is in memory at a time. times_s: (n,) on the clock of
    sound, mono at 16 kHz. Raises FootageError where the frames end too soon.
    """
    places = filled(landmarks)
    maps = crop_maps(places, spec)
    header = {
        "descr": "|u1",
        "fortran_order": False,
        "shape": (len(maps), spec.height, spec.width, 3),
    }
    with written_aside(stem.with_name(stem.name + ".crops.npy")) as file:
        np.lib.format.write_array_header_1_0(file, header)
        written = 0
        for frame, to_frame in zip(frames, maps, strict=False):
            file.write(cut_face(frame, to_frame, spec).tobytes())
            written += 1
        if written < len(maps):
            raise FootageError("unsteady", "The clip was shorter when read again.")
    with written_aside(stem.with_name(stem.name + ".sound.npy")) as file:
        np.save(file, np.round(np.clip(sound, -1, 1) * FULL_SCALE).astype(np.int16))
    with written_aside(stem.with_name(stem.name + ".npz")) as file:
        np.savez(
            file,
            landmarks=places.astype(np.float32),
            to_frame=maps,
            times_s=times_s,
            mel=log_mel(sound).astype(np.float32),
            talker=np.array(talker),
        )


def load_clip(out: Path, name: str) -> Clip:
    """Open one prepared piece; its crops stay on disk until touched."""
    with np.load(out / "clips" / f"{name}.npz") as arrays:
        crops = np.load(out / "clips" / f"{name}.crops.npy", mmap_mode="r")
        return Clip(
            name,
            str(arrays["talker"]),
            crops,
            arrays["landmarks"],
            arrays["to_frame"],
            arrays["times_s"],
            arrays["mel"],
        )


def load_sound(out: Path, name: str) -> NDArray[np.float32]:
    """Return a prepared piece's sound: mono (samples,) at 16 kHz, -1..1.

    Raises FootageError ("no-sound-kept") in a folder prepared before it was kept.
    """
    path = out / "clips" / f"{name}.sound.npy"
    if not path.exists():
        raise FootageError(
            "no-sound-kept", f"The sound of {name} was not kept: prepare it again."
        )
    return np.asarray(np.load(path) / FULL_SCALE, np.float32)


def load_words(out: Path, name: str) -> list[Spoken] | None:
    """Return what is said in a prepared piece, on its clock; None if nobody wrote it
    down."""
    path = out / "clips" / f"{name}.words.json"
    if not path.exists():
        return None
    return [Spoken(**word) for word in json.loads(path.read_text())]


def _write_lists(out: Path) -> dict[str, list[str]]:
    """Write left_out.json and splits.json anew; return the splits."""
    with (out / "clips" / ".lists.lock").open("w") as lock:
        # The run that ends last must not write what another saw earlier.
        fcntl.flock(lock, fcntl.LOCK_EX)
        left_out: dict[str, str] = {}
        talkers: dict[str, str] = {}
        for _, record in _records(out):
            left_out |= record["left_out"]
            talkers |= dict.fromkeys(record["pieces"], record["talker"])
        parts = split(talkers)
        write_json(out / "left_out.json", left_out)
        write_json(out / "splits.json", parts)
    return parts


def _records(out: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted((out / "clips").glob("*.json")):
        if path.name.endswith(".words.json"):
            continue
        yield path, json.loads(path.read_text())


def open_folder(out: Path, spec: CropSpec) -> None:
    """Begin a prepared folder, or go on with one; crops of two sizes are not mixed."""
    (out / "clips").mkdir(parents=True, exist_ok=True)
    path = out / "crop.json"
    if path.exists() and json.loads(path.read_text()) != asdict(spec):
        raise FootageError(
            "crop-sizes",
            "That folder was prepared with crops of another size. Name another one.",
        )
    write_json(path, asdict(spec))


def write_json(path: Path, content: object) -> None:
    """Write a JSON file that appears whole or not at all."""
    text = json.dumps(content, indent=1, sort_keys=True) + "\n"
    with written_aside(path) as file:
        file.write(text.encode())
