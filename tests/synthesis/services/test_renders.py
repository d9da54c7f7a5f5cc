"""A render is queued only on a signed grant, and ends when the grant does."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
import pytest

from consent.errors import ConsentDenied
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.models import ActorModel, Dub, Render, Scene
from synthesis.services.renders import render_cancel, render_queue
from synthesis.services.scenes import dub_create
from tests.synthesis.conftest import new_line


def queued_jobs() -> set[str]:
    queue = django_rq.get_queue("default")
    return set(queue.job_ids) | set(queue.deferred_job_registry.get_job_ids())


def queue(demo: Demo, dub: Dub, **controls: float) -> Render:
    return render_queue(dub=dub, acting_user=demo.producer, controls=controls)


@pytest.mark.django_db(transaction=True)
def test_a_render_is_one_job_a_shot_and_one_that_joins(demo: Demo, dub: Dub) -> None:
    render = queue(demo, dub)
    assert queued_jobs() == {
        f"render-{render.id}-shot-0",
        f"render-{render.id}-finish",
    }
    assert list(render.grants.all()) == [demo.grant]


def test_versions_count_up(demo: Demo, dub: Dub) -> None:
    assert [queue(demo, dub).version, queue(demo, dub).version] == [1, 2]


def test_a_language_the_grant_does_not_name_is_refused(
    demo: Demo, scene: Scene
) -> None:
    dub = dub_create(scene=scene, language="fr", acting_user=demo.producer)
    new_line(demo, dub)
    with pytest.raises(ConsentDenied, match="French"):
        queue(demo, dub)
    assert not Render.objects.exists()


def test_after_a_revocation_nothing_can_be_queued(
    demo: Demo, dub: Dub, revoke: Callable[[], None]
) -> None:
    revoke()
    with pytest.raises(ConsentDenied):
        queue(demo, dub)


def test_a_dub_in_which_nobody_speaks_cannot_be_rendered(
    demo: Demo, scene: Scene
) -> None:
    dub = dub_create(scene=scene, language="es", acting_user=demo.producer)
    with pytest.raises(NotAllowed, match="Add a line"):
        queue(demo, dub)


def test_an_actor_who_speaks_needs_a_face_in_the_scene(demo: Demo, dub: Dub) -> None:
    dub.scene.shots.get().tracks.update(actor=None)
    with pytest.raises(SynthesisError, match="Assign a face"):
        queue(demo, dub)


def test_a_scene_that_is_not_analysed_cannot_be_rendered(demo: Demo, dub: Dub) -> None:
    Scene.objects.update(state=Scene.State.ANALYSING)
    dub.refresh_from_db()
    with pytest.raises(NotAllowed, match="not analysed"):
        queue(demo, Dub.objects.get(id=dub.id))


def test_a_reviewer_cannot_queue(demo: Demo, dub: Dub, reviewer_of_demo: User) -> None:
    with pytest.raises(NotAllowed, match="Only a producer"):
        render_queue(dub=dub, acting_user=reviewer_of_demo)


@pytest.mark.parametrize(
    "controls", [{"intensity": 9.0}, {"volume": 1.0}, {"offset_frames": float("nan")}]
)
def test_a_control_out_of_range_is_refused(
    demo: Demo, dub: Dub, controls: dict[str, float]
) -> None:
    with pytest.raises(SynthesisError) as refusal:
        queue(demo, dub, **controls)
    assert refusal.value.code == "bad-control"


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_render_leaves_the_queue(demo: Demo, dub: Dub) -> None:
    render = queue(demo, dub)
    render_cancel(render=render, acting_user=demo.producer)
    render.refresh_from_db()
    assert render.state == Render.State.CANCELLED
    assert queued_jobs() == set()


@pytest.mark.django_db(transaction=True)
def test_a_revocation_empties_the_queue(
    demo: Demo, dub: Dub, revoke: Callable[[], None]
) -> None:
    render = queue(demo, dub)
    revoke()
    render.refresh_from_db()
    assert render.state == Render.State.WITHDRAWN
    assert "withdrew consent" in render.error_sentence
    assert queued_jobs() == set()


@pytest.mark.django_db(transaction=True)
def test_a_revocation_deletes_what_was_learned_of_the_actor(
    demo: Demo, revoke: Callable[[], None]
) -> None:
    model = ActorModel.objects.get(actor=demo.grant.actor)
    file, storage = model.file.name, model.file.storage
    assert storage.exists(file)
    revoke()
    assert not ActorModel.objects.exists()
    assert not storage.exists(file)
