"""Whoever can write the database still cannot make a grant, or widen one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from consent.authenticator import SoftwareAuthenticator
from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import ConsentDenied, SignatureRefused
from consent.models import Actor, Grant, PasskeyCredential, Project
from consent.passkeys import signing_options
from consent.policy import Use, verify
from consent.proof import grant_verify_signature, revocation_verify_signature
from consent.sentences import shown_grant
from consent.services.passkeys import document_sign
from consent.services.software import software_grant_revoke
from tests.consent.conftest import Cast
from tests.consent.services.test_ledger import unlock

MakeGrant = Callable[..., Grant]
MakeUse = Callable[..., Use]


def rewrite(grant: Grant, **columns: Any) -> Grant:
    """Change columns as somebody with the database in hand would."""
    Grant.objects.filter(pk=grant.pk).update(**columns)
    return Grant.objects.get(pk=grant.pk)


def refused(grant: Grant, use: Use) -> None:
    with pytest.raises(SignatureRefused):
        grant_verify_signature(grant)
    with pytest.raises(ConsentDenied) as denied:
        verify(use)
    assert [failure.code for failure in denied.value.failures] == ["signature"]


def widened(record: dict[str, Any]) -> dict[str, Any]:
    record = copy.deepcopy(record)
    record["scope"]["languages"].append("fr")
    return record


def test_a_signed_grant_proves_itself(sign: MakeGrant) -> None:
    grant_verify_signature(sign())


def test_an_edited_record_is_refused(sign: MakeGrant, use: MakeUse) -> None:
    grant = sign()
    refused(rewrite(grant, record=widened(grant.record)), use(language="fr"))


def test_editing_the_bytes_as_well_is_refused(sign: MakeGrant, use: MakeUse) -> None:
    grant = sign()
    record = widened(grant.record)
    changed = rewrite(grant, record=record, canonical=canonical_bytes(record))
    refused(changed, use(language="fr"))


def test_any_flipped_byte_of_the_document_is_refused(sign: MakeGrant) -> None:
    grant = sign()
    for place in range(0, len(bytes(grant.canonical)), 97):
        flipped = bytearray(bytes(grant.canonical))
        flipped[place] ^= 1
        with transaction.atomic(), pytest.raises(SignatureRefused):
            grant_verify_signature(rewrite(grant, canonical=bytes(flipped)))


@pytest.mark.parametrize(
    "column", ["authenticator_data", "client_data_json", "signature"]
)
def test_a_damaged_signature_is_refused(
    sign: MakeGrant, use: MakeUse, column: str
) -> None:
    grant = sign()
    damaged = bytes(getattr(grant, column))[:-1] + b"\x00"
    refused(rewrite(grant, **{column: damaged}), use())


@pytest.mark.parametrize(
    "column", ["canonical", "authenticator_data", "client_data_json", "signature"]
)
def test_what_held_once_is_not_believed_after_a_byte_has_changed(
    sign: MakeGrant, use: MakeUse, column: str
) -> None:
    """A signature that held is remembered, by every byte that it was computed from."""
    grant = sign()
    assert verify(use()) == verify(use()) == grant
    whole = bytes(getattr(grant, column))
    for place in {0, len(whole) // 2, len(whole) - 1}:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        refused(rewrite(grant, **{column: bytes(damaged)}), use())
    rewrite(grant, **{column: whole})
    assert verify(use()) == grant


@pytest.mark.parametrize(
    "column", ["public_key", "credential_id", "rp_id", "origin", "is_first"]
)
def test_what_held_once_is_not_believed_of_a_passkey_that_was_changed(
    cast: Cast, sign: MakeGrant, use: MakeUse, column: str
) -> None:
    grant = sign()
    assert verify(use()) == verify(use()) == grant
    kept = getattr(cast.actor.passkeys.get(), column)
    other: Any = False if kept is True else f"{kept}.example"
    if not isinstance(kept, bool | str):
        other = bytes(kept)[:-1] + bytes([bytes(kept)[-1] ^ 1])
    cast.actor.passkeys.update(**{column: other})
    refused(Grant.objects.get(pk=grant.pk), use())
    cast.actor.passkeys.update(**{column: kept})
    assert verify(use()) == grant


def test_what_held_once_is_not_believed_without_the_ledgers_word(
    sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign()
    assert verify(use()) == grant
    unlock()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM consent_ledgerentry WHERE kind = 'grant-signed'")
    refused(grant, use())


def test_another_text_in_the_place_of_the_shown_one_is_refused(
    sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign()
    refused(rewrite(grant, shown_text="You allow everything."), use())


def test_a_grant_moved_to_another_production_is_refused(
    sign: MakeGrant, use: MakeUse
) -> None:
    other = Project.objects.create(name="Other", company="Other")
    refused(rewrite(sign(), project=other), use(project_id=other.id))


def test_a_grant_moved_to_another_actor_is_refused(
    sign: MakeGrant, use: MakeUse
) -> None:
    other = Actor.objects.create(stage_name="Other", legal_name="Other")
    refused(rewrite(sign(), actor=other), use(actor_id=other.id))


def test_a_date_of_signing_is_no_signature(propose: MakeGrant, use: MakeUse) -> None:
    grant = propose()
    refused(rewrite(grant, signed_at=grant.proposed_at), use())


def test_a_signature_of_another_grant_is_refused(
    sign: MakeGrant, propose: MakeGrant, use: MakeUse
) -> None:
    signed, wide = sign(languages=("it",)), propose(languages=("es",))
    copied = rewrite(
        wide,
        credential=signed.credential,
        authenticator_data=signed.authenticator_data,
        client_data_json=signed.client_data_json,
        signature=signed.signature,
        signed_at=signed.signed_at,
    )
    with pytest.raises(SignatureRefused):
        grant_verify_signature(copied)
    with pytest.raises(ConsentDenied):
        verify(use())


def forged_key(cast: Cast) -> SoftwareAuthenticator:
    """Put a key of our own into the actor's passkeys, past the services."""
    device = SoftwareAuthenticator(
        rp_id=cast.authenticator.rp_id, origin=cast.authenticator.origin
    )
    PasskeyCredential.objects.create(
        actor=cast.actor,
        credential_id=device.credential_id,
        public_key=device.cose_key(),
        is_first=True,
        registration={},
        aaguid="",
        rp_id=device.rp_id,
        origin=device.origin,
    )
    return device


def test_a_key_that_was_slipped_in_signs_nothing(
    cast: Cast, propose: MakeGrant, use: MakeUse
) -> None:
    grant, device = propose(), forged_key(cast)
    options = signing_options(
        rp_id=device.rp_id, canonical=bytes(grant.canonical), credentials=[]
    )
    document_sign(document=grant, holder=cast.actor, response=device.get(options))
    grant.save()
    refused(grant, use())


def test_a_key_put_in_the_place_of_the_actors_signs_nothing(
    cast: Cast, propose: MakeGrant, use: MakeUse
) -> None:
    grant, device = (
        propose(),
        SoftwareAuthenticator(
            rp_id=cast.authenticator.rp_id, origin=cast.authenticator.origin
        ),
    )
    cast.actor.passkeys.update(
        public_key=device.cose_key(), credential_id=device.credential_id
    )
    options = signing_options(
        rp_id=device.rp_id, canonical=bytes(grant.canonical), credentials=[]
    )
    document_sign(document=grant, holder=cast.actor, response=device.get(options))
    grant.save()
    refused(grant, use())


def test_a_grant_signed_with_somebody_elses_passkey_is_refused(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign()
    other = Actor.objects.create(stage_name="Other", legal_name="Other")
    cast.actor.passkeys.update(actor=other)
    refused(Grant.objects.get(pk=grant.pk), use())


def test_a_signature_the_ledger_does_not_know_is_refused(
    cast: Cast, propose: MakeGrant, use: MakeUse
) -> None:
    grant = propose()
    options = signing_options(
        rp_id=cast.authenticator.rp_id,
        canonical=bytes(grant.canonical),
        credentials=[],
    )
    document_sign(
        document=grant, holder=cast.actor, response=cast.authenticator.get(options)
    )
    grant.save()
    refused(grant, use())


def test_a_record_names_the_hash_of_its_own_words(propose: MakeGrant) -> None:
    grant = propose()
    record, text = shown_grant(grant.document)
    assert record == grant.document
    assert grant.record["text"]["sha256"] == sha256_hex(text)


def test_a_revocation_proves_itself_too(cast: Cast, sign: MakeGrant) -> None:
    revocation = software_grant_revoke(
        grant=sign(), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    revocation_verify_signature(revocation)
    revocation.canonical = bytes(revocation.canonical) + b" "
    with pytest.raises(SignatureRefused):
        revocation_verify_signature(revocation)


def test_signatures_outlive_a_move_of_the_house(
    sign: MakeGrant, use: MakeUse, settings: Any
) -> None:
    grant = sign()
    settings.SITE_URL = "https://lips.example.com"
    assert verify(use()) == grant


def test_the_stored_document_keeps_its_bytes_in_this_database(
    sign: MakeGrant,
) -> None:
    grant = Grant.objects.get(pk=sign().pk)
    assert canonical_bytes(grant.record) == bytes(grant.canonical), connection.vendor
