"""The supervisor's page: every control by plain POST, nothing lost, nothing hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_rq
import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Actor, Grant
from lipweb.models import User
from synthesis.dials import Dials, Range
from synthesis.engines.base import OPENING, KeyPoint
from synthesis.models import (
    Deliverable,
    Dub,
    ProposedCurve,
    Render,
    Track,
    TrackRender,
)
from synthesis.reuse import curve_key

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


def place(dub: Dub) -> str:
    return reverse("synthesis:mouths", args=[dub.id])


def sent(client: Client, dub: Dub, *ranges: dict[str, Any], **fields: Any) -> Any:
    """The page's form, as a browser without scripts sends it."""
    form: dict[str, Any] = {
        "offset_frames": "0",
        "intensity": "100",
        "face": "1",
        "curve": "",
        "do": "save",
        "range-TOTAL_FORMS": len(ranges),
        "range-INITIAL_FORMS": 0,
    }
    for number, one in enumerate(ranges):
        row = {"offset_frames": "0", "intensity": "100"} | one
        form |= {f"range-{number}-{name}": value for name, value in row.items()}
    return client.post(place(dub), form | fields)


def kept(dub: Dub) -> Dials:
    dub.refresh_from_db()
    return Dials.from_json(dub.dials)


def shown(client: Client, dub: Dub, **query: Any) -> str:
    answer = client.get(place(dub), query)
    assert answer.status_code == 200
    words: str = answer.content.decode()
    return words


def test_the_page_shows_every_control_at_its_neutral_value(
    client: Client, dub: Dub
) -> None:
    words = shown(client, dub)
    assert 'name="offset_frames" value="0"' in words
    assert 'name="intensity" value="100"' in words
    assert "Face 1, Robin Vale" in words
    assert "Work it out" in words


def test_what_is_sent_is_kept_with_the_dub_and_shown_again(
    client: Client, dub: Dub
) -> None:
    answer = sent(
        client,
        dub,
        {"first": "00:00:00:05", "last": "9", "intensity": "50", "face": "1"},
        {"first": "31", "last": "40", "as_filmed": "on"},
        {"first": "", "last": ""},
        offset_frames="-1.5",
        intensity="120",
        curve="00:00:00:20, 1.5, \n22, 0.5, -1",
    )
    assert answer.status_code == 302
    dials = kept(dub)
    assert (dials.offset_frames, dials.intensity) == (-1.5, 1.2)
    assert dials.ranges == (
        Range(5, 10, 1, 0.0, 0.5),
        Range(31, 41, None, 0.0, 1.0, True),
    )
    assert KeyPoint(20, OPENING, 1.5) in dials.points[1]
    words = shown(client, dub)
    assert 'value="00:00:00:05"' in words
    assert "00:00:00:20, 1.50, " in words


def test_a_range_with_empty_time_codes_is_taken_away(client: Client, dub: Dub) -> None:
    sent(client, dub, {"first": "5", "last": "9", "intensity": "50"})
    assert len(kept(dub).ranges) == 1
    sent(client, dub, {"first": "", "last": "", "intensity": "50"})
    assert kept(dub).ranges == ()


def test_the_curve_of_a_face_that_is_not_shown_stays(client: Client, dub: Dub) -> None:
    sent(client, dub, face="1", curve="3, 1")
    sent(client, dub, face="2", curve="33, 2")
    assert set(kept(dub).points) == {1, 2}
    assert "33, 2" not in shown(client, dub)
    assert "00:00:01:08, 2.00" in shown(client, dub, face=2)


def test_another_face_is_shown_after_this_one_was_kept(
    client: Client, dub: Dub
) -> None:
    answer = sent(client, dub, curve="3, 1", do="face-2")
    assert answer["Location"].endswith("?face=2")
    assert kept(dub).points[1]


@pytest.mark.parametrize(
    ("fields", "ranges", "sentence"),
    [
        ({"offset_frames": "99"}, [], "less than or equal to 25"),
        ({"intensity": "nan"}, [], "Enter a number"),
        ({"curve": "3; 1"}, [], "Line 1 of the curve cannot be read"),
        ({"curve": "40, 1"}, [], "Face 1 is seen from frame 0 to 29"),
        ({}, [{"first": "5", "last": ""}], "needs its first and its last frame"),
        ({}, [{"first": "9", "last": "5"}], "must end after it has begun"),
        ({}, [{"first": "5", "last": "500"}], "must lie inside the scene"),
        ({}, [{"first": "x", "last": "9"}], "is no time code"),
        (
            {},
            [{"first": "1", "last": "9"}, {"first": "9", "last": "12"}],
            "Two ranges overlap at frame 9",
        ),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    client: Client,
    dub: Dub,
    fields: dict[str, str],
    ranges: list[dict[str, str]],
    sentence: str,
) -> None:
    answer = sent(client, dub, *ranges, **fields)
    words = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in words
    for typed in [*fields.values(), *(row["first"] for row in ranges)]:
        assert typed in words
    assert kept(dub) == Dials()


@pytest.mark.parametrize("tier", ["draft", "final"])
def test_keeping_and_rendering_is_one_step(
    client: Client, dub: Dub, grant: Grant, tier: str
) -> None:
    answer = sent(client, dub, offset_frames="2", do=tier)
    assert answer.status_code == 302
    render = Render.objects.get()
    assert render.tier == tier
    assert render.controls == {"offset_frames": 2.0}


def test_a_version_remembers_its_controls_whatever_is_dialled_later(
    client: Client, dub: Dub, grant: Grant
) -> None:
    sent(client, dub, {"first": "5", "last": "9", "as_filmed": "on"}, do="draft")
    Render.objects.update(state=Render.State.FAILED)
    sent(client, dub, intensity="50", do="final")
    url = reverse("synthesis:scene", args=[dub.scene_id])
    words = client.get(url).content.decode()
    assert "00:00:00:05 to 00:00:00:09: left as filmed" in words
    assert "intensity 50 %" in words
    assert ">Draft<" in words


def test_without_consent_the_dials_are_kept_but_nothing_is_rendered(
    client: Client, dub: Dub, passkey: Any
) -> None:
    answer = sent(client, dub, offset_frames="2", do="final")
    assert answer.status_code == 403
    assert kept(dub).offset_frames == 2
    assert not Render.objects.exists()


def test_only_producers_of_the_project_turn_dials(
    signed_in: SignIn, reviewer: User, stranger: User, dub: Dub
) -> None:
    assert signed_in(reviewer).get(place(dub)).status_code == 403
    assert sent(signed_in(reviewer), dub, offset_frames="2").status_code == 403
    assert signed_in(stranger).get(place(dub)).status_code == 404
    assert sent(signed_in(stranger), dub, offset_frames="2").status_code == 404
    assert kept(dub) == Dials()


def test_a_dub_in_which_no_face_speaks_says_what_to_do(
    client: Client, dub: Dub
) -> None:
    Track.objects.update(actor=None)
    assert "No mouth to move yet" in shown(client, dub)


# What the network proposes


@pytest.fixture
def heard(dub: Dub) -> ProposedCurve:
    """The proposal for face 1, as a worker stores it."""
    track = Track.objects.get(number=1)
    values = {"opening": [0.5] * 30, "width": [-0.25] * 30}
    return ProposedCurve.objects.create(
        dub=dub, track=track, values=values, key=curve_key(dub, track)
    )


def test_the_proposal_lies_behind_the_curve(
    client: Client, dub: Dub, heard: ProposedCurve
) -> None:
    words = shown(client, dub)
    assert '"width": [-0.25, ' in words
    assert "Work it out" not in words


def test_a_proposal_for_another_sound_is_not_shown(
    client: Client, dub: Dub, heard: ProposedCurve
) -> None:
    dub.lines.update(sha256="2" * 64)
    assert "Work it out" in shown(client, dub)


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_asked_for_the_proposal_and_the_page_asks_again(
    client: Client, dub: Dub, grant: Grant
) -> None:
    url = reverse("synthesis:curves_new", args=[dub.id])
    words = client.post(url, {"face": 1}, headers=HTMX).content.decode()
    assert 'hx-trigger="every 1s"' in words
    assert f"curves-{dub.id}" in django_rq.get_queue("default").job_ids
    assert client.post(url, {"face": 1}).status_code == 302


def test_without_consent_no_worker_listens(
    client: Client, dub: Dub, passkey: Any
) -> None:
    url = reverse("synthesis:curves_new", args=[dub.id])
    assert client.post(url, {"face": 1}).status_code == 403


# What is left as filmed


def test_what_stays_as_filmed_is_told_before_the_render_and_after(
    client: Client, dub: Dub, grant: Grant, deliverable: Deliverable
) -> None:
    turned = {"first_frame": 5, "end_frame": 10, "reason": "turned"}
    covered = {"first_frame": 12, "end_frame": 20, "reason": "covered"}
    Track.objects.filter(number=1).update(left_alone=[turned])
    TrackRender.objects.create(
        render=deliverable.render,
        track=Track.objects.get(number=1),
        patches="none",
        weights_sha256="0" * 64,
        left_alone=[covered],
    )
    scene = reverse("synthesis:scene", args=[dub.scene_id])
    review = reverse("synthesis:deliverable", args=[deliverable.id])
    before = client.get(scene).content.decode()
    assert "Stays as filmed in 1 range" in before
    assert "The head is turned or tilted too far." in before
    for words in (before, client.get(review).content.decode()):
        assert "Something is in front of the mouth." in words
        assert "00:00:00:12" in words
        assert "00:00:00:19" in words
    assert "The head is turned" in shown(client, dub)


# Drafts in review


def test_a_draft_is_called_one_and_cannot_be_approved(
    client: Client, signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    Render.objects.update(tier=Render.Tier.DRAFT)
    page = reverse("synthesis:deliverable", args=[deliverable.id])
    words = signed_in(reviewer).get(page).content.decode()
    assert "Draft, version 1" in words
    assert "To review" not in signed_in(reviewer).get("/").content.decode()
    assert "Approve it as it is" not in words
    verdict = {"sha256": deliverable.sha256, "verdict": "approved"}
    url = reverse("synthesis:decision_new", args=[deliverable.id])
    refused = signed_in(reviewer).post(url, verdict)
    assert refused.status_code == 403
    assert "This is a draft" in refused.content.decode()
    wish = verdict | {"verdict": "changes", "reason": "Later, please."}
    assert signed_in(reviewer).post(url, wish).status_code == 302
    download = reverse("synthesis:deliverable_download", args=[deliverable.id])
    assert client.get(download).status_code == 403


def test_an_actor_assigned_away_takes_their_curve_along(
    client: Client, dub: Dub, grant: Grant, actor: Actor
) -> None:
    sent(client, dub, face="2", curve="33, 2")
    Track.objects.filter(number=2).update(actor=None)
    assert sent(client, dub, do="final").status_code == 302
    assert Render.objects.get().controls == {}
