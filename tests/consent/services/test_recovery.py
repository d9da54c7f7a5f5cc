"""Who lost every key comes to a new one in the open, on the house's word, and waits."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from consent import verify as offline
from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied, ConsentError, NotAllowed, SignatureRefused
from consent.models import Grant, KeyRecovery, LedgerEntry, PasskeyCredential
from consent.policy import Use, verify
from consent.services.actors import agent_name
from consent.services.passkeys import passkey_enrol_options, relying_party
from consent.services.receipts import grant_receipt, receipt_as_pdf
from consent.services.recovery import (
    recovery_compare,
    recovery_enrol,
    recovery_open,
    recovery_token,
)
from consent.services.software import software_grant_revoke, software_grant_sign
from consent.services.withdrawals import (
    grant_suspend,
    suspension_lift,
    suspension_options,
)
from consent.verdict import verify_receipt
from consent.verdict_words import sentences
from tests.consent.conftest import Cast
from tests.consent.services.test_further_passkeys import confirm, key_of
from tests.consent.services.test_retirement import retire

MakeGrant = Callable[..., Grant]
REASON = "Her telephone went into the harbour."


def opened(cast: Cast) -> KeyRecovery:
    return recovery_open(
        project=cast.project,
        actor=cast.actor,
        reason=REASON,
        acting_user=cast.producer,
    )


def enrol(cast: Cast, recovery: KeyRecovery) -> SoftwareAuthenticator:
    site = relying_party()
    device = SoftwareAuthenticator(rp_id=site.rp_id, origin=site.origin)
    options = passkey_enrol_options(holder=cast.actor, acting_user=cast.actor_user)
    recovery_enrol(
        token=recovery_token(recovery),
        response=device.create(options),
        challenge=options["challenge"],
        acting_user=cast.actor_user,
    )
    return device


def compare(cast: Cast, recovery: KeyRecovery, **changes: Any) -> KeyRecovery:
    told: dict[str, Any] = {
        "project": cast.project,
        "recovery": recovery,
        "fingerprint": PasskeyCredential.objects.get(recovery=recovery).fingerprint,
        "channel": "telephone",
        "acting_user": cast.producer,
    }
    return recovery_compare(**(told | changes))


def waited(cast: Cast, settings: Any) -> SoftwareAuthenticator:
    """A device that came by recovery and may sign anything."""
    settings.RECOVERY_WAIT_HOURS = 0
    recovery = opened(cast)
    device = enrol(cast, recovery)
    compare(cast, recovery)
    return device


def suspend_options(cast: Cast, grant: Grant) -> dict[str, Any]:
    return suspension_options(grant=grant, acting_user=cast.actor_user)


def test_the_new_key_may_withdraw_and_suspend_at_once_and_nothing_else(
    cast: Cast, sign: MakeGrant, propose: MakeGrant
) -> None:
    first, other = sign(), sign(languages=("fr",))
    device = enrol(cast, opened(cast))
    word = grant_suspend(
        grant=first,
        assertion=device.get(suspend_options(cast, first)),
        acting_user=cast.actor_user,
    )
    assert word.grant.status == "suspended"
    with pytest.raises(SignatureRefused, match="not compared"):
        suspension_lift(
            grant=first,
            assertion=device.get(suspend_options(cast, first)),
            acting_user=cast.actor_user,
        )
    software_grant_revoke(
        grant=other, authenticator=device, acting_user=cast.actor_user
    )
    with pytest.raises(SignatureRefused, match="not compared"):
        software_grant_sign(
            grant=propose(), authenticator=device, acting_user=cast.actor_user
        )
    for grant in (first, other):
        grant.refresh_from_db()
        assert verify_receipt(grant_receipt(grant=grant, acting_user=cast.producer))


def test_once_compared_it_waits_and_then_signs(
    cast: Cast,
    propose: MakeGrant,
    use: Callable[..., Use],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recovery = opened(cast)
    device = enrol(cast, recovery)
    recovery = compare(cast, recovery)
    assert recovery.grants_from
    left = recovery.grants_from - timezone.now()
    assert timedelta(hours=71) < left <= timedelta(hours=72)
    grant = propose()
    with pytest.raises(SignatureRefused, match="sign anything else from"):
        software_grant_sign(
            grant=grant, authenticator=device, acting_user=cast.actor_user
        )
    later = timezone.now() + timedelta(hours=72, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    software_grant_sign(grant=grant, authenticator=device, acting_user=cast.actor_user)
    assert verify(use()) == grant


def test_its_receipt_says_whose_word_it_stands_on(
    cast: Cast, propose: MakeGrant, settings: Any, tmp_path: Any, capsys: Any
) -> None:
    device = waited(cast, settings)
    grant = software_grant_sign(
        grant=propose(), authenticator=device, acting_user=cast.actor_user
    )
    receipt = grant_receipt(grant=grant, acting_user=cast.actor_user)
    path = tmp_path / "receipt.json"
    path.write_bytes(receipt.to_bytes())
    assert offline.main([str(path)]) == offline.BY_RECOVERY == 4
    said = capsys.readouterr().out
    assert said.startswith("HOLDS, BUT A PASSKEY CAME BY RECOVERY.")
    for words in (REASON, "by telephone", "rests on the house's word"):
        assert words in said
    assert receipt_as_pdf(receipt).startswith(b"%PDF-")


def test_an_older_key_that_turns_up_can_vouch_for_it_or_send_it_away(
    cast: Cast, propose: MakeGrant, settings: Any
) -> None:
    device = waited(cast, settings)
    confirm(cast, device, by=cast.authenticator)
    grant = software_grant_sign(
        grant=propose(), authenticator=device, acting_user=cast.actor_user
    )
    verdict = verify_receipt(grant_receipt(grant=grant, acting_user=cast.actor_user))
    assert not verdict.on_the_houses_word
    words = " ".join(sentences(verdict, timezone.now()))
    assert "came by recovery" in words
    assert "an earlier passkey of the same person confirmed it" in words
    retire(cast, device, by=cast.authenticator)
    with pytest.raises(SignatureRefused, match="retired"):
        software_grant_sign(
            grant=propose(), authenticator=device, acting_user=cast.actor_user
        )


def test_while_it_waits_it_cannot_retire_the_key_that_could_object(cast: Cast) -> None:
    recovery = opened(cast)
    device = enrol(cast, recovery)
    compare(cast, recovery)
    with pytest.raises(SignatureRefused, match="came by recovery"):
        retire(cast, cast.authenticator, by=device)
    retire(cast, device, by=cast.authenticator)


def test_a_row_changed_in_the_database_shortens_no_waiting(
    cast: Cast, propose: MakeGrant, use: Callable[..., Use]
) -> None:
    """The operator lets the key sign early; policy and verifier ask the ledger."""
    recovery = opened(cast)
    device = enrol(cast, recovery)
    compare(cast, recovery)
    KeyRecovery.objects.update(grants_from=timezone.now() - timedelta(hours=1))
    grant = software_grant_sign(
        grant=propose(), authenticator=device, acting_user=cast.actor_user
    )
    with pytest.raises(ConsentDenied, match="waiting time"):
        verify(use())
    with pytest.raises(SignatureRefused, match="waiting time"):
        verify_receipt(grant_receipt(grant=grant, acting_user=cast.actor_user))


def test_a_recovered_key_cannot_be_called_the_first(
    cast: Cast, propose: MakeGrant, use: Callable[..., Use]
) -> None:
    device = enrol(cast, opened(cast))
    key_of(cast.authenticator)
    PasskeyCredential.objects.filter(pk=key_of(device).pk).update(
        is_first=True, recovery=None
    )
    grant = software_grant_sign(
        grant=propose(), authenticator=device, acting_user=cast.actor_user
    )
    with pytest.raises(ConsentDenied, match="does not know the passkey"):
        verify(use())
    with pytest.raises(ConsentError):
        grant_receipt(grant=grant, acting_user=cast.actor_user)


def test_only_the_fingerprint_that_was_read_out_is_taken(cast: Cast) -> None:
    recovery = opened(cast)
    with pytest.raises(NotAllowed, match="no new passkey"):
        recovery_compare(
            project=cast.project,
            recovery=recovery,
            fingerprint="0000",
            channel="telephone",
            acting_user=cast.producer,
        )
    enrol(cast, recovery)
    wrong = key_of(cast.authenticator).fingerprint
    for changes in (
        {"fingerprint": wrong},
        {"fingerprint": ""},
        {"channel": "e-mail"},
        {"acting_user": cast.reviewer},
        {"acting_user": cast.actor_user},
    ):
        with pytest.raises(NotAllowed):
            compare(cast, recovery, **changes)
    own = PasskeyCredential.objects.get(recovery=recovery).fingerprint
    compare(cast, recovery, fingerprint=own.replace(" ", "").upper())
    with pytest.raises(NotAllowed):
        compare(cast, recovery)


def test_only_a_producer_opens_one_and_says_why(cast: Cast) -> None:
    for user in (cast.reviewer, cast.stranger, cast.actor_user):
        with pytest.raises(NotAllowed):
            recovery_open(
                project=cast.project, actor=cast.actor, reason=REASON, acting_user=user
            )
    with pytest.raises(NotAllowed, match="Say why"):
        recovery_open(
            project=cast.project,
            actor=cast.actor,
            reason=" lost ",
            acting_user=cast.producer,
        )
    assert not LedgerEntry.objects.filter(kind="recovery-opened").exists()


def test_a_link_works_once_for_the_actor_alone_and_not_beside_a_newer_one(
    cast: Cast,
) -> None:
    old, new = opened(cast), opened(cast)
    with pytest.raises(ConsentError, match="does not work any more"):
        enrol(cast, old)
    answer: dict[str, Any] = {"response": "{}", "challenge": "aa"}
    for user in (cast.producer, cast.stranger):
        with pytest.raises(NotAllowed):
            recovery_enrol(token=recovery_token(new), acting_user=user, **answer)
    with pytest.raises(ConsentError, match="does not work any more"):
        recovery_enrol(token="made-up", acting_user=cast.actor_user, **answer)
    enrol(cast, new)
    with pytest.raises(ConsentError, match="does not work any more"):
        enrol(cast, new)


def test_all_are_told_with_the_reason_and_only_the_actor_gets_the_link(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    agent_name(actor=cast.actor, email="agent@example.com", acting_user=cast.actor_user)
    with django_capture_on_commit_callbacks(execute=True):
        recovery = opened(cast)
    letters = {letter.to[0]: letter.body for letter in mail.outbox}
    assert sorted(letters) == [
        "agent@example.com",
        "paula@example.com",
        "robin@example.com",
    ]
    assert all(REASON in body for body in letters.values())
    linked = [to for to, body in letters.items() if re.search(r"/recovery/\S+", body)]
    assert linked == ["robin@example.com"]
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        enrol(cast, recovery)
        compare(cast, recovery)
    assert len(mail.outbox) == 6
    # A producer has to hear the fingerprint from the actor before they read it.
    own = PasskeyCredential.objects.get(recovery=recovery).fingerprint
    told = {letter.to[0] for letter in mail.outbox[:3] if own in letter.body}
    assert told == {"agent@example.com", "robin@example.com"}
    kinds = [
        entry.kind
        for entry in LedgerEntry.objects.order_by("index")
        if entry.kind.startswith(("recovery", "passkey"))
    ]
    assert kinds[-3:] == ["recovery-opened", "passkey-enrolled", "passkey-recovered"]
    assert "passkey-confirmed" not in kinds
