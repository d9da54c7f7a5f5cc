"""What was measured and learned of a face goes at its owner's word, and what would
need it is refused in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile

from consent.models import LedgerEntry
from consent.services.face_data import face_data_forget, face_data_of
from lipweb.demo_production import Demo
from synthesis.errors import NotAllowed
from synthesis.models import (
    ActorModel,
    Deliverable,
    Dub,
    Footage,
    ProposedCurve,
    Render,
    Track,
    TrackRender,
)
from synthesis.services.measured import landmarks_open
from synthesis.services.performances import performance_export
from synthesis.services.renders import render_queue

OnCommit = Callable[..., Any]


@pytest.fixture
def measured(demo: Demo, deliverable: Deliverable) -> Track:
    """Robin's face in the scene with all that is kept of it, and a finished file."""
    track = Track.objects.get()
    points = io.BytesIO()
    np.save(points, np.zeros((1, 468, 3), np.float32))
    track.landmarks.save("face.npy", ContentFile(points.getvalue()), save=False)
    track.thumbnail.save("face.jpg", ContentFile(b"portrait"), save=False)
    track.save()
    mouths = TrackRender(
        render=deliverable.render, track=track, weights_sha256="0" * 64, codes=b"codes"
    )
    mouths.patches.save("mouths", ContentFile(b"mouths"), save=True)
    ProposedCurve.objects.create(
        dub=deliverable.render.dub, track=track, values={}, key="k"
    )
    footage = Footage(
        project=demo.project,
        actor=demo.grant.actor,
        original_name="robin.mp4",
        sha256="1" * 64,
        size_bytes=4,
        uploaded_by=demo.producer,
    )
    footage.file.save("footage", ContentFile(b"film"), save=True)
    return track


def forget(demo: Demo) -> LedgerEntry:
    actor = demo.grant.actor
    return face_data_forget(actor=actor, acting_user=actor.user)


def test_everything_of_the_face_goes_with_its_files(
    demo: Demo, measured: Track, django_capture_on_commit_callbacks: OnCommit
) -> None:
    storage = measured.landmarks.storage
    model = ActorModel.objects.get()
    names = [
        measured.landmarks.name,
        measured.thumbnail.name,
        TrackRender.objects.get().patches.name,
        Footage.objects.get().file.name,
        model.file.name,
    ]
    assert all(storage.exists(name) for name in names)
    with django_capture_on_commit_callbacks(execute=True):
        entry = forget(demo)
    assert entry.payload["deleted"] == {
        "known": 0,
        "learned": 1,
        "footage": 1,
        "measured": 1,
        "mouths": 2,
    }
    assert not any(storage.exists(name) for name in names)
    for rows in (ActorModel, Footage, TrackRender, ProposedCurve):
        assert not rows.objects.exists()
    assert all(one.count == 0 for one in face_data_of(demo.grant.actor))
    # What was shot and what was finished belong to the production.
    assert Deliverable.objects.get().file.read() == b"film"
    assert measured.shot.scene.file.storage.exists(measured.shot.scene.file.name)


def test_what_needs_it_is_refused_in_words(
    demo: Demo, dub: Dub, measured: Track
) -> None:
    forget(demo)
    with pytest.raises(NotAllowed, match="measurements of this face deleted") as no:
        render_queue(dub=dub, acting_user=demo.producer)
    assert no.value.code == "face-data-deleted"
    track = Track.objects.get(pk=measured.pk)
    with pytest.raises(NotAllowed, match="upload the scene once more"):
        landmarks_open(track).__enter__()
    finished = Render.objects.get()
    with pytest.raises(NotAllowed, match="movement of their mouth"):
        performance_export(
            render=finished, form="arkit-json", acting_user=demo.producer
        )


def test_what_is_being_made_ends(demo: Demo, dub: Dub, measured: Track) -> None:
    render = render_queue(dub=dub, acting_user=demo.producer)
    forget(demo)
    render.refresh_from_db()
    assert render.state == Render.State.CANCELLED
    assert "had their face data deleted" in render.error_sentence


def test_if_the_deletion_fails_nothing_is_gone(
    demo: Demo, measured: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: Any) -> None:
        raise RuntimeError("the ledger cannot be written")

    monkeypatch.setattr("consent.services.face_data.ledger_append", fails)
    with pytest.raises(RuntimeError):
        forget(demo)
    track = Track.objects.get(pk=measured.pk)
    assert track.landmarks.storage.exists(track.landmarks.name)
    assert ActorModel.objects.exists()


def test_another_actors_face_stays(demo: Demo, measured: Track) -> None:
    Track.objects.update(actor=None)
    forget(demo)
    track = Track.objects.get(pk=measured.pk)
    assert track.landmarks
