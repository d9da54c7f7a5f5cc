"""What a worker does for the face guard: cut portraits, measure, compare."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from numpy.typing import NDArray

from consent.models import Grant
from synthesis.errors import SynthesisError
from synthesis.faces.features import Answer, FaceFeatures, Vectors, compare
from synthesis.faces.portraits import MOST, Picture, Portraits, portraits_of
from synthesis.faces.sface import best_features, features_named
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.media.shots import find_shots
from synthesis.models import (
    Adaptation,
    FaceEnrolment,
    FaceSighting,
    Footage,
    Render,
    Track,
)
from synthesis.neural.own_footage import LEAST_EYES_PX, eyes_px, only_face
from synthesis.services.face_confirmations import confirmation_standing
from synthesis.services.face_questions import face_waiting_tell, is_waiting
from synthesis.services.faces import (
    Seen,
    faces_verify,
    footage_sight,
    grant_for_comparing,
    sighting_of,
    track_sight,
)
from synthesis.services.measured import landmarks_open
from synthesis.storage import local_path

log = logging.getLogger(__name__)

Verdict = FaceSighting.Verdict
OWN_CLIP_FRAMES = 250
"""Looked at of a clip that an actor brings: ten seconds at 25 a second."""
MOST_SHOTS = 48
"""Of footage: its actor is shown a picture of each before they confirm them all."""
OF_MANY_SHOTS = 32
"""Portraits in all of footage with several shots, where that leaves LEAST_OF_A_SHOT."""
LEAST_OF_A_SHOT = 2
AT_ONCE_FRAMES = 200

Read = Callable[[Sequence[int]], Iterator[Picture]]
"""Yields the frames of some rows of landmarks, ascending."""


@dataclass(frozen=True)
class _Face:
    """A face in one shot: landmarks (n, 468, 3), and how to read the frames."""

    landmarks: NDArray[np.float32]
    read: Read


def render_faces_verify(render: Render, tracks: list[Track]) -> None:
    """Compare what was not compared yet, and raise SynthesisError unless every face
    may be rendered."""
    for track in tracks:
        row = sighting_of(track)
        if row is None:
            row = track_sight(track=track, acting_user=render.requested_by)
        if row is not None:
            sighting_look(row)
    faces_verify(tracks)


def learned_faces_verify(adaptation: Adaptation, faces: Sequence[Seen]) -> None:
    """The same before anything is learned from faces, on the run's own grant."""
    for seen in faces:
        row = sighting_of(seen)
        if row is None and isinstance(seen, Track):
            row = track_sight(track=seen, acting_user=adaptation.requested_by)
        elif row is None and isinstance(seen, Footage):
            row = footage_sight(footage=seen, acting_user=adaptation.requested_by)
        if row is not None:
            sighting_look(row, under=adaptation.grant)
    faces_verify(faces)


def sighting_look(sighting: FaceSighting, under: Grant | None = None) -> None:
    """Cut a face's portraits, if there are none, and compare it with what its actor has
    enrolled, if consent allows that and it was not compared with the newest yet. The
    actor is told of a face that has come to wait for their word.

    under: the grant of the work that needs to know; if none, one is looked for."""
    waited = is_waiting(sighting) and sighting.verdict != Verdict.WAITING
    _look(sighting, under)
    unasked = sighting.is_own_clip or sighting.proposed
    asks = unasked or sighting.verdict != Verdict.WAITING
    if asks and not waited:
        face_waiting_tell(sighting)


def _look(sighting: FaceSighting, under: Grant | None) -> None:
    if not sighting.portraits and not sighting.reason:
        _portraits_keep(sighting)
    if sighting.is_own_clip or not sighting.portraits:
        return
    newest = FaceEnrolment.objects.filter(actor=sighting.actor).last()
    known = sighting.verdict in (Verdict.SAME, Verdict.DENIED)
    if known and (sighting.compared_with_id or sighting.verdict == Verdict.DENIED):
        return
    if newest is None:
        _verdict_keep(sighting, Verdict.UNKNOWN, None, None)
    elif newest.pk != sighting.compared_with_id and (
        under or grant_for_comparing(sighting)
    ):
        _compare(sighting)


def enrolment_measure(sighting: FaceSighting) -> None:
    """Measure a face that its actor confirmed and wishes remembered, and compare again
    what could not be told from it before."""
    word = confirmation_standing(sighting)
    if word is None or not word.remembers or not sighting.portraits:
        return
    features = best_features(Path(settings.FACE_MODELS_DIR))
    if not word.enrolments.filter(features_sha256=features.sha256).exists():
        vectors = features.describe(_portraits(sighting))
        FaceEnrolment.objects.create(
            actor=sighting.actor,
            grant=grant_for_comparing(sighting),
            confirmation=word,
            features=features.name,
            features_sha256=features.sha256,
            vectors=vectors.astype("<f4").tobytes(),
            count=len(vectors),
        )
    open_rows = FaceSighting.objects.filter(
        actor=sighting.actor,
        verdict__in=[Verdict.UNKNOWN, Verdict.UNSURE, Verdict.OTHER, Verdict.WAITING],
    )
    for row in open_rows.exclude(track=None, footage=None):
        sighting_look(row)


def _compare(sighting: FaceSighting) -> None:
    """Compare each shot with every enrolment of the actor that can be compared with.
    Of those the best counts: one photographed with a beard and one without are both
    them. Of the shots the worst: one of somebody else is one too many."""
    portraits = _portraits(sighting)
    measured: dict[str, tuple[FaceFeatures, Vectors]] = {}
    best: dict[int, _Match] = {}
    for enrolment in FaceEnrolment.objects.filter(actor=sighting.actor):
        sha256 = enrolment.features_sha256
        if sha256 not in measured:
            features = features_named(sha256, Path(settings.FACE_MODELS_DIR))
            if features is None:
                continue
            measured[sha256] = features, features.describe(portraits)
        features, seen = measured[sha256]
        enrolled = np.frombuffer(enrolment.vectors, "<f4").reshape(enrolment.count, -1)
        for shot in np.unique(portraits.shots).tolist():
            answer = compare(features, enrolled, seen[portraits.shots == shot])
            match = _Match(answer, enrolment)
            best[shot] = max(best.get(shot, match), match, key=_rank)
    if not best:
        _verdict_keep(sighting, Verdict.UNKNOWN, None, None)
        return
    worst = min(best.values(), key=_rank)
    verdict = Verdict(worst.answer.verdict)
    _verdict_keep(sighting, verdict, worst.answer.score, worst.enrolment)


@dataclass(frozen=True)
class _Match:
    """What comparing a shot with one enrolment says."""

    answer: Answer
    enrolment: FaceEnrolment


def _rank(match: _Match) -> tuple[int, float]:
    answer = match.answer
    return ("other", "unsure", "same").index(answer.verdict), answer.score


def _verdict_keep(
    sighting: FaceSighting,
    verdict: FaceSighting.Verdict,
    score: float | None,
    enrolment: FaceEnrolment | None,
) -> None:
    """Write the answer, unless the actor has said meanwhile that it is not them."""
    sighting.verdict, sighting.score = verdict, score
    sighting.compared_with = enrolment
    FaceSighting.objects.filter(pk=sighting.pk).exclude(verdict=Verdict.DENIED).update(
        verdict=verdict, score=score, compared_with=enrolment
    )
    log.info("face compared sighting=%s verdict=%s", sighting.pk, verdict)


def _portraits(sighting: FaceSighting) -> Portraits:
    with sighting.portraits.open("rb") as file:
        return Portraits.from_bytes(file.read())


def _portraits_keep(sighting: FaceSighting) -> None:
    """Cut and store the portraits, and the sheet for the actor to see. Why nothing can
    be measured becomes the row's reason; an actor's clip is deleted either way."""
    try:
        with _film_of(sighting) as faces:
            most = min(MOST, max(LEAST_OF_A_SHOT, OF_MANY_SHOTS // len(faces)))
            cut = [_cut(face, most) for face in faces]
            shown = Portraits.of_shots([portraits for portraits, _ in cut])
            reasons = [reason for _, reason in cut if reason]
            if reasons:
                sighting.reason, sighting.verdict = reasons[0], Verdict.UNSURE
            else:
                content = ContentFile(shown.to_bytes())
                sighting.portraits.save("p.npz", content, save=False)
            sheet = shown.sheet()
            sighting.sheet_sha256 = hashlib.sha256(sheet).hexdigest()
            sighting.sheet.save("sheet.jpg", ContentFile(sheet), save=False)
    except SynthesisError as error:
        sighting.reason, sighting.verdict = error.sentence, Verdict.UNSURE
    if sighting.file:
        sighting.file.delete(save=False)
    sighting.save()


def _cut(face: _Face, most: int) -> tuple[Portraits, str]:
    """The portraits of a face, and why it cannot be compared, if it cannot."""
    try:
        return portraits_of(face.landmarks, face.read, most), ""
    except SynthesisError as error:
        shown = portraits_of(face.landmarks, face.read, most, to_show=True)
        return shown, error.sentence


@contextmanager
def _film_of(sighting: FaceSighting) -> Iterator[list[_Face]]:
    """What is seen of a face, shot by shot, while its film is at hand."""
    track, footage = sighting.track, sighting.footage
    if track is not None:
        with landmarks_open(track) as file:
            landmarks = np.load(file, allow_pickle=False)
        scene = track.shot.scene
        with local_path(scene.file) as path:
            facts = Probe.from_json(scene.media_facts)
            read = partial(_frames, path, facts, track.first_frame)
            yield [_Face(landmarks, read)]
        return
    with local_path(footage.file if footage else sighting.file) as path:
        facts = probe(path)
        if footage:
            found = _faces_learned_from(footage, path, facts)
        else:
            sighting.source_sha256 = sha256_file(path)
            found = [_only_face(path, facts)]
        yield [
            _Face(face.landmarks, partial(_frames, path, facts, face.start))
            for face in found
        ]


def _frames(
    path: Path, facts: Probe, start: int, rows: Sequence[int]
) -> Iterator[Picture]:
    """The frames start + row, ascending: in one go where they are near each other, else
    one by one from the key frame before each."""
    if rows[-1] - rows[0] <= AT_ONCE_FRAMES:
        first, end = start + rows[0], start + rows[-1] + 1
        for planes in read_frames(path, facts, first, end):
            if planes.index - start in rows:
                yield planes.rgb()
        return
    for row in rows:
        (planes,) = read_frames(path, facts, start + row, start + row + 1)
        yield planes.rgb()


def _faces_learned_from(footage: Footage, path: Path, facts: Probe) -> list[FaceTrack]:
    """The face of each shot that learning would take, of the whole file. Raises
    SynthesisError where there is none, or several in a shot."""
    tracks = _tracks(path, facts, facts.frame_count)
    faces = only_face(footage.original_name, tracks, facts.times_s())
    large = [face for face in faces if eyes_px(face.landmarks) >= LEAST_EYES_PX]
    if len(large) > MOST_SHOTS:
        raise SynthesisError(
            "too-many-shots",
            f"A face is seen in {len(large)} shots of {footage.original_name}, and the"
            f" actor can be asked about {MOST_SHOTS} at a time. Upload it in parts.",
        )
    if not faces:
        raise SynthesisError(
            "no-face", f"No face was found in {footage.original_name}."
        )
    return large or faces[:MOST_SHOTS]


def _only_face(path: Path, facts: Probe) -> FaceTrack:
    tracks = _tracks(path, facts, min(OWN_CLIP_FRAMES, facts.frame_count))
    if not tracks:
        raise SynthesisError(
            "no-face", "No face was found in this clip. Film your face from the front."
        )
    shots = {track.shot for track in tracks}
    if len(tracks) > len(shots):
        raise SynthesisError(
            "several-faces",
            "More than one face is seen in this clip. Bring one with only yours.",
        )
    return max(tracks, key=lambda track: len(track.landmarks))


def _tracks(path: Path, facts: Probe, stop: int) -> list[FaceTrack]:
    """The faces of a file that nobody has analysed, up to a frame."""

    def pictures() -> Iterator[Picture]:
        return (planes.rgb() for planes in read_frames(path, facts, 0, stop))

    return list(find_tracks(pictures(), find_shots(pictures(), facts.rate)))
