"""An actor takes away all that is kept about them; nobody else does."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from consent.authenticator import SoftwareAuthenticator
from consent.errors import NotAllowed
from consent.models import Grant, LedgerEntry, Notice
from consent.receipt import Receipt
from consent.services.export import export_make
from consent.services.grants import grant_decline
from consent.services.ledger import entries_about, ledger_append
from consent.services.software import software_grant_revoke
from consent.verdict import verify_receipt
from tests.consent.conftest import Cast
from tests.consent.services.test_cosigning import Beside, beside, cosign
from tests.consent.services.test_further_passkeys import confirm, second
from tests.consent.services.test_recovery import opened
from tests.consent.services.test_retirement import retire

__all__ = ["beside", "second"]

MakeGrant = Callable[..., Grant]


def exported(cast: Cast) -> zipfile.ZipFile:
    blocks = export_make(actor=cast.actor, acting_user=cast.actor_user)
    return zipfile.ZipFile(io.BytesIO(b"".join(blocks)))


def read(archive: zipfile.ZipFile, name: str) -> Any:
    return json.loads(archive.read(name))


def test_everything_asked_and_signed_is_in_it(
    cast: Cast, sign: MakeGrant, propose: MakeGrant
) -> None:
    signed, declined = sign(), propose()
    grant_decline(grant=declined, acting_user=cast.actor_user, reason="Not this.")
    archive = exported(cast)
    folder = f"consents/{signed.id}"
    assert archive.read(f"{folder}/record.json") == bytes(signed.canonical)
    assert archive.read(f"{folder}/words.txt").decode() == signed.shown_text
    answer = read(archive, f"{folder}/answer.json")
    assert answer["status"] == "active"
    assert answer["signature"]["passkey"] == str(signed.credential_id)
    no = read(archive, f"consents/{declined.id}/answer.json")
    assert (no["reason"], no["signature"]) == ("Not this.", {})
    person = read(archive, "person.json")
    assert person["legal_name"] == "Robin Valentine"
    assert person["login"]["email"] == cast.actor_user.email
    words = [event["word"] for event in read(archive, "history.json")]
    assert {"Asked", "Signed", "Declined"} <= set(words)
    assert "Everything that is kept here about Robin Vale" in (
        archive.read("README.txt").decode()
    )


def test_its_receipts_prove_themselves(cast: Cast, sign: MakeGrant) -> None:
    grant = sign()
    software_grant_revoke(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    archive = exported(cast)
    receipt = archive.read(f"receipts/consent-{grant.id}.json")
    (proven,) = verify_receipt(Receipt.from_bytes(receipt)).grants
    assert proven.withdrawn
    assert archive.read(f"receipts/consent-{grant.id}.pdf").startswith(b"%PDF")


def test_how_each_passkey_came_and_went_is_in_it(
    cast: Cast, second: SoftwareAuthenticator
) -> None:
    confirm(cast, second, by=cast.authenticator)
    word = retire(cast, cast.authenticator, by=second)
    recovery = opened(cast)
    person = read(exported(cast), "person.json")
    lost, kept = person["passkeys"]
    assert (lost["may_sign"], kept["may_sign"]) == (False, True)
    assert lost["retired"]["document"] == bytes(word.canonical).decode()
    assert kept["confirmed"]["passkey"] == lost["id"]
    assert [one["reason"] for one in person["recoveries"]] == [recovery.reason]


def test_who_signed_beside_the_actor_is_in_it(cast: Cast, beside: Beside) -> None:
    cosign(beside)
    archive = exported(cast)
    told = read(archive, f"consents/{beside.grant.id}/answer.json")["cosignature"]
    assert (told["name"], told["role"]) == ("Ada Agent", "agent")
    assert told["document"] == bytes(beside.grant.canonical).decode()
    words = [event["word"] for event in read(archive, "history.json")]
    assert words[1:3] == ["Co-signed", "Signed"]


def test_every_entry_of_the_log_about_them_is_in_it_and_no_other(
    cast: Cast, sign: MakeGrant
) -> None:
    ledger_append(kind="test", payload={}, acting_user=None, subject="somebody else")
    grant = sign()
    log = read(exported(cast), "log.json")
    kinds = [entry["kind"] for entry in log]
    assert {"grant-proposed", "grant-signed", "passkey-enrolled"} <= set(kinds)
    assert "test" not in kinds
    assert kinds[-1] == "data-exported"
    assert [entry["index"] for entry in log] == sorted(e["index"] for e in log)
    about = [entry for entry in log if entry["subject"] == str(grant.id)]
    assert len(about) == LedgerEntry.objects.about(str(grant.id)).count()


def test_only_the_actor_takes_it_and_is_told_that_it_was_taken(cast: Cast) -> None:
    for user in (cast.producer, cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            export_make(actor=cast.actor, acting_user=user)
    assert not LedgerEntry.objects.filter(kind="data-exported").exists()
    export_make(actor=cast.actor, acting_user=cast.actor_user)
    # Written down although not one byte was read yet.
    assert LedgerEntry.objects.filter(kind="data-exported").count() == 1
    notice = Notice.objects.get(kind="own-exported")
    assert (notice.user, notice.mail) == (cast.actor_user, Notice.Mail.AT_ONCE)


def test_entries_come_in_order_however_many_are_asked_for(cast: Cast) -> None:
    for number in range(6):
        ledger_append(
            kind="test", payload={}, acting_user=None, subject=f"s{5 - number}"
        )
    found = list(entries_about(f"s{number % 6}" for number in range(900)))
    assert [entry.subject for entry in found] == ["s5", "s4", "s3", "s2", "s1", "s0"]
