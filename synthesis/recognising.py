"""What a worker does for the face guard: cut portraits, measure, compare."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from numpy.typing import NDArray

from synthesis.errors import SynthesisError
from synthesis.faces.features import FaceFeatures, Vectors, compare
from synthesis.faces.portraits import Picture, Portraits, portraits_of
from synthesis.faces.sface import best_features, features_named
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.media.shots import find_shots
from synthesis.models import FaceEnrolment, FaceSighting, Render, Track
from synthesis.services.face_confirmations import confirmation_standing
from synthesis.services.face_questions import face_waiting_tell, is_waiting
from synthesis.services.faces import (
    faces_verify,
    grant_for_comparing,
    sighting_of,
    track_sight,
)
from synthesis.services.measured import landmarks_open
from synthesis.storage import local_path

log = logging.getLogger(__name__)

Verdict = FaceSighting.Verdict
REFERENCE_FRAMES = 250
"""Looked at of a reference clip: ten seconds at 25 a second."""
AT_ONCE_FRAMES = 200


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


def sighting_look(sighting: FaceSighting) -> None:
    """Cut a face's portraits, if there are none, and compare it with what its actor has
    enrolled, if consent allows that and it was not compared with the newest yet. The
    actor is told of a face that has come to wait for their word."""
    waited = is_waiting(sighting) and sighting.verdict != Verdict.WAITING
    _look(sighting)
    asks = sighting.is_reference or sighting.verdict != Verdict.WAITING
    if asks and not waited:
        face_waiting_tell(sighting)


def _look(sighting: FaceSighting) -> None:
    if not sighting.portraits and not sighting.reason:
        _portraits_keep(sighting)
    if sighting.is_reference or not sighting.portraits:
        return
    newest = FaceEnrolment.objects.filter(actor=sighting.actor).last()
    known = sighting.verdict in (Verdict.SAME, Verdict.DENIED)
    if known and (sighting.compared_with_id or sighting.verdict == Verdict.DENIED):
        return
    if newest is None:
        _verdict_keep(sighting, Verdict.UNKNOWN, None, None)
    elif newest.pk != sighting.compared_with_id and grant_for_comparing(sighting):
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
        track__isnull=False,
        verdict__in=[Verdict.UNKNOWN, Verdict.UNSURE, Verdict.OTHER, Verdict.WAITING],
    )
    for row in open_rows:
        sighting_look(row)


def _compare(sighting: FaceSighting) -> None:
    """Compare with every enrolment of the actor that can be compared with; the best
    counts: one photographed with a beard and one without are both them."""
    portraits = _portraits(sighting)
    best: tuple[float, str, FaceEnrolment] | None = None
    measured: dict[str, tuple[FaceFeatures, Vectors]] = {}
    for enrolment in FaceEnrolment.objects.filter(actor=sighting.actor):
        sha256 = enrolment.features_sha256
        if sha256 not in measured:
            features = features_named(sha256, Path(settings.FACE_MODELS_DIR))
            if features is None:
                continue
            measured[sha256] = features, features.describe(portraits)
        features, seen = measured[sha256]
        enrolled = np.frombuffer(enrolment.vectors, "<f4").reshape(enrolment.count, -1)
        answer = compare(features, enrolled, seen)
        if best is None or _rank(answer.verdict, answer.score) > _rank(*best[1::-1]):
            best = answer.score, answer.verdict, enrolment
    if best is None:
        _verdict_keep(sighting, Verdict.UNKNOWN, None, None)
        return
    score, verdict, enrolment = best
    _verdict_keep(sighting, Verdict(verdict), score, enrolment)


def _rank(verdict: str, score: float) -> tuple[int, float]:
    return ("other", "unsure", "same").index(verdict), score


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
        with _film_of(sighting) as (landmarks, read):
            try:
                found = portraits_of(landmarks, read)
                content = ContentFile(found.to_bytes())
                sighting.portraits.save("p.npz", content, save=False)
            except SynthesisError as error:
                sighting.reason, sighting.verdict = error.sentence, Verdict.UNSURE
                found = portraits_of(landmarks, read, to_show=True)
            sheet = found.sheet()
            sighting.sheet_sha256 = hashlib.sha256(sheet).hexdigest()
            sighting.sheet.save("sheet.jpg", ContentFile(sheet), save=False)
    except SynthesisError as error:
        sighting.reason, sighting.verdict = error.sentence, Verdict.UNSURE
    if sighting.file:
        sighting.file.delete(save=False)
    sighting.save()


@contextmanager
def _film_of(
    sighting: FaceSighting,
) -> Iterator[tuple[NDArray[np.float32], Callable[[Sequence[int]], Iterator[Picture]]]]:
    """A face's landmarks, and how to read the frame of one of their rows."""
    track = sighting.track
    if track is None:
        with local_path(sighting.file) as path:
            sighting.source_sha256 = sha256_file(path)
            facts = probe(path)
            face = _only_face(path, facts)
            yield face.landmarks, partial(_frames, path, facts, face.start)
        return
    with landmarks_open(track) as file:
        landmarks = np.load(file, allow_pickle=False)
    scene = track.shot.scene
    with local_path(scene.file) as path:
        facts = Probe.from_json(scene.media_facts)
        yield landmarks, partial(_frames, path, facts, track.first_frame)


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


def _only_face(path: Path, facts: Probe) -> FaceTrack:
    stop = min(REFERENCE_FRAMES, facts.frame_count)

    def pictures() -> Iterator[Picture]:
        return (planes.rgb() for planes in read_frames(path, facts, 0, stop))

    tracks = list(find_tracks(pictures(), find_shots(pictures(), facts.rate)))
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
