"""An actor's page: who sees it, what it says, and what can be asked for there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.models import Actor, Grant, LedgerEntry, Notice, Project
from lipweb.models import User
from synthesis.models import (
    ActorModel,
    Adaptation,
    FaceConfirmation,
    FaceEnrolment,
    FaceSighting,
    Footage,
    ModelStill,
    Scene,
    Track,
)
from tests.synthesis.adapting.conftest import model_made
from tests.synthesis.production import grant_signed, passkey, rate, scene  # noqa: F401

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


@pytest.fixture
def grant(
    project: Project,
    actor: Actor,
    producer: User,
    passkey: Any,  # noqa: F811
) -> Grant:
    return grant_signed(project, actor, producer, passkey, training=True)


@pytest.fixture
def theirs(scene: Scene, actor: Actor) -> Scene:  # noqa: F811
    Track.objects.filter(shot__scene=scene).update(actor=actor)
    return scene


@pytest.fixture
def run(theirs: Scene, grant: Grant, producer: User) -> Adaptation:
    progress = {
        "stage": "Learning the mouth",
        "step": 2,
        "unit": "step",
        "frame": 120,
        "frames": 1500,
        "fps": 1.5,
        "eta_s": 920.0,
    }
    run = Adaptation.objects.create(
        project=grant.project,
        actor=grant.actor,
        grant=grant,
        state=Adaptation.State.RUNNING,
        progress=progress,
        requested_by=producer,
    )
    run.scenes.add(theirs)
    return run


def address(grant_or_run: Any) -> str:
    ids = [grant_or_run.project_id, grant_or_run.actor_id]
    return reverse("synthesis:actor", args=ids)


def words_of(client: Client, of: Any) -> str:
    return client.get(address(of)).content.decode()


def test_what_can_be_learned_from_is_offered_and_asked_for(
    client: Client, theirs: Scene, grant: Grant
) -> None:
    words = words_of(client, grant)
    assert "Nothing is learned yet" in words
    assert theirs.title in words
    assert "a scene, in 2 shots" in words
    url = reverse("synthesis:adaptation_new", args=[grant.project_id, grant.actor_id])
    answer = client.post(url, {"scenes": [str(theirs.id)]})
    assert answer.status_code == 302
    run = Adaptation.objects.get()
    assert (run.grant, run.state) == (grant, Adaptation.State.QUEUED)
    assert list(run.scenes.all()) == [theirs]
    assert "Waiting for a worker" in words_of(client, grant)


def test_a_consent_without_training_is_said_in_words_with_the_way_to_another(
    client: Client,
    project: Project,
    actor: Actor,
    producer: User,
    passkey: Any,  # noqa: F811
    theirs: Scene,
) -> None:
    grant = grant_signed(project, actor, producer, passkey)
    words = words_of(client, grant)
    assert "does not allow training on the face" in words
    assert reverse("consent:propose", args=[project.id, actor.id]) in words
    assert reverse("synthesis:adaptation_new", args=[project.id, actor.id]) not in words
    assert reverse("synthesis:footage_new", args=[project.id, actor.id]) not in words
    url = reverse("synthesis:adaptation_new", args=[project.id, actor.id])
    assert client.post(url, {"scenes": [str(theirs.id)]}).status_code == 403
    assert not Adaptation.objects.exists()


def test_footage_is_uploaded_by_a_plain_form_and_removed_again(
    client: Client, grant: Grant
) -> None:
    url = reverse("synthesis:footage_new", args=[grant.project_id, grant.actor_id])
    file = SimpleUploadedFile("reel.mp4", b"pictures of a face")
    assert client.post(url, {"file": file}).status_code == 302
    footage = Footage.objects.get()
    assert "reel.mp4" in words_of(client, grant)
    stored = footage.file
    client.post(reverse("synthesis:footage_remove", args=[footage.id]))
    assert not Footage.objects.exists()
    assert "reel.mp4" not in words_of(client, grant)
    assert stored.name


def test_footage_is_compared_before_the_eyes_of_who_brought_it(
    client: Client, grant: Grant
) -> None:
    footage = brought(client, grant)
    words = words_of(client, grant)
    asked = reverse("synthesis:footage_guard", args=[footage.id])
    assert "Comparing" in words
    assert f'hx-get="{asked}"' in words
    FaceSighting.objects.update(verdict="other", sheet_sha256="5a" * 32)
    told = client.get(asked).content.decode()
    assert "Another face" in told
    assert "does not look like Robin Vale" in told
    assert "hx-get" not in told
    assert f'value="{footage.id}" disabled' in words_of(client, grant)


def test_only_a_producer_here_proposes_recognised_footage_as_a_reference(
    client: Client,
    grant: Grant,
    reviewer: User,
    other_producer: User,
    signed_in: SignIn,
) -> None:
    footage = brought(client, grant)
    url = reverse("synthesis:footage_propose", args=[footage.id])
    assert url not in words_of(client, grant)  # it is asked about already
    grant.actor.enrolments.create(
        confirmation=FaceConfirmation.objects.create(
            actor=grant.actor, face_sha256="5a" * 32, remembers=True, canonical=b"{}"
        ),
        features="lipweb",
        count=1,
        vectors=b"1234",
    )
    FaceSighting.objects.update(
        verdict="same",
        sheet_sha256="5a" * 32,
        compared_with=FaceEnrolment.objects.get(),
    )
    assert url in words_of(client, grant)
    assert client.get(url).status_code == 405
    assert signed_in(reviewer).post(url).status_code == 403
    assert url not in words_of(signed_in(reviewer), grant)
    assert signed_in(other_producer).post(url).status_code == 404
    assert not FaceSighting.objects.get().proposed
    assert client.post(url).status_code == 302
    assert FaceSighting.objects.get().proposed
    words = words_of(client, grant)
    assert url not in words
    assert "is asked whether later faces may be compared" in words
    notice = Notice.objects.get(kind="face-proposed")
    assert notice.user == grant.actor.user


def brought(client: Client, grant: Grant) -> Footage:
    url = reverse("synthesis:footage_new", args=[grant.project_id, grant.actor_id])
    client.post(url, {"file": SimpleUploadedFile("reel.mp4", b"pictures of a face")})
    return Footage.objects.get()


def test_progress_is_told_in_full_and_asked_again(
    client: Client, run: Adaptation
) -> None:
    url = reverse("synthesis:adaptation", args=[run.id])
    answer = client.get(url, headers=HTMX)
    words = answer.content.decode()
    for part in ("step 120 of 1500", "about 15 min 20 s left", "1.5 steps/s"):
        assert part in words
    assert 'hx-trigger="every 1s"' in words
    assert words.count('data-state="done"') == 1
    assert "HX-Trigger" not in answer


def test_a_run_that_has_ended_wakes_the_page_around_it(
    client: Client, run: Adaptation
) -> None:
    Adaptation.objects.update(
        state=Adaptation.State.FAILED, error_sentence="The face is too small."
    )
    url = reverse("synthesis:adaptation", args=[run.id])
    answer = client.get(url, headers=HTMX)
    assert "The face is too small." in answer.content.decode()
    assert "hx-trigger" not in answer.content.decode()
    assert answer["HX-Trigger"] == "adaptation-ended"
    body = client.get(address(run), headers=HTMX).content.decode()
    assert "<html" not in body
    assert "The face is too small." in body


def test_a_run_is_cancelled(client: Client, run: Adaptation) -> None:
    client.post(reverse("synthesis:adaptation_cancel", args=[run.id]))
    run.refresh_from_db()
    assert run.state == Adaptation.State.CANCELLED


def test_a_model_is_shown_with_its_sources_consent_figures_and_stills(
    client: Client, run: Adaptation, producer: User
) -> None:
    model = model_made(run)
    words = words_of(client, run)
    assert f"asked for by {producer}" in words
    assert model.sha256 in words
    assert reverse("consent:grant", args=[run.grant_id]) in words
    for part in ("30.0 dB", "33.1 dB", "Better", "Worse", "23 frames"):
        assert part in words
    for still in model.stills.all():
        assert reverse("synthesis:still", args=[still.id]) in words
        answer = client.get(reverse("synthesis:still", args=[still.id]))
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/jpeg"
        assert "no-store" in answer["Cache-Control"]
    opened = LedgerEntry.objects.filter(kind="model-stills-opened")
    assert opened.count() == 1


def test_stills_are_closed_when_consent_no_longer_stands(
    client: Client, run: Adaptation
) -> None:
    model = model_made(run)
    ActorModel.objects.update(sources=[])
    still = model.stills.first()
    assert still is not None
    Project.objects.update(medium="broadcast")  # which the grant does not name
    refused = client.get(reverse("synthesis:still", args=[still.id]))
    assert refused.status_code == 403
    assert "does not cover television" in refused.content.decode()
    assert "Not used" in words_of(client, run)


def test_a_producer_deletes_what_was_learned(client: Client, run: Adaptation) -> None:
    model = model_made(run)
    client.post(reverse("synthesis:model_delete", args=[model.pk]))
    assert not ActorModel.objects.exists()
    assert not ModelStill.objects.exists()
    words = words_of(client, run)
    assert "What was learned of Robin Vale is deleted." in words
    assert "Deleted" in words


def test_strangers_find_nothing_and_reviewers_only_look(
    signed_in: SignIn,
    stranger: User,
    other_producer: User,
    other_project: Project,
    reviewer: User,
    run: Adaptation,
) -> None:
    model = model_made(run)
    still = model.stills.first()
    assert still is not None
    ids = [run.project_id, run.actor_id]
    looks = [
        address(run),
        reverse("synthesis:adaptation", args=[run.id]),
        reverse("synthesis:still", args=[still.id]),
    ]
    acts = [
        reverse("synthesis:adaptation_new", args=ids),
        reverse("synthesis:footage_new", args=ids),
        reverse("synthesis:adaptation_cancel", args=[run.id]),
        reverse("synthesis:model_delete", args=[model.pk]),
    ]
    for outsider in (stranger, other_producer):
        client = signed_in(outsider)
        assert {client.get(url).status_code for url in looks} == {404}
        assert {client.post(url).status_code for url in acts} == {404}
    assert {Client().get(url).status_code for url in looks} == {302}
    client = signed_in(reviewer)
    assert {client.get(url).status_code for url in looks} == {200}
    assert client.post(acts[-1]).status_code == 403
    assert "Delete what was learned" not in words_of(client, run)
    assert ActorModel.objects.exists()


def test_an_actor_who_is_not_cast_here_has_no_page(
    signed_in: SignIn, other_producer: User, other_project: Project, grant: Grant
) -> None:
    url = reverse("synthesis:actor", args=[other_project.id, grant.actor_id])
    assert signed_in(other_producer).get(url).status_code == 404
