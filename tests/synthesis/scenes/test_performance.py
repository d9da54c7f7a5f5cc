"""The performance's downloads on the scene's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Grant
from consent.services.software import software_grant_revoke
from lipweb.models import User
from synthesis.models import Deliverable, Render, Track, TrackRender
from synthesis.performance.kept import codes_pack

SignIn = Callable[[User], Client]


@pytest.fixture
def render(deliverable: Deliverable) -> Render:
    for track in Track.objects.select_related("shot"):
        TrackRender.objects.create(
            render=deliverable.render,
            track=track,
            patches="none.mouths",
            weights_sha256="0" * 64,
            codes=codes_pack(np.ones((track.end_frame - track.first_frame, 12))),
        )
    return deliverable.render


def address(render: Render, form: str = "arkit-csv") -> str:
    return reverse("synthesis:performance", args=[render.id, form])


def test_a_producer_finds_the_downloads_beside_the_render(
    signed_in: SignIn, producer: User, render: Render
) -> None:
    client = signed_in(producer)
    scene = reverse("synthesis:scene", args=[render.dub.scene_id])
    words = client.get(scene).content.decode()
    assert "Performance for animation tools" in words
    for form in ("arkit-json", "arkit-csv", "ovr-csv", "glb"):
        assert address(render, form) in words


def test_every_shot_is_in_the_file(
    signed_in: SignIn, producer: User, render: Render
) -> None:
    response = signed_in(producer).post(address(render))
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    assert response["Cache-Control"] == "private, no-store"
    lines = response.content.decode().splitlines()
    table = [line for line in lines if not line.startswith("#")]
    assert len(table) == 1 + 50
    assert table[31].startswith("2,2,30,00:00:01:05,")


def test_a_link_alone_downloads_nothing(
    signed_in: SignIn, producer: User, render: Render
) -> None:
    assert signed_in(producer).get(address(render)).status_code == 405


def test_reviewers_and_strangers_get_nothing(
    signed_in: SignIn, reviewer: User, stranger: User, render: Render
) -> None:
    scene = reverse("synthesis:scene", args=[render.dub.scene_id])
    assert address(render) not in signed_in(reviewer).get(scene).content.decode()
    assert signed_in(reviewer).post(address(render)).status_code == 403
    assert signed_in(stranger).post(address(render)).status_code == 404


def test_after_a_withdrawal_the_page_says_why_there_is_nothing(
    signed_in: SignIn, producer: User, render: Render, grant: Grant, passkey: Any
) -> None:
    software_grant_revoke(
        grant=grant, authenticator=passkey, acting_user=grant.actor.user
    )
    refused = signed_in(producer).post(address(render))
    assert refused.status_code == 403
    assert "withdrawn" in refused.content.decode()
