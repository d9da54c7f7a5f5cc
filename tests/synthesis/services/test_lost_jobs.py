"""Work whose job is gone for good is given up in words; it can be tried again."""

from __future__ import annotations

from datetime import timedelta

import django_rq
import pytest
from django.utils import timezone

from lipweb.demo_production import Demo
from synthesis.models import Dub, Render, Scene
from synthesis.services.renders import render_look_after, render_queue
from synthesis.services.scenes import scene_analyse_again, scene_look_after

pytestmark = pytest.mark.django_db(transaction=True)


def long_ago() -> object:
    return timezone.now() - timedelta(minutes=5)


@pytest.fixture
def old_render(demo: Demo, dub: Dub) -> Render:
    render = render_queue(dub=dub, acting_user=demo.producer)
    Render.objects.update(requested_at=long_ago())
    render.refresh_from_db()
    return render


def test_a_render_that_waits_in_the_queue_is_left_alone(old_render: Render) -> None:
    render_look_after(old_render)
    assert old_render.state == Render.State.QUEUED


def test_a_render_is_failed_when_the_queue_has_forgotten_it(
    old_render: Render,
) -> None:
    django_rq.get_connection("default").flushdb()
    render_look_after(old_render)
    assert old_render.state == Render.State.FAILED
    assert "Render again" in old_render.error_sentence


def test_a_render_just_asked_for_is_not_yet_missed(demo: Demo, dub: Dub) -> None:
    render = render_queue(dub=dub, acting_user=demo.producer)
    django_rq.get_connection("default").flushdb()
    render_look_after(render)
    assert render.state == Render.State.QUEUED


def test_an_analysis_is_given_up_when_its_job_is_gone_and_can_be_asked_again(
    demo: Demo, scene: Scene
) -> None:
    Scene.objects.update(state=Scene.State.ANALYSING, uploaded_at=long_ago())
    scene.refresh_from_db()
    scene_look_after(scene)
    assert scene.state == Scene.State.REFUSED
    assert scene.error_code == "worker-lost"
    scene_analyse_again(scene=scene, acting_user=demo.producer)
    scene_look_after(scene)
    assert scene.state == Scene.State.ANALYSING
