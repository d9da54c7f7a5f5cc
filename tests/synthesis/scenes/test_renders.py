"""Asking for renders, watching and cancelling them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Grant
from consent.services.software import software_grant_revoke
from consent.services.withdrawals import grant_suspend, suspension_options
from lipweb.models import User
from synthesis.models import Deliverable, Dub, Render, Track

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


@pytest.fixture
def live(dub: Dub, grant: Grant, producer: User) -> Render:
    progress = {
        "stage": "Moving the lips",
        "shot": 2,
        "shots": 3,
        "frame": 61,
        "frames": 153,
        "fps": 7.4,
        "eta_s": 93.0,
    }
    render = Render.objects.create(
        dub=dub,
        version=1,
        state=Render.State.RUNNING,
        progress=progress,
        requested_by=producer,
    )
    render.grants.add(grant)
    return render


def scene_page(client: Client, dub: Dub) -> str:
    url = reverse("synthesis:scene", args=[dub.scene_id])
    return client.get(url).content.decode()


def ask(client: Client, dub: Dub, **headers: Any) -> Any:
    url = reverse("synthesis:render_new", args=[dub.id])
    return client.post(url, headers=headers)


def test_a_dub_that_lacks_nothing_is_rendered_on_request(
    client: Client, dub: Dub, grant: Grant
) -> None:
    assert "consent stands" in scene_page(client, dub)
    assert ask(client, dub).status_code == 302
    render = Render.objects.get()
    assert (render.version, render.state) == (1, Render.State.QUEUED)
    assert list(render.grants.all()) == [grant]


def test_by_htmx_the_scene_comes_back_with_its_render_and_holds_still(
    client: Client, dub: Dub, grant: Grant
) -> None:
    words = ask(client, dub, **HTMX).content.decode()
    render = Render.objects.get()
    assert f'id="render-{render.id}"' in words
    assert "Queued" in words
    assert "stay as they are until it has ended" in words
    assert reverse("synthesis:line_new", args=[dub.id]) not in words
    # Two faces, the render buttons, and a format that is nothing for so small a scene.
    assert words.count("disabled") == 5


def test_what_is_missing_is_said_with_the_way_to_it(
    client: Client, dub: Dub, passkey: Any
) -> None:
    Track.objects.update(actor=None)
    words = scene_page(client, dub)
    assert "No face in the scene is assigned to Robin Vale yet." in words
    assert "Robin Vale has signed no grant" in words
    assert reverse("consent:actors", args=[dub.scene.project_id]) in words
    assert reverse("synthesis:render_new", args=[dub.id]) not in words


def test_without_consent_nothing_is_queued(
    client: Client, dub: Dub, passkey: Any
) -> None:
    refused = ask(client, dub)
    assert refused.status_code == 403
    assert "signed no grant" in refused.content.decode()
    assert not Render.objects.exists()


def test_a_language_that_consent_leaves_out_is_named(
    client: Client, dub: Dub, grant: Grant
) -> None:
    Dub.objects.update(language="fr")
    assert "does not cover French" in scene_page(client, dub)


def test_progress_is_told_in_full_and_asked_again(client: Client, live: Render) -> None:
    url = reverse("synthesis:render", args=[live.id])
    answer = client.get(url, headers=HTMX)
    words = answer.content.decode()
    for part in ("Moving the lips", "shot 2 of 3", "frame 61 of 153", "7.4 frames/s"):
        assert part in words
    assert "about 1 min 33 s left" in words
    assert 'hx-trigger="every 1s"' in words
    assert "HX-Trigger" not in answer


def test_a_render_that_has_ended_stops_the_asking_and_wakes_its_scene(
    client: Client, live: Render
) -> None:
    Render.objects.update(
        state=Render.State.FAILED, error_sentence="The disk is full. Make room."
    )
    answer = client.get(reverse("synthesis:render", args=[live.id]), headers=HTMX)
    words = answer.content.decode()
    assert "hx-trigger" not in words
    assert "The disk is full. Make room." in words
    assert answer["HX-Trigger"] == "render-ended"
    assert 'hx-trigger="render-ended"' in scene_page(client, live.dub)
    assert "Render a new version" in scene_page(client, live.dub)


def test_a_running_render_is_cancelled(client: Client, live: Render) -> None:
    client.post(reverse("synthesis:render_cancel", args=[live.id]), headers=HTMX)
    live.refresh_from_db()
    assert live.state == Render.State.CANCELLED


def test_a_withdrawal_is_shown_and_closes_the_way_to_another(
    client: Client,
    live: Render,
    grant: Grant,
    passkey: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        software_grant_revoke(
            grant=grant, authenticator=passkey, acting_user=grant.actor.user
        )
    words = scene_page(client, live.dub)
    assert "Consent withdrawn" in words
    assert "has withdrawn this grant" in words
    assert ask(client, live.dub).status_code == 403


def test_a_render_that_a_suspension_stopped_is_not_called_withdrawn(
    client: Client,
    live: Render,
    grant: Grant,
    passkey: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    user = grant.actor.user
    assert user
    options = suspension_options(grant=grant, acting_user=user)
    with django_capture_on_commit_callbacks(execute=True):
        grant_suspend(grant=grant, assertion=passkey.get(options), acting_user=user)
    words = scene_page(client, live.dub)
    assert "Consent suspended" in words
    assert "Consent withdrawn" not in words


def test_a_finished_render_leads_to_its_review(
    client: Client, deliverable: Deliverable
) -> None:
    words = scene_page(client, deliverable.render.dub)
    assert reverse("synthesis:deliverable", args=[deliverable.id]) in words


def test_only_producers_render_and_only_members_watch(
    signed_in: SignIn, reviewer: User, stranger: User, live: Render
) -> None:
    progress = reverse("synthesis:render", args=[live.id])
    cancel = reverse("synthesis:render_cancel", args=[live.id])
    assert ask(signed_in(reviewer), live.dub).status_code == 403
    assert ask(signed_in(stranger), live.dub).status_code == 404
    assert signed_in(reviewer).get(progress).status_code == 200
    assert cancel not in signed_in(reviewer).get(progress).content.decode()
    assert signed_in(reviewer).post(cancel).status_code == 403
    assert signed_in(stranger).post(cancel).status_code == 404
    assert signed_in(stranger).get(progress).status_code == 404
    live.refresh_from_db()
    assert live.state == Render.State.RUNNING
