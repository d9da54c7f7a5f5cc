"""Passkeys, recovery and co-signing for people who read German."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.authenticator import SoftwareAuthenticator
from consent.models import Cosigner, Grant, PasskeyRetirement
from consent.services.cosigning import cosign_token
from consent.services.receipts import grant_receipt
from consent.services.recovery import recovery_token
from consent.services.software import software_passkey_enrol
from consent.tongue import tongue_of
from consent.verdict import Verdict, verify_receipt
from consent.verdict_words import key_lines
from tests.consent.conftest import Cast
from tests.consent.services.test_cosigning import asked
from tests.consent.services.test_further_passkeys import confirm, key_of, second
from tests.consent.services.test_recovery import REASON, enrol, opened
from tests.consent.views.test_german_pages import ENGLISH, german, signed, spoken
from tests.consent.views.test_key_pages import new_device
from tests.consent.views.test_pages import grant_page, words

__all__ = ["german", "second"]

MakeGrant = Callable[..., Grant]


def verdict_of(cast: Cast, grant: Grant) -> Verdict:
    receipt = grant_receipt(grant=grant, acting_user=cast.actor_user)
    return verify_receipt(receipt)


def said_of_keys(verdict: Verdict) -> str:
    """What the German PDF says of the receipt's keys, without the typed reason."""
    lines = [line for key in verdict.keys for line in key_lines(key, tongue_of("de"))]
    return " ".join(lines).replace(REASON, "")


def test_a_passkey_is_retired_by_german_words(
    cast: Cast, german: Client, second: SoftwareAuthenticator, propose: MakeGrant
) -> None:
    grant = propose()
    signed(cast, german, grant)
    confirm(cast, second, by=cast.authenticator)
    page = german.get(reverse("consent:passkeys"))
    assert ENGLISH.findall(spoken(page)) == []
    assert "Was er vorher unterschrieben hat, bleibt, wie es ist" in words(page)
    lost = key_of(cast.authenticator)
    (own,) = [one for one in page.context["keys"] if one.key == lost]
    answer = json.dumps(second.get(json.loads(own.retire_options)))
    address = reverse("consent:passkey_retire", args=[lost.id])
    # The answer is one to the German words, and does not pass for the English.
    refused = german.post(address, {"response": answer, "locale": "en"})
    assert refused.status_code == 400 and not PasskeyRetirement.objects.exists()
    done = german.post(address, {"response": answer, "locale": "de"}, follow=True)
    assert "Stillgelegt. Nichts, was er ab jetzt unterschreibt, zählt." in words(done)
    kept = PasskeyRetirement.objects.get()
    assert json.loads(bytes(kept.canonical))["text"]["locale"] == "de"
    verdict = verdict_of(cast, Grant.objects.get())
    assert not [one for one in verdict.remarks if "does not know" in one]
    assert ENGLISH.findall(said_of_keys(verdict)) == []
    assert german.get(f"/grants/{grant.id}/receipt.pdf").status_code == 200


def test_a_recovery_is_german_from_the_letter_to_the_receipt(
    cast: Cast,
    german: Client,
    propose: MakeGrant,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    grant = propose()
    signed(cast, german, grant)
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        recovery = opened(cast)
    own, house = (
        next(one for one in mail.outbox if one.to == [user.email])
        for user in (cast.actor_user, cast.producer)
    )
    assert ENGLISH.findall(str(own.body).replace(REASON, "")) == []
    assert own.subject == "Ein neuer Passkey für Robin Vale"
    assert "has lost every passkey" in house.body, "each in their own language"
    page = german.get(reverse("consent:recovery", args=[recovery_token(recovery)]))
    assert ENGLISH.findall(spoken(page).replace(REASON, "")) == []
    device = enrol(cast, recovery)
    page = german.get(reverse("consent:passkeys"))
    assert ENGLISH.findall(spoken(page)) == []
    options = german.get(grant_page(grant)).context["revoke_options"]
    answer = json.dumps(device.get(json.loads(options)))
    german.post(f"/grants/{grant.id}/revoke/", {"response": answer, "locale": "de"})
    verdict = verdict_of(cast, Grant.objects.get())
    assert verdict.on_the_houses_word
    assert "entstand durch Wiederherstellung" in said_of_keys(verdict)
    assert ENGLISH.findall(said_of_keys(verdict)) == []


def test_a_cosigner_reads_german_and_signs_what_the_actor_signed(
    cast: Cast, german: Client
) -> None:
    grant = asked(cast)
    signed(cast, german, grant)
    page = german.get(grant_page(grant))
    assert "Nichts ist erlaubt, bis Ada Agent" in spoken(page)
    assert ENGLISH.findall(spoken(page)) == []
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    link = reverse("consent:cosign_invitation", args=[cosign_token(grant)])
    assert ENGLISH.findall(spoken(client.get(link))) == []
    client.post(link, {"password": "harbour-lights-52"})
    cosigner = Cosigner.objects.get()
    assert cosigner.user is not None and cosigner.user.language == "de"
    device = software_passkey_enrol(actor=cosigner, acting_user=cosigner.user)
    for address in (reverse("consent:cosigner_home"), grant_page(grant)):
        page = client.get(address)
        assert ENGLISH.findall(spoken(page)) == [], address
    answer = json.dumps(device.get(json.loads(page.context["cosign_options"])))
    address = reverse("consent:cosign", args=[grant.id])
    done = client.post(address, {"response": answer, "locale": "de"}, follow=True)
    assert "Mitunterschrieben. Die Einwilligung gilt jetzt." in spoken(done)
    verdict = verdict_of(cast, Grant.objects.get())
    assert verdict.grants[0].cosigned is not None
    assert client.get(f"/grants/{grant.id}/receipt.pdf").status_code == 200


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_device_is_added_in_either_language(
    cast: Cast, german: Client, language: str
) -> None:
    german.post("/language/", {"language": language})
    page = german.get(reverse("consent:passkeys"))
    answer = json.dumps(new_device().create(json.loads(page.context["options"])))
    address = reverse("consent:passkey_add")
    done = german.post(address, {"response": answer, "locale": language}, follow=True)
    assert bool(ENGLISH.findall(spoken(done))) == (language == "en")
    assert cast.actor.passkeys.count() == 2
