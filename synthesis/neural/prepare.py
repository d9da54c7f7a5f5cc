"""From a folder of consented clips to what the networks train on, clip by clip.

DIR/clips/<name>.crops.npy   uint8 (n, H, W, 3) aligned lower faces, RGB
DIR/clips/<name>.npz         landmarks, crop maps, times, log-mel, talker
DIR/left_out.json            why a clip was left out
DIR/splits.json              train / val / test clips and talkers held out
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec, crop_maps, cut_face, filled
from synthesis.faces.finder import FaceFinder
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.neural import footage
from synthesis.neural.footage import FootageError
from synthesis.neural.listening import voiced_s
from synthesis.neural.mel import log_mel

logger = logging.getLogger(__name__)

CROPS = {"general": CropSpec(), "large": CropSpec(288, 256, 172.0)}
"""The two sizes that renderers are trained at."""
MIN_FRAMES = 20
MIN_VOICED_S = 0.3
MIN_EYES_PX = 20.0
"""Across the outer eye corners: smaller faces have no mouth to learn from."""
VAL_SHARE, TEST_SHARE = 0.05, 0.05
HELD_OUT_TALKERS = 2
"""Of the talkers with enough clips to judge by."""
ENOUGH_CLIPS = 10
JUDGE_SHARE = 0.35
"""Of the training clips: the evaluator learns from these, the sync expert from the
others, so that the one is no echo of the other."""


@dataclass(frozen=True)
class Clip:
    """One prepared clip; n frames.

    crops: uint8 (n, H, W, 3) RGB, memory-mapped. landmarks: float32 (n, 468, 3) frame
    pixels. to_frame: float64 (n, 2, 3). times_s: (n,). mel: float32 (frames, 80).
    """

    name: str
    talker: str
    crops: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    to_frame: NDArray[np.float64]
    times_s: NDArray[np.float64]
    mel: NDArray[np.float32]


def prepare(folders: Sequence[Path], out: Path, spec: CropSpec) -> Iterator[str]:
    """Prepare every clip below folders into out; yield a line of progress each.

    Resumable: clips done or refused before are passed over. A clip that cannot be
    used is left out with its reason and never ends the run.
    """
    open_folder(out, spec)
    refused: dict[str, str] = _read_json(out / "left_out.json", {})
    paths = [path for folder in folders for path in footage.clip_paths(folder)]
    finder = FaceFinder()
    began, done = time.monotonic(), 0
    for number, path in enumerate(paths, 1):
        name = f"{path.parent.name}-{path.stem}"
        if (out / "clips" / f"{name}.npz").exists() or name in refused:
            continue
        try:
            _prepare_clip(path, out / "clips" / name, spec, finder)
        except FootageError as error:
            refused[name] = error.sentence
            write_json(out / "left_out.json", refused)
        done += 1
        left_s = (time.monotonic() - began) / done * (len(paths) - number)
        state = refused.get(name, "ok")
        yield f"{number}/{len(paths)} {name} {state} ETA {left_s:.0f} s"
    write_json(out / "left_out.json", refused)
    write_json(out / "splits.json", split(_talkers(out)))


def open_folder(out: Path, spec: CropSpec) -> None:
    """Begin a prepared folder, or go on with one, for crops of one size."""
    (out / "clips").mkdir(parents=True, exist_ok=True)
    write_json(out / "crop.json", asdict(spec))


def _prepare_clip(path: Path, stem: Path, spec: CropSpec, finder: FaceFinder) -> None:
    sound = footage.sound(path)
    if voiced_s(sound) < MIN_VOICED_S:
        raise FootageError("silent", f"{path.name} holds no speech to learn from.")
    times_s: list[float] = []

    def remembered() -> Iterator[NDArray[np.uint8]]:
        for at_s, frame in footage.timed_frames(path):
            times_s.append(at_s)
            yield frame

    tracks = list(find_tracks(remembered(), [(0, 10**9)], finder=finder))
    if not tracks:
        raise FootageError("no-face", f"{path.name} shows no face.")
    track = _main_track(path, tracks)
    last = track.start + len(track.landmarks)
    write_clip(
        stem,
        islice(footage.frames(path), track.start, last),
        landmarks=track.landmarks,
        times_s=np.array(times_s[track.start : last]),
        sound=sound,
        talker=path.parent.name,
        spec=spec,
    )


def write_clip(
    stem: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    landmarks: NDArray[np.float32],
    times_s: NDArray[np.float64],
    sound: NDArray[np.float32],
    talker: str,
    spec: CropSpec,
) -> None:
    """Write one clip's files beside stem: the crops of one face, and what is heard.

    frames: RGB uint8 (H, W, 3), one for each of landmarks (n, 468, 3), NaN rows where
    the face was not found. times_s: (n,) on the clock of sound, mono at 16 kHz.
    """
    places = filled(landmarks)
    maps = crop_maps(places, spec)
    crops = np.empty((len(maps), spec.height, spec.width, 3), np.uint8)
    for at, frame in zip(range(len(maps)), frames, strict=True):
        crops[at] = cut_face(frame, maps[at], spec)
    _save_npy(stem.with_name(stem.name + ".crops.npy"), crops)
    partial = stem.with_name(stem.name + ".part.npz")
    np.savez(
        partial,
        landmarks=places.astype(np.float32),
        to_frame=maps,
        times_s=times_s,
        mel=log_mel(sound).astype(np.float32),
        talker=np.array(talker),
    )
    os.replace(partial, stem.with_name(stem.name + ".npz"))


def _main_track(path: Path, tracks: list[FaceTrack]) -> FaceTrack:
    """Return the track that fills the clip; refuse what teaches nothing."""
    track = max(tracks, key=lambda t: int((~np.isnan(t.landmarks[:, 0, 0])).sum()))
    if len(track.landmarks) < MIN_FRAMES:
        raise FootageError("short", f"{path.name} shows a face too briefly.")
    eyes = track.landmarks[:, 33, :2] - track.landmarks[:, 263, :2]
    if np.nanmedian(np.linalg.norm(eyes, axis=1)) < MIN_EYES_PX:
        raise FootageError("small", f"The face in {path.name} is too small.")
    return track


def load_clip(out: Path, name: str) -> Clip:
    """Open one prepared clip; its crops stay on disk until touched."""
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


def split(talkers: dict[str, str]) -> dict[str, list[str]]:
    """Divide clips {name: talker} into lists of names, the same way every time.

    train, val, test: disjoint clips of the same talkers. unseen: every clip of the
    talkers held out. held_out: those talkers. expert, judge: train divided once more,
    for the sync expert and for the evaluator.
    """
    counts = {t: list(talkers.values()).count(t) for t in set(talkers.values())}
    ranked = sorted((t for t in counts if counts[t] >= ENOUGH_CLIPS), key=_draw)
    most = max(counts, key=lambda t: counts[t], default="")
    held_out = [t for t in ranked if t != most][
        : min(HELD_OUT_TALKERS, len(ranked) - 1)
    ]
    parts: dict[str, list[str]] = {
        "train": [], "val": [], "test": [], "unseen": [], "held_out": held_out
    }  # fmt: skip
    for name, talker in sorted(talkers.items()):
        parts[_part(name, talker, counts[talker], held_out)].append(name)
    judged = {n for n in parts["train"] if _draw(f"judge {n}") < JUDGE_SHARE}
    parts["judge"] = sorted(judged)
    parts["expert"] = [n for n in parts["train"] if n not in judged]
    return parts


def _part(name: str, talker: str, count: int, held_out: list[str]) -> str:
    if talker in held_out:
        return "unseen"
    draw = _draw(name)
    if count < ENOUGH_CLIPS or draw > VAL_SHARE + TEST_SHARE:
        return "train"
    return "val" if draw < VAL_SHARE else "test"


def _draw(name: str) -> float:
    """Return a fixed pseudo-random 0..1 for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48


def _talkers(out: Path) -> dict[str, str]:
    found = {}
    for path in sorted((out / "clips").glob("*.npz")):
        if not path.name.endswith(".part.npz"):
            with np.load(path) as arrays:
                found[path.stem] = str(arrays["talker"])
    return found


def _save_npy(path: Path, array: NDArray[np.uint8]) -> None:
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.save(file, array)
    os.replace(partial, path)


def _read_json(path: Path, default: dict[str, str]) -> dict[str, str]:
    return json.loads(path.read_text()) if path.exists() else default


def write_json(path: Path, content: object) -> None:
    """Write a JSON file that appears whole or not at all."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    os.replace(partial, path)
