"""The review page: what it shows, what it closes, comments, decisions, downloads."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.errors import ConsentDenied
from consent.models import Grant, LedgerEntry
from consent.services.software import software_grant_revoke
from consent.services.withdrawals import grant_suspend, suspension_options
from lipweb.models import User
from synthesis.models import Comment, Decision, Deliverable
from synthesis.provenance.container import sha256_as_signed
from synthesis.review import media

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def url(name: str, deliverable: Deliverable) -> str:
    return reverse(f"synthesis:{name}", args=[deliverable.id])


def page(client: Client, deliverable: Deliverable) -> str:
    return client.get(url("deliverable", deliverable)).content.decode()


def decide(client: Client, deliverable: Deliverable, **form: str) -> Any:
    usual = {"sha256": deliverable.sha256, "verdict": "approved", "reason": ""}
    return client.post(url("decision_new", deliverable), usual | form)


@pytest.fixture
def withdrawn(
    grant: Grant, deliverable: Deliverable, passkey: Any, actor_user: User
) -> Deliverable:
    software_grant_revoke(grant=grant, authenticator=passkey, acting_user=actor_user)
    return deliverable


def test_the_page_shows_both_pictures_and_what_the_file_stands_on(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    words = page(signed_in(reviewer), deliverable)
    assert url("deliverable_file", deliverable) in words
    scene = deliverable.render.dub.scene
    assert reverse("synthesis:scene_original", args=[scene.id]) in words
    assert deliverable.sha256 in words
    assert "Robin Vale" in words
    assert "Active" in words


def test_the_player_is_told_the_exact_rate(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    answer = signed_in(reviewer).get(url("deliverable", deliverable))
    assert answer.context["player"] == {
        "rate": [25, 1],
        "frames": 50,
        "first": 0,
        "drop": False,
        "times_s": [],
    }


def test_nothing_on_the_page_needs_an_inline_script_or_style(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    words = page(signed_in(reviewer), deliverable)
    assert "style=" not in words
    assert "<style" not in words
    assert " onclick" not in words


@pytest.mark.parametrize(
    "name", ["deliverable", "deliverable_file", "deliverable_download"]
)
def test_strangers_do_not_learn_of_a_deliverable(
    signed_in: SignIn,
    stranger: User,
    other_producer: User,
    actor_user: User,
    deliverable: Deliverable,
    name: str,
) -> None:
    for outsider in (stranger, other_producer, actor_user):
        answer = signed_in(outsider).get(url(name, deliverable))
        assert answer.status_code == 404
    assert Client().get(url(name, deliverable)).status_code == 302


def test_the_file_is_watched_in_ranges_and_never_cached(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    client = signed_in(reviewer)
    answer = client.get(
        url("deliverable_file", deliverable), headers={"Range": "bytes=4-7"}
    )
    assert answer.status_code == 206
    assert b"".join(answer.streaming_content) == b"ftyp"
    assert answer["ETag"] == f'"{deliverable.sha256}"'
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Type"] == "video/mp4"


def test_watching_is_written_down_once_an_hour_not_once_a_range(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    client = signed_in(reviewer)
    for _ in range(3):
        client.get(url("deliverable_file", deliverable), headers={"Range": "bytes=0-9"})
    opened = LedgerEntry.objects.filter(kind="deliverable-opened")
    assert opened.count() == 1


# What is closed


def test_after_a_withdrawal_the_page_says_so_and_shows_no_picture(
    signed_in: SignIn, reviewer: User, withdrawn: Deliverable
) -> None:
    words = page(signed_in(reviewer), withdrawn)
    assert "This file is closed" in words
    assert "has withdrawn this grant" in words
    assert "<video" not in words
    assert url("comment_new", withdrawn) not in words
    assert url("decision_new", withdrawn) not in words


def test_a_withdrawn_file_is_refused_to_player_and_download(
    signed_in: SignIn,
    reviewer: User,
    producer: User,
    deliverable: Deliverable,
    grant: Grant,
    passkey: Any,
    actor_user: User,
) -> None:
    decide(signed_in(reviewer), deliverable)
    client = signed_in(producer)
    assert client.get(url("deliverable_download", deliverable)).status_code == 200
    software_grant_revoke(grant=grant, authenticator=passkey, acting_user=actor_user)
    for name in ("deliverable_file", "deliverable_download"):
        refused = client.get(url(name, deliverable))
        assert refused.status_code == 403
        assert "has withdrawn this grant" in refused.content.decode()


def test_a_withdrawn_file_takes_no_decision(
    signed_in: SignIn, reviewer: User, withdrawn: Deliverable
) -> None:
    assert decide(signed_in(reviewer), withdrawn).status_code == 403
    assert not Decision.objects.exists()


# Comments


def test_a_comment_stands_on_its_frame(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    client = signed_in(reviewer)
    form = {"frame": "42", "text": "The B never closes.\n<i>Look</i> at the lip."}
    answer = client.post(url("comment_new", deliverable), form)
    assert answer["Location"] == url("deliverable", deliverable) + "?frame=42#comments"
    comment = Comment.objects.get()
    assert (comment.frame, comment.author) == (42, reviewer)
    words = page(client, deliverable)
    assert "00:00:01:17" in words
    assert "&lt;i&gt;Look&lt;/i&gt;" in words


def test_by_htmx_the_list_and_the_marks_come_back(
    signed_in: SignIn, producer: User, deliverable: Deliverable
) -> None:
    form = {"frame": "7", "text": "Good."}
    answer = signed_in(producer).post(
        url("comment_new", deliverable), form, headers=HTMX
    )
    words = answer.content.decode()
    assert 'id="comments"' in words
    assert 'id="marks"' in words
    assert 'd="M7 0v8"' in words


@pytest.mark.parametrize(
    "form",
    [
        {"frame": "50", "text": "Past the end."},
        {"frame": "-1", "text": "Before the start."},
        {"frame": "1.5", "text": "Between."},
        {"frame": "", "text": "Nowhere."},
        {"frame": "3", "text": "   "},
        {"frame": "3", "text": "x" * 4001},
    ],
)
def test_a_comment_needs_words_and_a_frame_that_exists(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable, form: dict[str, str]
) -> None:
    answer = signed_in(reviewer).post(url("comment_new", deliverable), form)
    assert answer.status_code == 400
    assert not Comment.objects.exists()


@pytest.mark.parametrize("act", ["revoke", "suspend"])
@pytest.mark.parametrize("name", ["deliverable_file", "deliverable_download"])
def test_a_withdrawal_breaks_off_what_is_going_out(
    signed_in: SignIn,
    producer: User,
    reviewer: User,
    deliverable: Deliverable,
    grant: Grant,
    passkey: Any,
    name: str,
    act: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(media, "ASK_EVERY_S", 0.0)
    decide(signed_in(reviewer), deliverable)
    client = signed_in(producer)
    running = iter(client.get(url(name, deliverable)).streaming_content)
    assert len(next(running)) == len(next(running)) == 1000
    if act == "revoke":
        software_grant_revoke(
            grant=grant, authenticator=passkey, acting_user=grant.actor.user
        )
    else:
        options = suspension_options(grant=grant, acting_user=grant.actor.user)
        grant_suspend(
            grant=grant,
            assertion=passkey.get(options),
            acting_user=grant.actor.user,
        )
    with pytest.raises(ConsentDenied):
        next(running)
    assert client.get(url(name, deliverable)).status_code == 403


# Decisions and downloads


def test_only_an_approved_file_can_be_downloaded(
    signed_in: SignIn, reviewer: User, producer: User, deliverable: Deliverable
) -> None:
    client = signed_in(producer)
    assert url("deliverable_download", deliverable) not in page(client, deliverable)
    refused = client.get(url("deliverable_download", deliverable))
    assert refused.status_code == 403
    assert "not been approved" in refused.content.decode()

    decide(signed_in(reviewer), deliverable)
    assert url("deliverable_download", deliverable) in page(client, deliverable)
    answer = client.get(url("deliverable_download", deliverable))
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="the-pier_es_v1.mp4"'
    body = b"".join(answer.streaming_content)
    with deliverable.file.open() as kept:
        assert len(body) > len(kept.read())  # the release was added to its credential
    assert sha256_as_signed(io.BytesIO(body))[0] == deliverable.sha256


def test_a_reviewer_watches_but_does_not_take_the_file_away(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    client = signed_in(reviewer)
    decide(client, deliverable)
    assert client.get(url("deliverable_download", deliverable)).status_code == 403
    assert url("deliverable_download", deliverable) not in page(client, deliverable)


def test_changes_wanted_take_the_approval_back_and_need_a_reason(
    signed_in: SignIn, reviewer: User, producer: User, deliverable: Deliverable
) -> None:
    client = signed_in(reviewer)
    decide(client, deliverable)
    assert decide(client, deliverable, verdict="changes").status_code == 400
    decide(client, deliverable, verdict="changes", reason="Close the B.")
    assert "Changes wanted" in page(client, deliverable)
    assert "Close the B." in page(client, deliverable)
    refused = signed_in(producer).get(url("deliverable_download", deliverable))
    assert refused.status_code == 403


def test_a_decision_on_other_bytes_than_shown_does_not_count(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    answer = decide(signed_in(reviewer), deliverable, sha256="0" * 64)
    assert answer.status_code == 400
    assert "Load the page again" in answer.content.decode()
    assert not Decision.objects.exists()


def test_by_htmx_the_decision_comes_back_with_the_new_standing(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    form = {"sha256": deliverable.sha256, "verdict": "approved"}
    answer = signed_in(reviewer).post(
        url("decision_new", deliverable), form, headers=HTMX
    )
    words = answer.content.decode()
    assert 'id="decision"' in words
    assert 'id="standing"' in words
    assert "Approved" in words


def test_only_reviewers_decide(
    signed_in: SignIn, producer: User, stranger: User, deliverable: Deliverable
) -> None:
    assert decide(signed_in(producer), deliverable).status_code == 403
    assert decide(signed_in(stranger), deliverable).status_code == 404
    assert url("decision_new", deliverable) not in page(
        signed_in(producer), deliverable
    )
    assert not Decision.objects.exists()
