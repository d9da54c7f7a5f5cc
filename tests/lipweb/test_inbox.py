"""What waits for whom on the start page."""

import pytest

from consent.models import Membership, Role
from lipweb.pages.inbox import inbox_of
from synthesis.models import Decision, Deliverable, Dub, Render, Scene, Shot, Track

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(project, producer) -> Scene:
    return Scene.objects.create(
        project=project,
        title="The pier",
        original_name="pier.mp4",
        file="scene/pier.mp4",
        sha256="0" * 64,
        size_bytes=1,
        state=Scene.State.READY,
        uploaded_by=producer,
    )


def render(scene: Scene, user, state: str, version: int = 1, **fields) -> Render:
    dub, _ = Dub.objects.get_or_create(
        scene=scene, language="es", defaults={"created_by": user}
    )
    return Render.objects.create(
        dub=dub, version=version, state=state, requested_by=user, **fields
    )


def deliverable(made: Render) -> Deliverable:
    return Deliverable.objects.create(
        render=made,
        file="deliverable/pier.mp4",
        sha256="1" * 64,
        size_bytes=1,
        frame_count=1,
        manifest_id="urn:c2pa:1",
        mark_id="1" * 16,
        mark_key_id="k",
        fingerprint=b"",
        render_seconds=1,
    )


def words(user) -> list[str]:
    return [thing.word for thing in inbox_of(user)]


def test_a_file_waits_for_its_reviewer_until_they_decide(scene, producer, reviewer):
    made = deliverable(render(scene, producer, Render.State.READY))
    assert words(reviewer) == ["To review"]
    assert words(producer) == []
    Decision.objects.create(
        deliverable=made,
        sha256=made.sha256,
        verdict=Decision.Verdict.APPROVED,
        reviewer=reviewer,
    )
    assert words(reviewer) == []


def test_a_reviewer_is_led_to_the_page_of_the_file(
    scene, producer, reviewer, signed_in
):
    made = deliverable(render(scene, producer, Render.State.READY))
    assert f"/deliverables/{made.id}/" in signed_in(reviewer).get("/").content.decode()


def test_withdrawn_files_wait_for_nobody(scene, producer, reviewer):
    deliverable(render(scene, producer, Render.State.WITHDRAWN))
    assert words(reviewer) == []


def test_a_failed_render_tells_its_producer_why(scene, producer):
    render(scene, producer, Render.State.FAILED, error_sentence="No face at 00:04.")
    (thing,) = inbox_of(producer)
    assert (thing.word, thing.sentence) == ("Render failed", "No face at 00:04.")


def test_a_failed_render_that_was_tried_again_no_longer_waits(scene, producer):
    render(scene, producer, Render.State.FAILED)
    render(scene, producer, Render.State.QUEUED, version=2)
    assert words(producer) == []


def test_a_face_without_actor_waits_until_it_has_one(scene, producer, actor):
    shot = Shot.objects.create(scene=scene, index=0, first_frame=0, end_frame=9)
    track = Track.objects.create(
        shot=shot, number=1, first_frame=0, end_frame=9, landmarks="track/1.npy"
    )
    assert words(producer) == ["Faces to name"]
    track.actor = actor
    track.save()
    assert words(producer) == []


def test_a_refused_scene_is_told_to_its_own_producer_only(
    scene, producer, other_producer, other_project
):
    scene.state, scene.error_sentence = Scene.State.REFUSED, "This is a text file."
    scene.save()
    assert words(producer) == ["Refused"]
    assert words(other_producer) == []


def test_a_person_who_left_the_project_sees_nothing_of_it(scene, producer):
    render(scene, producer, Render.State.FAILED)
    Membership.objects.filter(user=producer, role=Role.PRODUCER).delete()
    assert words(producer) == []


def test_an_actor_is_led_to_their_consent(actor, actor_user, signed_in):
    answer = signed_in(actor_user).get("/")
    assert answer.status_code == 302
    assert answer["Location"] == "/me/"
