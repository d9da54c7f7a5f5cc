"""What an engine is shown of a shot, and where its mouths land."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.engines.base import Controls, MouthPatch, ShotFace
from synthesis.errors import PatchesBroken
from synthesis.faces.align import CropSpec, crop_maps
from synthesis.faces.tracks import find_tracks
from synthesis.media.formats import Format, encoding_of
from synthesis.media.frames import read_frames
from synthesis.media.probe import probe
from synthesis.media.soundtrack import SoundTrack
from synthesis.patches import patches_open, patches_write
from synthesis.pipeline import Laid, Marks, Take, assemble, face_box, make_mouths
from synthesis.provenance.label import Schedule, Shown, Sign, Spot
from synthesis.provenance.mark import Embedder
from tests.footage import make_clip, make_sound, number_shown

DEMO = Path(__file__).parents[2] / "synthesis" / "demo" / "robin.mp4"
FRAMES = 6


class Copyist:
    """An engine that puts the filmed lower face back, and remembers what it saw."""

    name, weights_sha256 = "copyist", "0" * 64

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def mouths(self, face: ShotFace, controls: Controls) -> Iterator[MouthPatch | None]:
        maps = crop_maps(face.landmarks, CropSpec())
        size = (CropSpec().width, CropSpec().height)
        for frame, to_frame in zip(face.frames(), maps, strict=True):
            self.seen.append(frame.shape)
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            crop = cv2.warpAffine(frame, to_frame, size, flags=flags)
            yield MouthPatch(
                np.dstack([crop, np.full(size[::-1], 255, np.uint8)]), to_frame
            )


@pytest.fixture(scope="module")
def landmarks() -> NDArray[np.float32]:
    frames = (p.rgb() for p in read_frames(DEMO, probe(DEMO), 0, FRAMES))
    (track,) = find_tracks(frames, [(0, FRAMES)])
    return track.landmarks


def test_an_engine_sees_the_face_only_and_its_mouths_land_in_the_whole_frame(
    landmarks: NDArray[np.float32], tmp_path: Path
) -> None:
    engine, facts = Copyist(), probe(DEMO)
    make_mouths(
        scene=DEMO,
        probe=facts,
        take=Take(0, FRAMES, landmarks, tmp_path / "mouths"),
        times_s=facts.times_s()[:FRAMES],
        sound=np.zeros(16_000, np.float32),
        engine=engine,
        controls=Controls(),
        report=lambda *_: None,
    )
    assert all(h < facts.height and w < facts.width / 2 for h, w, _ in engine.seen)
    planes = next(iter(read_frames(DEMO, facts, 0, 1)))
    with patches_open(tmp_path / "mouths") as kept:
        patch = kept[0]
    assert patch is not None
    there = cv2.warpAffine(
        planes.rgb(), patch.to_frame, patch.rgba.shape[1::-1],
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
    )  # fmt: skip
    drawn = patch.rgba[..., 3] > 0
    assert drawn.sum() == CropSpec().width * CropSpec().height
    assert np.abs(there.astype(int) - patch.rgba[..., :3])[drawn].mean() < 1.0


def test_the_part_shown_holds_every_crop(landmarks: NDArray[np.float32]) -> None:
    left, top, right, bottom = face_box(landmarks, 1280, 720)
    spec = CropSpec()
    corners = np.array([[0, 0, 1], [spec.width, spec.height, 1]]).T
    for to_frame in crop_maps(landmarks, spec):
        (x0, x1), (y0, y1) = to_frame @ corners
        assert left <= x0 and x1 <= right
        assert top <= y0 and y1 <= bottom


def test_a_face_at_the_edge_or_none_at_all_still_gives_a_part_of_the_frame(
    landmarks: NDArray[np.float32],
) -> None:
    gone = np.full_like(landmarks, np.nan)
    assert face_box(gone, 640, 360) == (0, 0, 640, 360)
    far = landmarks + np.array([5000, 5000, 0], np.float32)
    left, top, right, bottom = face_box(far, 640, 360)
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 360


SIZE = (320, 240)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(
        tmp_path_factory.mktemp("scene") / "scene.mp4", size=SIZE, frames=40
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound(tmp_path_factory.mktemp("sound") / "dub.wav", seconds=1.6)


def marks() -> Marks:
    return Marks(
        Schedule.throughout(Sign(*SIZE), 40), Embedder(b"k" * 16, b"12345678", *SIZE)
    )


def a_mouth_at(path: Path, frame: int) -> Take:
    """A red square above the number of one frame, none on the frames beside it."""
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[..., 0], rgba[..., 3] = 255, 255
    patch = MouthPatch(rgba, np.array([[1.0, 0, 200], [0, 1, 70]]))
    patches_write(path, [None, patch, None], start=frame - 1)
    nowhere = np.full((3, 468, 3), np.nan, np.float32)
    return Take(frame - 1, frame + 2, nowhere, path)


def test_every_frame_comes_out_once_in_order_with_its_own_mouth(
    scene: Path, sound: Path, tmp_path: Path
) -> None:
    facts, target = probe(scene), tmp_path / "out.mp4"
    reported: list[tuple[int, int]] = []
    assemble(
        scene=scene,
        probe=facts,
        takes=[a_mouth_at(tmp_path / "mouths", 17)],
        laid=Laid([SoundTrack(sound)]),
        encoding=encoding_of(Format.H264, probe(scene)),
        marks=marks(),
        target=target,
        report=lambda _, frame, __: reported.append((frame, threading.get_ident())),
    )
    made = probe(target)
    assert made.pts == facts.pts
    assert made.times_s().tolist() == facts.times_s().tolist()
    frames = list(read_frames(target, made))
    assert [number_shown(planes.y) for planes in frames] == list(range(40))
    reds = [planes.v[40:50, 105:115].mean() > 180 for planes in frames]
    assert reds == [index == 17 for index in range(40)]
    # A report asks the database: it must come from the thread that called.
    assert reported == [(n, threading.get_ident()) for n in range(1, 41)]


def test_the_label_is_on_the_frames_of_its_schedule_and_in_its_places(
    scene: Path, sound: Path, tmp_path: Path
) -> None:
    sign, target = Sign(*SIZE), tmp_path / "out.mp4"
    spots = {0: Spot("top-left"), 20: Spot("bottom-right"), 30: Spot("top-right")}
    shown = [Shown(first, first + 8, spot) for first, spot in spots.items()]
    labels = Schedule(sign, shown)
    assemble(
        scene=scene,
        probe=probe(scene),
        takes=[],
        laid=Laid([SoundTrack(sound)]),
        encoding=encoding_of(Format.H264, probe(scene)),
        marks=Marks(labels, marks().embedder),
        target=target,
        report=lambda *_: None,
    )
    for planes in read_frames(target, probe(target)):
        assert not labels.lacks(planes.index, planes.y)
        first = planes.index // 10 * 10 if planes.index % 10 < 8 else None
        for start, spot in spots.items():
            there = sign.drawn(spot.place).present(planes.y)
            assert there == (start == first)


class StopNow(Exception):
    pass


def test_a_report_that_stops_leaves_no_file_no_thread_and_no_child(
    scene: Path, sound: Path, tmp_path: Path
) -> None:
    def report(stage: str, frame: int, frames: int) -> None:
        if frame == 5:
            raise StopNow

    before = threading.active_count(), children()
    with pytest.raises(StopNow):
        assemble(
            scene=scene,
            probe=probe(scene),
            takes=[],
            laid=Laid([SoundTrack(sound)]),
            encoding=encoding_of(Format.H264, probe(scene)),
            marks=marks(),
            target=tmp_path / "out.mp4",
            report=report,
        )
    assert list(tmp_path.iterdir()) == []
    assert (threading.active_count(), children()) == before


def test_mouths_that_cannot_be_read_are_an_error_of_the_assembling(
    scene: Path, sound: Path, tmp_path: Path
) -> None:
    take = a_mouth_at(tmp_path / "mouths", 17)
    content = bytearray(take.patches.read_bytes())
    content[-400:-40] = bytes(360)
    take.patches.write_bytes(content)
    with pytest.raises(PatchesBroken):
        assemble(
            scene=scene,
            probe=probe(scene),
            takes=[take],
            laid=Laid([SoundTrack(sound)]),
            encoding=encoding_of(Format.H264, probe(scene)),
            marks=marks(),
            target=tmp_path / "out.mp4",
            report=lambda *_: None,
        )
    assert not (tmp_path / "out.mp4").exists()


def children() -> list[str]:
    """Processes begun by this one that still run."""
    tasks = Path("/proc/self/task").glob("*/children")
    return sorted(pid for task in tasks for pid in task.read_text().split())
