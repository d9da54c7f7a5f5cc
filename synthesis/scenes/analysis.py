"""What a worker finds out about a scene: facts, shots, faces, pictures for the page."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from synthesis.faces.abstention import left_alone
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.media.active import ActivePicture
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.media.proxy import write_proxy
from synthesis.media.shots import find_shots
from synthesis.media.thumbnail import thumbnail
from synthesis.models import Scene, Shot, Track
from synthesis.progress import Progress, Stopped
from synthesis.storage import keep, local_path, scratch_dir

log = logging.getLogger(__name__)


def scene_analyse(scene: Scene) -> None:
    """Fill in everything known about the scene and make it ready. Raises MediaRefused
    with the sentence for the producer. May run again from the start at any time."""
    with (
        local_path(scene.file) as path,
        tempfile.TemporaryDirectory(dir=scratch_dir()) as folder,
    ):
        scene.sha256 = sha256_file(path)
        facts = probe(path)
        scene.media_facts = facts.to_json()
        scene.save(update_fields=["sha256", "media_facts"])
        report = Progress(scene, units=3 * facts.frame_count, look=lambda: _look(scene))
        bars = ActivePicture()
        shots = _find_shots(path, facts, bars, report)
        scene.active_picture = bars.box()
        report.next_stage(facts.frame_count)
        tracks = _find_faces(path, facts, shots, Path(folder), report)
        report.next_stage(facts.frame_count)
        proxy = Path(folder) / "proxy.mp4"
        write_proxy(
            path,
            facts,
            proxy,
            report=lambda frame: report(
                "Preparing the player", frame, facts.frame_count
            ),
        )
        _write_rows(scene, shots, tracks, proxy)


def _find_shots(
    path: Path, facts: Probe, bars: ActivePicture, report: Progress
) -> list[tuple[int, int]]:
    """The shots; what is seen on the way goes to bars too."""

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for picture in _pictures(path, facts, report, "Finding the cuts"):
            bars.push(picture)
            yield picture

    return find_shots(pictures(), facts.rate)


def _pictures(
    path: Path, facts: Probe, report: Progress, stage: str
) -> Iterator[NDArray[np.uint8]]:
    for planes in read_frames(path, facts):
        report(stage, planes.index + 1, facts.frame_count)
        yield planes.rgb()


def _find_faces(
    path: Path,
    facts: Probe,
    shots: list[tuple[int, int]],
    folder: Path,
    report: Progress,
) -> list[tuple[FaceTrack, Path, Path]]:
    """Each track with its landmark file and its thumbnail; landmarks of one shot at a
    time are held."""

    found = []
    frames = _pictures(path, facts, report, "Finding faces")
    for number, track in enumerate(find_tracks(frames, shots), start=1):
        landmarks = folder / f"track-{number}.npy"
        np.save(landmarks, track.landmarks.astype(np.float32))
        picture = folder / f"track-{number}.jpg"
        picture.write_bytes(_face_picture(path, facts, track))
        found.append((track, landmarks, picture))
    return found


def _face_picture(path: Path, facts: Probe, track: FaceTrack) -> bytes:
    """The track's clearest frame, cut to the face with room around it."""
    best = track.best_frame
    points = track.landmarks[best - track.start, :, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, float((high - low).max()) * 0.8
    (left, top), (right, bottom) = (
        (middle - half).astype(int),
        (middle + half).astype(int),
    )
    (portrait,) = read_frames(path, facts, best, best + 1)
    box = (int(left), int(top), int(right), int(bottom))
    return thumbnail(portrait, box=box, size=(192, 192))


@transaction.atomic
def _write_rows(
    scene: Scene,
    shots: list[tuple[int, int]],
    tracks: list[tuple[FaceTrack, Path, Path]],
    proxy: Path,
) -> None:
    scene.shots.all().delete()
    rows = Shot.objects.bulk_create(
        Shot(scene=scene, index=index, first_frame=first, end_frame=end)
        for index, (first, end) in enumerate(shots)
    )
    for number, (found, landmarks, picture) in enumerate(tracks, start=1):
        track = Track(
            shot=rows[found.shot],
            number=number,
            first_frame=found.start,
            end_frame=found.start + len(found.landmarks),
            left_alone=[
                one.to_json()
                for one in left_alone(
                    found.landmarks, covered=found.covered, start=found.start
                )
            ],
        )
        keep(track.landmarks, landmarks, suffix="npy")
        keep(track.thumbnail, picture, suffix="jpg")
        track.save()
    keep(scene.proxy, proxy, suffix="mp4")
    scene.state = Scene.State.READY
    scene.progress = {}
    scene.error_code = scene.error_sentence = ""
    scene.save()


def _look(scene: Scene) -> None:
    if not Scene.objects.filter(pk=scene.pk, state=Scene.State.ANALYSING).exists():
        raise Stopped
