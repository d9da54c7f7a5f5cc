"""The face guard on the demo scene's first frames, cut into two shots: what stops a
render, what lets it go on, and who may say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from numpy.typing import NDArray

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied, ConsentError, SignatureRefused
from consent.errors import NotAllowed as ConsentNotAllowed
from consent.models import LedgerEntry, Notice
from consent.services.face_data import face_data_forget
from lipweb.demo_production import (
    SCENE,
    Demo,
    _passkey_path,
    face_confirm_as_robin,
)
from lipweb.dubbing import file_upload
from lipweb.models import User
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.faces.features import ShippedFeatures, unit
from synthesis.faces.portraits import Portraits
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.jobs import look_at_face, measure_face, render_shot
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe
from synthesis.models import (
    Dub,
    FaceConfirmation,
    FaceEnrolment,
    FaceSighting,
    Footage,
    Render,
    Scene,
    Track,
)
from synthesis.scenes.face_words import guard_told, what_is_said
from synthesis.services.face_confirmations import (
    confirmation_options,
    face_confirm,
    face_deny,
    is_confirmed,
)
from synthesis.services.face_questions import is_waiting
from synthesis.services.faces import (
    face_forget,
    reference_bring,
    reference_propose,
    sighting_of,
    sighting_refusal,
    track_sight,
)
from synthesis.services.footage import footage_add
from synthesis.services.kept import kept_about
from synthesis.services.renders import render_queue
from synthesis.services.scenes import dub_create, track_assign
from synthesis.services.uses import subjects_of
from tests.footage import make_clip
from tests.synthesis.conftest import analysed, new_line
from tests.synthesis.talking import excerpt

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

CUT, END = 5, 10
Marks = NDArray[np.float32]
Verdict = FaceSighting.Verdict


@pytest.fixture(scope="module")
def faces() -> list[FaceTrack]:
    facts = probe(SCENE)
    frames = (planes.rgb() for planes in read_frames(SCENE, facts, 0, END))
    return list(find_tracks(frames, [(0, CUT), (CUT, END)]))


@pytest.fixture
def scene(demo: Demo, demo_facts: Probe, faces: list[FaceTrack]) -> Scene:
    """Two shots, Robin's face in both, nobody named yet."""
    return analysed(demo, SCENE, demo_facts, faces, "Hello")


@pytest.fixture
def dub(demo: Demo, scene: Scene) -> Dub:
    dub = dub_create(scene=scene, language="es", acting_user=demo.producer)
    new_line(demo, dub)
    return dub


def said(demo: Demo, scene: Scene, number: int = 1) -> FaceSighting:
    """The producer says a face is Robin's, and a worker looks at it."""
    track = Track.objects.get(shot__scene=scene, number=number)
    track_assign(track=track, actor=demo.grant.actor, acting_user=demo.producer)
    row = sighting_of(track)
    assert row is not None
    look_at_face(str(row.id))
    return FaceSighting.objects.get(pk=row.pk)


def remembered(sighting: FaceSighting) -> FaceEnrolment:
    """Robin confirms a face, and a worker measures it."""
    face_confirm_as_robin(sighting)
    measure_face(str(sighting.id))
    return FaceEnrolment.objects.get(actor=sighting.actor)


def refusal_of(sighting: FaceSighting) -> SynthesisError | None:
    sighting = FaceSighting.objects.get(pk=sighting.pk)
    assert sighting.track is not None
    return sighting_refusal(sighting, sighting.track)


def code_of(sighting: FaceSighting) -> str:
    refusal = refusal_of(sighting)
    return refusal.code if refusal else ""


def like(sighting: FaceSighting, score: float) -> NDArray[np.float32]:
    """Vectors of somebody whose likeness to the face is exactly so great."""
    with sighting.portraits.open("rb") as file:
        seen = ShippedFeatures().describe(Portraits.from_bytes(file.read())).mean(0)
    seen = unit(seen)
    aside = np.random.default_rng(1).standard_normal(len(seen))
    aside = unit(aside - (aside @ seen) * seen)
    return np.asarray(score * seen + np.sqrt(1 - score**2) * aside, np.float32)[None]


def enrolled_as(enrolment: FaceEnrolment, vectors: NDArray[np.float32]) -> None:
    """The same enrolment, of another face."""
    enrolment.vectors, enrolment.count = vectors.astype("<f4").tobytes(), len(vectors)
    enrolment.save()


def test_a_first_face_stops_the_render_until_the_actor_confirms_it(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    row = said(demo, scene)
    assert row.verdict == Verdict.UNKNOWN
    with pytest.raises(SynthesisError, match="Robin has not shown their face") as stop:
        render_queue(dub=dub, acting_user=demo.producer)
    assert stop.value.code == "face-not-enrolled"
    face_confirm_as_robin(row)
    assert render_queue(dub=dub, acting_user=demo.producer).state == "queued"
    assert not FaceEnrolment.objects.exists()  # a worker has not measured it yet
    assert LedgerEntry.objects.filter(kind="face-confirmed").count() == 1


def test_the_actor_is_told_by_inbox_and_mail_once_for_all_faces_of_a_scene(
    demo: Demo,
    scene: Scene,
    dub: Dub,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        rows = [said(demo, scene, 1), said(demo, scene, 2)]
    look_at_face(str(rows[0].id))  # a job that is run twice
    notice = Notice.objects.get(user=demo.grant.actor.user, kind="face-waits")
    assert "“Hello”" in notice.title
    (letter,) = [one for one in mail.outbox if "Is this you?" in one.subject]
    assert letter.to == [demo.grant.actor.user.email]
    assert "/me/faces/" in letter.body


def test_nothing_is_told_of_a_face_that_is_recognised(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    remembered(said(demo, scene, 1))
    Notice.objects.all().delete()
    assert said(demo, scene, 2).verdict == Verdict.SAME
    assert not Notice.objects.filter(kind="face-waits").exists()


def test_a_face_whose_measurements_are_deleted_is_refused_and_no_job_breaks(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    row = said(demo, scene)
    actor = demo.grant.actor
    enrolment = remembered(row)
    assert enrolment.count
    entry = face_data_forget(actor=actor, acting_user=actor.user)
    assert entry.payload["deleted"]["known"] == 2
    assert not FaceSighting.objects.exists()
    with pytest.raises(NotAllowed, match="measurements of this face deleted") as stop:
        render_queue(dub=dub, acting_user=demo.producer)
    assert stop.value.code == "face-data-deleted"
    track = Track.objects.get(shot__scene=scene, number=1)
    told = guard_told(track)
    assert told is not None
    assert told["badge"] == "Measurements deleted"
    anew = track_sight(track=track, acting_user=demo.producer)
    assert anew is not None
    look_at_face(str(anew.id))
    anew.refresh_from_db()
    assert "measurements of this face deleted" in anew.reason


def test_what_the_guard_knows_is_in_the_actors_own_file_with_the_numbers(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    row = said(demo, scene)
    enrolment = remembered(row)
    kept = {part.name: list(part.rows) for part in kept_about(demo.grant.actor)}
    (compared,) = kept["face-guard"]
    assert (compared["where"], compared["id"]) == ("Hello, face 1", row.id)
    (word,) = kept["face-confirmations"]
    assert "is yours" in word["words"]
    (face,) = kept["face-numbers"]
    assert len(face["numbers"]) == enrolment.count
    assert np.asarray(face["numbers"], "<f4").tobytes() == enrolment.vectors
    assert {str(row.id), str(word["id"])} <= set(subjects_of(demo.grant.actor))


def test_an_enrolled_face_is_recognised_in_the_next_shot(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    remembered(said(demo, scene, 1))
    second = said(demo, scene, 2)
    assert second.verdict == Verdict.SAME, second.score
    assert code_of(second) == ""
    assert not is_confirmed(second)  # nobody had to sign for this one


def test_a_face_that_was_asked_about_is_compared_once_there_is_something_to_compare(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    first, second = said(demo, scene, 1), said(demo, scene, 2)
    assert second.verdict == Verdict.UNKNOWN
    remembered(first)
    second.refresh_from_db()
    assert second.verdict == Verdict.SAME


@pytest.mark.parametrize("code", ["face-mismatch", "face-unsure"])
def test_another_face_or_an_uncertain_one_stops_until_the_actor_confirms(
    demo: Demo, scene: Scene, dub: Dub, code: str
) -> None:
    features = ShippedFeatures()
    between = (features.same_from + features.other_below) / 2
    first, second = said(demo, scene, 1), said(demo, scene, 2)
    enrolment = remembered(first)
    enrolled_as(enrolment, like(second, between if code == "face-unsure" else 0.0))
    FaceSighting.objects.filter(pk=second.pk).update(
        verdict=Verdict.WAITING, compared_with=None
    )
    look_at_face(str(second.id))
    assert code_of(second) == code
    with pytest.raises(SynthesisError, match="on their own page") as stop:
        render_queue(dub=dub, acting_user=demo.producer)
    assert stop.value.code == code
    face_confirm_as_robin(second)
    assert code_of(second) == ""


def test_the_worker_stops_a_render_whose_face_nobody_compared_before(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    Track.objects.filter(shot__scene=scene).update(actor=demo.grant.actor)
    render = render_queue(dub=dub, acting_user=demo.producer)
    shot = scene.shots.get(index=0)
    render_shot(str(render.id), str(shot.pk))
    render.refresh_from_db()
    assert (render.state, render.error_code) == (
        Render.State.FAILED,
        "face-not-enrolled",
    )
    assert "own page" in render.error_sentence
    assert not render.track_renders.exists()


def test_without_consent_nothing_is_compared(
    demo: Demo, scene: Scene, dub: Dub, revoke: Callable[[], None]
) -> None:
    first = said(demo, scene, 1)
    enrolment = remembered(first)
    dub.lines.all().delete()
    second = said(demo, scene, 2)
    assert FaceEnrolment.objects.get() == enrolment
    assert second.verdict == Verdict.WAITING
    assert code_of(second) == "face-not-compared"


def test_only_the_actor_confirms_or_denies(
    demo: Demo, scene: Scene, dub: Dub, reviewer_of_demo: User
) -> None:
    row = said(demo, scene)
    for user in (demo.producer, reviewer_of_demo):
        with pytest.raises(ConsentNotAllowed, match="Only the actor"):
            confirmation_options(sighting=row, remembers=True, acting_user=user)
        with pytest.raises(ConsentNotAllowed, match="Only the actor"):
            face_confirm(sighting=row, remembers=True, assertion="{}", acting_user=user)
        with pytest.raises(ConsentNotAllowed, match="Only the actor"):
            face_deny(sighting=row, acting_user=user)
    assert code_of(row) == "face-not-enrolled"


def test_a_signature_for_one_face_is_none_for_another_nor_for_remembering(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    first, second = said(demo, scene, 1), said(demo, scene, 2)
    robin = demo.grant.actor.user
    key = SoftwareAuthenticator.load(_passkey_path().read_text())
    answer = key.get(
        confirmation_options(sighting=first, remembers=False, acting_user=robin)
    )
    for sighting, remembers in ((second, False), (first, True)):
        with pytest.raises(SignatureRefused):
            face_confirm(
                sighting=sighting,
                remembers=remembers,
                assertion=answer,
                acting_user=robin,
            )
    face_confirm(sighting=first, remembers=False, assertion=answer, acting_user=robin)
    measure_face(str(first.id))
    assert code_of(first) == ""
    assert not FaceEnrolment.objects.exists()  # only this once: nothing is measured


def test_a_confirmation_written_into_the_database_is_worth_nothing(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    first, second = said(demo, scene, 1), said(demo, scene, 2)
    face_confirm_as_robin(first)
    word = FaceConfirmation.objects.get()
    other = confirmation_digest(second)
    FaceConfirmation.objects.filter(pk=word.pk).update(face_sha256=other)
    assert code_of(second) == "face-not-enrolled"
    told = json.loads(bytes(word.canonical)) | {"face_sha256": other}
    FaceConfirmation.objects.filter(pk=word.pk).update(
        canonical=json.dumps(told).encode()
    )
    assert code_of(second) == "face-not-enrolled"


def confirmation_digest(sighting: FaceSighting) -> str:
    from synthesis.services.face_confirmations import digest_of

    return digest_of(sighting)


def test_a_face_the_actor_denies_is_closed_and_a_new_name_opens_it(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    row = said(demo, scene)
    face_deny(sighting=row, acting_user=demo.grant.actor.user)
    assert code_of(row) == "face-denied"
    look_at_face(str(row.id))  # a late job does not open it again
    assert code_of(row) == "face-denied"
    track = Track.objects.get(pk=row.track_id)
    track_assign(track=track, actor=None, acting_user=demo.producer)
    assert not FaceSighting.objects.filter(pk=row.pk).exists()


def test_forgetting_deletes_the_numbers_and_asks_the_actor_again(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    remembered(said(demo, scene, 1))
    second = said(demo, scene, 2)
    assert code_of(second) == ""
    actor = demo.grant.actor
    assert face_forget(actor=actor, why="asked", acting_user=actor.user) == 1
    assert not FaceEnrolment.objects.exists()
    assert code_of(second) == "face-not-enrolled"
    entry = LedgerEntry.objects.get(kind="face-forgotten").payload
    assert entry == {"actor": str(actor.id), "enrolments": 1, "why": "asked"}


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_deletes_what_was_measured(
    demo: Demo, scene: Scene, dub: Dub, revoke: Callable[[], None]
) -> None:
    enrolment = remembered(said(demo, scene))
    assert enrolment.grant == demo.grant
    revoke()
    assert not FaceEnrolment.objects.exists()


def test_the_ledger_says_that_a_face_was_confirmed_and_nothing_of_the_face(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    enrolment = remembered(said(demo, scene))
    told = b"".join(bytes(entry.content) for entry in LedgerEntry.objects.all())
    assert bytes(enrolment.vectors)[:8].hex().encode() not in told
    payload = LedgerEntry.objects.get(kind="face-confirmed").payload
    assert set(payload) == {"document_sha256", "passkey", "signature_sha256"}


def test_an_actor_brings_a_clip_and_enrols_with_it_and_the_clip_is_deleted(
    demo: Demo, scene: Scene, dub: Dub, tmp_path: Path
) -> None:
    actor = demo.grant.actor
    file = SimpleUploadedFile("me.mp4", SCENE.read_bytes())
    with pytest.raises(ConsentNotAllowed):
        reference_bring(actor=actor, file=file, acting_user=demo.producer)
    row = reference_bring(actor=actor, file=file, acting_user=actor.user)
    look_at_face(str(row.id))
    row.refresh_from_db()
    assert row.sheet
    assert not row.file
    assert not FaceEnrolment.objects.exists()  # not before the signature
    remembered(row)
    assert said(demo, scene).verdict == Verdict.SAME


def test_a_clip_without_a_face_says_so(demo: Demo, tmp_path: Path) -> None:
    actor = demo.grant.actor
    clip = make_clip(tmp_path / "bars.mp4", size=(320, 180))
    file = SimpleUploadedFile("bars.mp4", clip.read_bytes())
    row = reference_bring(actor=actor, file=file, acting_user=actor.user)
    look_at_face(str(row.id))
    row.refresh_from_db()
    assert "No face was found" in row.reason
    with pytest.raises(NotAllowed, match="No face was found"):
        confirmation_options(sighting=row, remembers=True, acting_user=actor.user)


@pytest.fixture
def reel(demo: Demo, tmp_path: Path) -> Footage:
    """Half a second of Robin, uploaded to learn from."""
    clip = excerpt(tmp_path / "reel.mp4", 0.5, start_s=1.0)
    upload = file_upload(project=demo.project, path=clip, acting_user=demo.producer)
    return footage_add(
        project=demo.project,
        actor=demo.grant.actor,
        upload=upload,
        acting_user=demo.producer,
    )


def looked_at(footage: Footage) -> FaceSighting:
    look_at_face(str(footage.sighting.id))
    return FaceSighting.objects.get(footage=footage)


def test_footage_to_learn_from_is_compared_and_its_actor_asked(
    demo: Demo, scene: Scene, dub: Dub, reel: Footage
) -> None:
    row = looked_at(reel)
    assert row.verdict == Verdict.UNKNOWN
    assert Notice.objects.get(kind="face-waits").user == demo.grant.actor.user
    enrolment = remembered(said(demo, scene))
    assert looked_at(reel).verdict == Verdict.SAME
    assert not is_waiting(looked_at(reel))
    enrolled_as(enrolment, like(row, 0.0))
    FaceSighting.objects.update(verdict=Verdict.WAITING, compared_with=None)
    row = looked_at(reel)
    assert row.verdict == Verdict.OTHER
    refusal = sighting_refusal(row, reel)
    assert refusal is not None
    assert refusal.code == "face-mismatch"
    assert "Remove it, or ask Robin to confirm" in refusal.sentence
    assert is_waiting(row)


def test_one_shot_of_somebody_else_is_one_too_many(
    demo: Demo, scene: Scene, dub: Dub, reel: Footage
) -> None:
    remembered(said(demo, scene))
    row = looked_at(reel)
    with row.portraits.open("rb") as file:
        robin = Portraits.from_bytes(file.read())
    noise = np.random.default_rng(3).integers(0, 255, robin.pictures.shape, np.uint8)
    both = Portraits.of_shots([robin, replace(robin, pictures=noise)])
    row.portraits.save("p.npz", ContentFile(both.to_bytes()), save=False)
    row.verdict, row.compared_with = Verdict.WAITING, None
    row.save()
    assert looked_at(reel).verdict == Verdict.OTHER


def test_a_producer_proposes_recognised_footage_and_enrols_nothing(
    demo: Demo,
    scene: Scene,
    dub: Dub,
    reel: Footage,
    reviewer_of_demo: User,
) -> None:
    actor = demo.grant.actor
    remembered(said(demo, scene))
    row = looked_at(reel)
    Notice.objects.all().delete()
    for user in (reviewer_of_demo, actor.user):
        with pytest.raises((NotAllowed, ConsentNotAllowed)):
            reference_propose(footage=reel, acting_user=user)
    assert not is_waiting(row)
    row = reference_propose(footage=reel, acting_user=demo.producer)
    assert is_waiting(row)
    assert reference_propose(footage=reel, acting_user=demo.producer) == row
    notice = Notice.objects.get()
    assert (notice.user, notice.kind) == (actor.user, "face-proposed")
    assert "asks whether later faces" in what_is_said(row).sentence
    with pytest.raises(ConsentError, match="Only the actor"):
        confirmation_options(sighting=row, remembers=True, acting_user=demo.producer)
    assert FaceEnrolment.objects.count() == 1
    face_confirm_as_robin(row)
    measure_face(str(row.id))
    assert FaceEnrolment.objects.count() == 2
    assert FaceEnrolment.objects.last().grant == demo.grant
    with pytest.raises(NotAllowed, match="has said already"):
        reference_propose(footage=reel, acting_user=demo.producer)


def test_footage_that_a_withdrawal_deletes_takes_its_portraits_along(
    demo: Demo,
    reel: Footage,
    revoke: Callable[[], None],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    row = looked_at(reel)
    files = [Path(file.path) for file in (row.portraits, row.sheet, reel.file)]
    assert all(path.exists() for path in files)
    with django_capture_on_commit_callbacks(execute=True):
        revoke()
    assert not FaceSighting.objects.exists()
    assert not any(path.exists() for path in files)
    with pytest.raises(ConsentDenied):
        reference_propose(footage=reel, acting_user=demo.producer)


def test_saying_the_same_name_again_keeps_what_is_known(
    demo: Demo, scene: Scene, dub: Dub
) -> None:
    row = said(demo, scene)
    assert row.track is not None
    assert track_sight(track=row.track, acting_user=demo.producer) == row
