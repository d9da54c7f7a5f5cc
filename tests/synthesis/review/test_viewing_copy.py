"""What browsers cannot play is watched as a copy; decisions are about the file."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from consent.models import Grant, LedgerEntry
from consent.services.software import software_grant_revoke
from lipweb.models import User
from synthesis.models import Decision, Deliverable, ViewingCopy
from synthesis.services.leftovers import render_leftovers_delete, renders_sweep
from synthesis.services.verification import file_verify
from synthesis.storage import local_path
from tests.synthesis.production import video_bytes, viewing_copy_made

SignIn = Callable[[User], Client]


@pytest.fixture
def copy(deliverable: Deliverable) -> ViewingCopy:
    """The deliverable is a QuickTime file, and this is what reviewers watch."""
    stored = deliverable.file.open("rb").read()
    deliverable.file.save("file.mov", ContentFile(stored))
    deliverable.media = {"codec": "prores", "bits": 10, "pixels": "yuv422p10le"}
    deliverable.media |= {"sounds": [], "subtitles": [], "timecode": "", "not_kept": []}
    deliverable.save()
    data = video_bytes() + struct.pack(">I", 16) + b"free" + os.urandom(8)
    return viewing_copy_made(deliverable, data)


def answered(client: Client, name: str, copy: ViewingCopy) -> Any:
    return client.get(reverse(f"synthesis:{name}", args=[copy.deliverable_id]))


def test_the_player_is_given_the_copy_under_the_files_own_permissions(
    signed_in: SignIn, reviewer: User, stranger: User, copy: ViewingCopy
) -> None:
    answer = answered(signed_in(reviewer), "deliverable_file", copy)
    shown = b"".join(answer.streaming_content)
    assert hashlib.sha256(shown).hexdigest() == copy.sha256
    assert answer["Content-Type"] == "video/mp4"
    assert answer["ETag"] == f'"{copy.sha256}"'
    refused = answered(signed_in(stranger), "deliverable_file", copy)
    assert refused.status_code == 404


def test_whoever_watches_is_written_down_with_the_file_itself(
    signed_in: SignIn, reviewer: User, copy: ViewingCopy
) -> None:
    answered(signed_in(reviewer), "deliverable_file", copy)
    entry = LedgerEntry.objects.filter(kind="deliverable-opened").latest("index")
    assert entry.document["payload"]["sha256"] == copy.deliverable.sha256


def test_consent_withdrawn_closes_the_copy_too(
    signed_in: SignIn,
    reviewer: User,
    actor_user: User,
    grant: Grant,
    passkey: Any,
    copy: ViewingCopy,
) -> None:
    software_grant_revoke(grant=grant, authenticator=passkey, acting_user=actor_user)
    assert answered(signed_in(reviewer), "deliverable_file", copy).status_code == 403


def test_a_decision_is_about_the_file_and_the_file_is_what_leaves(
    signed_in: SignIn, reviewer: User, producer: User, copy: ViewingCopy
) -> None:
    client, found = signed_in(reviewer), copy.deliverable
    words = answered(client, "deliverable", copy).content.decode()
    assert "what is approved is the ProRes 422 HQ MOV file" in words
    assert found.sha256 in words
    assert copy.sha256 not in words
    url = reverse("synthesis:decision_new", args=[found.id])
    wrong = {"sha256": copy.sha256, "verdict": "approved", "reason": ""}
    client.post(url, wrong)
    assert not Decision.objects.exists()
    client.post(url, wrong | {"sha256": found.sha256})
    assert Decision.objects.get().sha256 == found.sha256
    taken = answered(signed_in(producer), "deliverable_download", copy)
    assert taken["Content-Type"] == "video/quicktime"
    assert taken["Content-Disposition"].endswith('.mov"')
    assert copy.sha256 not in taken["ETag"]


def test_a_copy_that_got_about_is_known_for_what_it_is(copy: ViewingCopy) -> None:
    with local_path(copy.file) as path:
        found = file_verify(path)
    assert found["deliverable"] == str(copy.deliverable_id)
    assert found["code"] == "ours-unchanged"


def test_a_copy_is_no_leftover_but_one_without_a_row_is(copy: ViewingCopy) -> None:
    render_id = copy.deliverable.render_id
    renders_sweep()
    render_leftovers_delete(render_id)
    assert copy.file.storage.exists(copy.file.name or "")
    name, storage = copy.file.name or "", copy.file.storage
    copy.delete()
    render_leftovers_delete(render_id)
    assert not storage.exists(name)
