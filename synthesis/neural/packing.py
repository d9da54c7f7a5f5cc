"""Prepared data small enough to travel to a machine that trains faster.

A pack is a zip file. Of each clip it holds NAME.mkv (crops as H.264 with full colour)
and NAME.npz (compressed: the landmarks that training looks at, to a 32nd of a pixel,
log-mel to a hundredth, the rest exact) and, where preparing kept them, NAME.flac (the
sound) and NAME.words.json, beside crop.json and splits.json. 75 frames of 112 x 96 px
come to about 100 KB, and their sound to 50.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import av
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import FLAT, LOWER_FACE, RIGID
from synthesis.faces.geometry import EYE_OUTER
from synthesis.neural.dataset import read_spec, read_splits
from synthesis.neural.lipcode import POINTS
from synthesis.neural.masks import FACE_OVAL
from synthesis.neural.mel import RATE_HZ
from synthesis.neural.prepare import Clip, load_clip
from synthesis.neural.training import TrainingError

KEPT = tuple(sorted({*POINTS, *RIGID, *FLAT, *LOWER_FACE, *FACE_OVAL, *EYE_OUTER}))
"""Mesh points that codes, poses and masks are made from."""
MESH_POINTS = 468
PIXEL_PARTS = 32
MEL_PARTS = 100
CRF = "12"
"""Of H.264: 45 dB and more on faces. Teeth must survive."""
PARTS = ("train", "val", "test", "unseen")


def pack(out: Path, file: Path, *, limit_bytes: int) -> Iterator[str]:
    """Pack the prepared folder `out` into `file`; yield a line of progress.

    Clips are taken talker by talker in turn, training clips first, until the next one
    would pass limit_bytes; splits.json in the pack names those inside only. Raises
    TrainingError ("no-clips") where not even one fits.
    """
    splits = read_splits(out)
    taken: set[str] = set()
    partial = file.with_suffix(".part")
    written = 0
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("crop.json", json.dumps(asdict(read_spec(out))))
        for name in _in_turn(splits):
            clip = load_clip(out, name)
            members = {"mkv": _as_video(clip.crops), "npz": _as_numbers(clip)}
            sound = out / "clips" / f"{name}.sound.npy"
            if sound.exists():
                members["flac"] = _as_flac(np.load(sound))
            words = out / "clips" / f"{name}.words.json"
            if words.exists():
                members["words.json"] = words.read_bytes()
            size = sum(map(len, members.values()))
            if written + size > limit_bytes:
                break
            for suffix, content in members.items():
                archive.writestr(f"{name}.{suffix}", content)
            written += size
            taken.add(name)
        kept = {
            part: [n for n in names if n in taken or part == "held_out"]
            for part, names in splits.items()
        }
        archive.writestr("splits.json", json.dumps(kept))
    if not taken:
        partial.unlink()
        raise TrainingError("no-clips", "Not one prepared clip fits into the pack.")
    os.replace(partial, file)
    yield f"{len(taken)} clips, {written / 1e6:.1f} MB"


def unpack(file: Path, out: Path) -> Iterator[str]:
    """Write a pack out as a prepared folder; clips already there stay.

    Landmarks that no training reads come back as NaN. Raises TrainingError
    ("bad-pack") where the file is none of ours.
    """
    (out / "clips").mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(file) as archive:
            names = [PurePosixPath(n) for n in archive.namelist()]
            if any(len(n.parts) != 1 for n in names):
                raise TrainingError("bad-pack", "The pack names files outside itself.")
            clips = [n.stem for n in names if n.suffix == ".npz"]
            for name in clips:
                if not (out / "clips" / f"{name}.npz").exists():
                    _write_clip(archive, name, out / "clips")
            for name in ("crop.json", "splits.json"):
                (out / name).write_bytes(archive.read(name))
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise TrainingError(
            "bad-pack", f"{file.name} is no pack, or a damaged one: pack again."
        ) from error
    yield f"{len(clips)} clips"


def _in_turn(splits: dict[str, list[str]]) -> Iterator[str]:
    """Yield clip names, train before the rest, one of each talker in turn."""
    for parts in (PARTS[:1], PARTS[1:]):
        talkers: dict[str, list[str]] = {}
        for part in parts:
            for name in splits[part]:
                talkers.setdefault(name.partition("-")[0], []).append(name)
        for turn in range(max(map(len, talkers.values()), default=0)):
            yield from (names[turn] for names in talkers.values() if turn < len(names))


def _as_video(crops: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(
            "libx264", rate=25, options={"crf": CRF, "preset": "medium"}
        )
        stream.height, stream.width = crops.shape[1:3]
        stream.pix_fmt = "yuv444p"
        stream.thread_count = 1
        for crop in crops:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(crop), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _as_flac(sound: NDArray[np.int16]) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound[None], "s16", "mono")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _of_flac(content: bytes) -> NDArray[np.int16]:
    with av.open(io.BytesIO(content), "r") as container:
        parts = [f.to_ndarray().reshape(-1) for f in container.decode(audio=0)]
    return np.concatenate(parts).astype(np.int16)


def _as_numbers(clip: Clip) -> bytes:
    """Whole numbers, as differences in time: small ones, which zip well."""
    points = np.round(clip.landmarks[:, KEPT] * PIXEL_PARTS).astype(np.int32)
    mel = np.round(clip.mel * MEL_PARTS).astype(np.int16)
    steps = np.diff(points, axis=0)
    file = io.BytesIO()
    np.savez_compressed(
        file,
        first=points[:1],
        # Low and high bytes apart: the high ones are nearly all alike.
        steps=_halves(steps),
        mel=mel[:1],
        mel_steps=_halves(np.diff(mel, axis=0)),
        to_frame=clip.to_frame,
        times_s=clip.times_s,
        talker=np.array(clip.talker),
    )
    return file.getvalue()


def _halves(whole: NDArray[np.signedinteger]) -> NDArray[np.int8]:
    """Return int8 (2, ...): whole = 128 * first + second, if within +-16 000."""
    high = np.floor_divide(whole + 64, 128)
    return np.stack([high, whole - 128 * high]).astype(np.int8)


def _whole(halves: NDArray[np.int8]) -> NDArray[np.int32]:
    whole: NDArray[np.int32] = 128 * halves[0].astype(np.int32) + halves[1]
    return whole


def _write_clip(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    with av.open(io.BytesIO(archive.read(f"{name}.mkv")), "r") as container:
        container.streams.video[0].thread_count = 1
        crops = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    np.save(folder / f"{name}.crops.npy", np.stack(crops))
    if f"{name}.flac" in archive.namelist():
        sound = _of_flac(archive.read(f"{name}.flac"))
        np.save(folder / f"{name}.sound.npy", sound)
    if f"{name}.words.json" in archive.namelist():
        words = archive.read(f"{name}.words.json")
        (folder / f"{name}.words.json").write_bytes(words)
    with np.load(io.BytesIO(archive.read(f"{name}.npz"))) as arrays:
        points = np.concatenate([arrays["first"], _whole(arrays["steps"])]).cumsum(0)
        mel = np.concatenate([arrays["mel"], _whole(arrays["mel_steps"])]).cumsum(0)
        landmarks = np.full((len(points), MESH_POINTS, 3), np.nan, np.float32)
        landmarks[:, KEPT] = points / PIXEL_PARTS
        partial = folder / f"{name}.part.npz"
        np.savez(
            partial,
            landmarks=landmarks,
            to_frame=arrays["to_frame"],
            times_s=arrays["times_s"],
            mel=(mel / MEL_PARTS).astype(np.float32),
            talker=arrays["talker"],
        )
    os.replace(partial, folder / f"{name}.npz")
