"""The pages of passkeys, of recovery and of co-signing, as their people see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from consent.authenticator import SoftwareAuthenticator
from consent.models import Cosigner, Grant, KeyRecovery, PasskeyCredential, Status
from consent.services.cosigning import cosign_token
from consent.services.passkeys import relying_party
from consent.services.recovery import recovery_token
from consent.services.software import software_grant_sign
from lipweb.pages.inbox import inbox_of
from tests.consent.conftest import Cast
from tests.consent.services.test_cosigning import asked
from tests.consent.services.test_further_passkeys import confirm, key_of, second
from tests.consent.services.test_recovery import REASON, enrol, opened
from tests.consent.views.test_pages import as_user, words

__all__ = ["second"]


def new_device() -> SoftwareAuthenticator:
    site = relying_party()
    return SoftwareAuthenticator(rp_id=site.rp_id, origin=site.origin)


def test_a_lost_passkey_is_retired_on_the_page(
    cast: Cast, second: SoftwareAuthenticator
) -> None:
    client = as_user(cast.actor_user)
    lost = key_of(cast.authenticator)
    address = reverse("consent:passkeys")
    # Unconfirmed, the new one can be sent away, and send nothing away itself.
    shown = client.get(address)
    retirable = [own.key for own in shown.context["keys"] if own.retire_options]
    assert retirable == [key_of(second)]
    confirm(cast, second, by=cast.authenticator)
    shown = client.get(address)
    (own,) = [one for one in shown.context["keys"] if one.key == lost]
    assert "From now on nothing that it signs counts" in words(shown)
    done = client.post(
        reverse("consent:passkey_retire", args=[lost.id]),
        {"response": json.dumps(second.get(json.loads(own.retire_options)))},
        follow=True,
    )
    assert "Retired, counts no more" in words(done)
    assert PasskeyCredential.objects.get(pk=lost.pk).is_retired
    for user in (cast.producer, cast.stranger):
        page = reverse("consent:passkey_retire", args=[key_of(second).id])
        assert as_user(user).post(page).status_code == 404


def test_a_recovery_goes_from_producer_to_actor_and_back(cast: Cast) -> None:
    house, actor = as_user(cast.producer), as_user(cast.actor_user)
    page = reverse("consent:recover", args=[cast.project.id, cast.actor.id])
    assert (
        page
        in house.get(reverse("consent:actors", args=[cast.project.id])).content.decode()
    )
    assert house.post(page, {"reason": "lost"}).status_code == 422
    done = house.post(page, {"reason": REASON}, follow=True)
    assert "Waiting for the actor" in words(done)
    recovery = KeyRecovery.objects.get()

    link = reverse("consent:recovery", args=[recovery_token(recovery)])
    shown = actor.get(link)
    assert REASON in words(shown)
    assert "rests on the word of this house" in words(shown)
    device = new_device()
    answer = json.dumps(device.create(json.loads(shown.context["options"])))
    done = actor.post(link, {"response": answer}, follow=True)
    fingerprint = key_of(device).fingerprint
    assert fingerprint in words(done)
    assert "Can only withdraw and suspend" in words(done)
    assert actor.get(link).status_code == 400

    shown = house.get(page)
    assert "Compare the fingerprint" in words(shown)
    assert fingerprint not in words(shown)
    (waiting,) = [one for one in inbox_of(cast.producer) if one.word == "To compare"]
    assert waiting.link == page
    typed = {"channel": "video", "fingerprint": "0000 " * 6}
    assert house.post(page, typed).status_code == 422
    done = house.post(page, typed | {"fingerprint": fingerprint}, follow=True)
    assert "The last recovery" in words(done)
    assert "sign anything else from" in words(actor.get(reverse("consent:passkeys")))


def test_a_recovery_is_nobody_elses(cast: Cast, client: Client) -> None:
    page = reverse("consent:recover", args=[cast.project.id, cast.actor.id])
    assert as_user(cast.reviewer).get(page).status_code == 403
    assert as_user(cast.stranger).get(page).status_code == 404
    recovery = opened(cast)
    link = reverse("consent:recovery", args=[recovery_token(recovery)])
    assert client.get(link).status_code == 302
    assert as_user(cast.producer).get(link).status_code == 403
    enrol(cast, recovery)
    page = reverse("consent:passkeys")
    assert "came by recovery" in words(as_user(cast.actor_user).get(page)).lower()


def test_the_producer_names_a_cosigner_in_full_or_not_at_all(
    cast: Cast, propose: Callable[..., Grant]
) -> None:
    before = propose()
    house = as_user(cast.producer)
    page = reverse("consent:propose", args=[cast.project.id, cast.actor.id])
    initial = house.get(f"{page}?after={before.id}").context["form"].initial
    typed: dict[str, Any] = {
        name: value for name, value in initial.items() if value not in (None, False)
    }
    typed |= {"scenes_choice": "whole", "scenes": [], "cosigner_name": "Ada Agent"}
    assert house.post(page, typed).status_code == 422
    assert not Cosigner.objects.exists()
    typed |= {"cosigner_role": "agent", "cosigner_email": "robin@example.com"}
    assert house.post(page, typed).status_code == 403
    typed["cosigner_email"] = "ada@example.com"
    done = house.post(page, typed, follow=True)
    assert "has to sign these same words too" in words(done)
    grant = Grant.objects.get(cosigner__email="ada@example.com")
    assert grant.document.cosigner is not None


def test_a_cosigner_comes_reads_and_signs(cast: Cast, client: Client) -> None:
    grant = software_grant_sign(
        grant=asked(cast), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    own = reverse("consent:grant", args=[grant.id])
    assert "Nothing is allowed until Ada Agent" in words(
        as_user(cast.actor_user).get(own)
    )
    link = reverse("consent:cosign_invitation", args=[cosign_token(grant)])
    assert "Welcome, Ada Agent" in words(client.get(link))
    shown = client.post(link, {"password": "harbour-lights-52"}, follow=True)
    device = new_device()
    answer = json.dumps(device.create(json.loads(shown.context["options"])))
    client.post(reverse("consent:passkey_add"), {"response": answer}, follow=True)
    waiting = client.get("/", follow=True)
    assert waiting.redirect_chain == [(reverse("consent:cosigner_home"), 302)]
    assert "Signed, waits" in words(waiting)
    shown = client.get(own)
    assert "Withdraw" not in words(shown).replace("Withdrawn", "")
    answer = json.dumps(device.get(json.loads(shown.context["cosign_options"])))
    done = client.post(
        reverse("consent:cosign", args=[grant.id]), {"response": answer}, follow=True
    )
    assert "Co-signed. The consent holds now." in words(done)
    assert Grant.objects.get().status == Status.ACTIVE
    assert client.post(reverse("consent:revoke", args=[grant.id])).status_code == 403
    receipt = reverse("consent:receipt", args=[grant.id, "json"])
    assert client.get(receipt).status_code == 200
    # Somebody else with the link is sent to log in.
    assert Client().get(link).status_code == 302
    assert as_user(cast.stranger).get(own).status_code == 404


def test_a_question_not_yet_signed_is_hidden_from_the_cosigner(
    cast: Cast, client: Client
) -> None:
    first = software_grant_sign(
        grant=asked(cast), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    link = reverse("consent:cosign_invitation", args=[cosign_token(first)])
    client.post(link, {"password": "harbour-lights-52"})
    waiting = asked(cast, languages=("fr",))
    page = reverse("consent:grant", args=[waiting.id])
    assert client.get(page).status_code == 404
    user = Cosigner.objects.get().user
    assert user
    assert [one.word for one in inbox_of(user)] == ["To co-sign"]  # type: ignore[arg-type]
