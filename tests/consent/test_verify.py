"""A receipt proves itself to a stranger, and nothing but what was signed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from consent import merkle
from consent.authenticator import SoftwareAuthenticator
from consent.canonical import canonical_bytes, sha256_hex
from consent.checkpoint import LedgerSigner, checkpoint_sign, verify_checkpoint
from consent.encoding import base64_text
from consent.errors import ConsentError, LedgerBroken, RecordRefused, SignatureRefused
from consent.models import Cosigner, Grant
from consent.passkeys import Assertion, signing_options
from consent.receipt import EntryPart, KeyPart, Receipt
from consent.record import GrantRecord
from consent.sentences import shown_grant
from consent.services.checkpoints import checkpoint_make, ledger_signer
from consent.services.cosigning import (
    cosigner_join,
    grant_cosign,
    grant_cosign_options,
)
from consent.services.ledger import ledger_append, ledger_consistency_proof
from consent.services.mandates import mandate_record
from consent.services.outputs import output_approve, output_approve_options
from consent.services.passkeys import document_sign, signature_payload
from consent.services.receipts import grant_receipt
from consent.services.software import (
    software_grant_revoke,
    software_grant_sign,
    software_passkey_enrol,
)
from consent.services.withdrawals import (
    grant_suspend,
    suspension_lift,
    suspension_options,
)
from consent.verdict import verify_receipt
from consent.verify import main
from tests.conftest import REPOSITORY
from tests.consent.conftest import Cast
from tests.consent.services.test_cosigning import asked
from tests.consent.services.test_further_passkeys import confirm
from tests.consent.services.test_retirement import retire

MakeGrant = Callable[..., Grant]


@pytest.fixture
def grant(sign: MakeGrant) -> Grant:
    return sign()


@pytest.fixture
def receipt(cast: Cast, grant: Grant) -> Receipt:
    return grant_receipt(grant=grant, acting_user=cast.actor_user)


@pytest.fixture
def revoked(cast: Cast, grant: Grant) -> Receipt:
    software_grant_revoke(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    return grant_receipt(grant=grant, acting_user=cast.actor_user)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """run(content, *options) is the command's exit code and what it printed."""

    def command(content: bytes, *options: str) -> tuple[int, str]:
        path = tmp_path / "receipt.json"
        path.write_bytes(content)
        code = main([str(path), *options])
        return code, capsys.readouterr().out

    return command


def code_of(content: bytes) -> int:
    """The exit code, without the file in between."""
    try:
        verify_receipt(Receipt.from_bytes(content))
    except ConsentError:
        return 1
    return 0


# What holds


def test_a_receipt_holds(receipt: Receipt, run: Any) -> None:
    code, words = run(receipt.to_bytes())
    assert code == 0, words
    assert words.startswith("HOLDS.\n")
    assert "Robin Valentine (Robin Vale) signed" in words
    assert "“Harbour Lights” by Meridian" in words
    assert "It is in force at" in words
    assert "A software key signed, no person's device." in words
    assert ledger_signer().key.text in words


def test_it_is_checked_without_django_network_or_database(
    receipt: Receipt, tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(receipt.to_bytes())
    script = (
        "import socket, sqlite3, sys\n"
        "def never(*a, **k): raise SystemExit('touched what it must not')\n"
        "socket.socket = sqlite3.connect = never\n"
        "from consent.verify import main\n"
        f"code = main([{str(path)!r}])\n"
        "met = [n for n in sys.modules if n.split('.')[0] in "
        "('django', 'psycopg', 'redis')]\n"
        "sys.exit(f'imported {met}' if met else code)\n"
    )
    # No settings, no data folder: as on a stranger's machine.
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("HOLDS.")


def test_a_withdrawn_consent_says_so(revoked: Receipt, run: Any) -> None:
    code, words = run(revoked.to_bytes())
    assert code == 3, words
    assert words.startswith("HOLDS, BUT IS NOT IN FORCE.")
    assert "It was withdrawn on" in words


def test_before_it_was_withdrawn_it_was_in_force(revoked: Receipt, run: Any) -> None:
    code, words = run(revoked.to_bytes(), "--at", "2026-02-01T00:00Z")
    assert (code, "It is in force" in words) == (0, True)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (timedelta(0), 3, "Its time is over"),
        (-timedelta(minutes=1), 0, "It is in force"),
        (-timedelta(days=10_000), 3, "Its time has not begun"),
    ],
)
def test_the_clock_decides_to_the_second(
    receipt: Receipt, grant: Grant, run: Any, change: timedelta, code: int, words: str
) -> None:
    at = grant.document.terms.ends_at + change
    given, said = run(receipt.to_bytes(), "--at", at.isoformat())
    assert (given, words in said) == (code, True), said


def test_a_moment_may_be_said_in_any_time_zone(
    receipt: Receipt, grant: Grant, run: Any
) -> None:
    ends = grant.document.terms.ends_at.replace(tzinfo=None)
    assert run(receipt.to_bytes(), "--at", f"{ends.isoformat()}+01:00")[0] == 0
    assert run(receipt.to_bytes(), "--at", f"{ends.isoformat()}-01:00")[0] == 3
    assert run(receipt.to_bytes(), "--at", ends.isoformat())[0] == 3


# Bytes


@pytest.fixture
def full(cast: Cast) -> Receipt:
    """A receipt with one of everything: a co-signature, a rest and its end, a file
    approved, a second key confirmed, the first retired, all of it withdrawn."""
    grant = software_grant_sign(
        grant=asked(cast, output_approval=True),
        authenticator=cast.authenticator,
        acting_user=cast.actor_user,
    )
    user = cosigner_join(grant=grant, password="harbour-lights-52", acting_user=None)
    device = software_passkey_enrol(actor=Cosigner.objects.get(), acting_user=user)
    grant = Grant.objects.get()
    options = grant_cosign_options(grant=grant, acting_user=user)
    grant_cosign(grant=grant, assertion=device.get(options), acting_user=user)
    second = software_passkey_enrol(actor=cast.actor, acting_user=cast.actor_user)
    confirm(cast, second, by=cast.authenticator)
    retire(cast, cast.authenticator, by=second)
    me: dict[str, Any] = {"grant": grant, "acting_user": cast.actor_user}
    for act in (grant_suspend, suspension_lift):
        act(assertion=second.get(suspension_options(**me)), **me)
    approving = output_approve_options(output_sha256="ab" * 32, **me)
    output_approve(output_sha256="ab" * 32, assertion=second.get(approving), **me)
    software_grant_revoke(authenticator=second, **me)
    return grant_receipt(**me)


def test_a_receipt_holds_one_of_everything(full: Receipt, run: Any) -> None:
    assert [part.act for part in full.documents] == [
        "grant-signed",
        "grant-cosigned",
        "grant-suspended",
        "suspension-lifted",
        "output-approved",
        "grant-revoked",
        "passkey-retired",
        "passkey-confirmed",
    ]
    code, words = run(full.to_bytes())
    assert code == 3, words
    for told in (
        "Ada Agent, the actor's agent, co-signed the same words",
        "It was suspended on",
        "It was lifted again on",
        "approved 1 finished file under it",
        "It was withdrawn on",
        "was retired on",
        "was confirmed with an earlier passkey of the same person",
        "was the first one of the co-signer",
    ):
        assert told in words, told


def test_no_byte_of_a_receipt_can_be_another(full: Receipt) -> None:
    """Wherever a byte is flipped: some in each value, and some anywhere."""
    content = full.to_bytes()
    assert code_of(content) == 0
    chance = random.Random(4)  # noqa: S311
    places = set(chance.sample(range(len(content)), 250))
    for path in leaves(full.document()):
        value = at(full.document(), path)
        if isinstance(value, str) and value:
            spelt = canonical_bytes(value)[1:-1]
            start = content.index(spelt)
            places |= {start, start + len(spelt) - 1}
            places.add(start + chance.randrange(len(spelt)))
    for place in sorted(places):
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        assert code_of(bytes(changed)) == 1, (
            f"{place}: {content[place - 9 : place + 9]!r}"
        )


def leaves(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value that holds no list or object."""
    inside = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in inside:
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def otherwise(value: Any) -> list[Any]:
    """What a forger could write in a value's place."""
    changed: list[Any] = [None, 7, "", [value]]
    if isinstance(value, str):
        changed += [value + "A", "A" + value[1:], value[:-2]]
    return [other for other in changed if other != value]


def test_no_field_can_be_changed_left_out_or_added(full: Receipt) -> None:
    # Written again in canonical form, as a forger would.
    paths = list(leaves(full.document()))
    assert len(paths) > 100
    chance = random.Random(8)  # noqa: S311
    for path in paths:
        for other in chance.sample(otherwise(at(full.document(), path)), 2):
            document = full.document()
            at(document, path[:-1])[path[-1]] = other
            assert code_of(canonical_bytes(document)) == 1, (path, other)
        document = full.document()
        del at(document, path[:-1])[path[-1]]
        assert code_of(canonical_bytes(document)) == 1, path
    for path in {path[:-1] for path in paths}:
        document = full.document()
        if isinstance(at(document, path), dict):
            at(document, path)["more"] = "x"
            assert code_of(canonical_bytes(document)) == 1, path


@pytest.mark.parametrize("part", ["keys", "documents", "entries"])
def test_no_part_can_be_left_out_or_doubled(full: Receipt, part: str) -> None:
    own = getattr(full, part)
    for place in range(len(own)):
        others = [
            own[:place] + own[place + 1 :],
            own + own[place : place + 1],
        ]
        for other in others:
            with pytest.raises(ConsentError):
                verify_receipt(replace(full, **{part: other}))


def test_what_was_signed_cannot_be_told_in_another_order(full: Receipt) -> None:
    own = full.documents
    for first in range(5):
        swapped = list(own)
        swapped[first], swapped[first + 1] = own[first + 1], own[first]
        if {own[first].act, own[first + 1].act} in BESIDE_EACH_OTHER:
            continue
        with pytest.raises(ConsentError):
            verify_receipt(replace(full, documents=tuple(swapped)))


# These are about different things: neither order says anything else.
BESIDE_EACH_OTHER: list[set[str]] = [
    {"grant-cosigned", "grant-suspended"},
    {"suspension-lifted", "output-approved"},
]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"schema":"lipweb-receipt-v1"}',
        b"[" * 100_000,
        b"x" * ((8 << 20) + 1),
    ],
)
def test_what_is_no_receipt_is_unreadable(content: bytes, run: Any) -> None:
    code, words = run(content)
    assert code == 2
    assert words.startswith("UNREADABLE.")


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    assert main([str(tmp_path / "nothing.json")]) == 2


def test_the_same_json_spelt_otherwise_is_unreadable(
    receipt: Receipt, run: Any
) -> None:
    assert run(json.dumps(receipt.document()).encode())[0] == 2
    assert run(receipt.to_bytes() + b"\n")[0] == 2


# Signatures


def resigned(
    receipt: Receipt, device: SoftwareAuthenticator, rp_id: str | None = None
) -> Receipt:
    """The receipt with its first document signed anew by a device, and nothing else
    changed but the assertion."""
    part = receipt.documents[0]
    options = signing_options(
        rp_id=rp_id or device.rp_id, canonical=part.canonical, credentials=[]
    )
    assertion = Assertion.from_response(device.get(options))
    assertion = replace(assertion, credential_id=part.assertion.credential_id)
    changed = replace(part, assertion=assertion)
    return replace(receipt, documents=(changed, *receipt.documents[1:]))


def twin(device: SoftwareAuthenticator, **changes: Any) -> SoftwareAuthenticator:
    """The same key in a device that differs otherwise."""
    own = {
        "rp_id": device.rp_id,
        "origin": device.origin,
        "key": device.key,
        "credential_id": device.credential_id,
    }
    return SoftwareAuthenticator(**(own | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"rp_id": "evil.example.com"},
        {"origin": "https://evil.example.com"},
        {"user_verified": False},
        {"key": None},
    ],
)
def test_another_site_key_or_an_unseen_user_signs_nothing(
    cast: Cast, receipt: Receipt, changes: dict[str, Any]
) -> None:
    forged = resigned(receipt, twin(cast.authenticator, **changes))
    with pytest.raises(SignatureRefused):
        verify_receipt(forged)


def test_a_second_signature_of_the_same_key_is_not_the_logged_one(
    cast: Cast, receipt: Receipt
) -> None:
    with pytest.raises(LedgerBroken):
        verify_receipt(resigned(receipt, cast.authenticator))


def test_a_key_put_in_the_actors_place_is_not_the_registered_one(
    cast: Cast, receipt: Receipt
) -> None:
    device = twin(cast.authenticator, key=None)
    forged = resigned(receipt, device)
    key = replace(receipt.keys[0], public_key=device.cose_key())
    with pytest.raises(SignatureRefused, match="registered"):
        verify_receipt(replace(forged, keys=(key,)))


def registered(device: SoftwareAuthenticator, key: KeyPart) -> KeyPart:
    """The key part with a registration by another device, whole and fitting."""
    made = device.create({"challenge": bytes_to_base64url(b"c" * 32)})["response"]
    return replace(
        key,
        public_key=device.cose_key(),
        rp_id=device.rp_id,
        origin=device.origin,
        client_data_json=base64url_to_bytes(made["clientDataJSON"]),
        attestation_object=base64url_to_bytes(made["attestationObject"]),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"rp_id": "evil.example.com", "origin": "https://evil.example.com"},
        {"origin": "https://evil.example.com"},
    ],
)
def test_another_registration_is_not_the_enrolled_one_however_well_it_fits(
    cast: Cast, receipt: Receipt, changes: dict[str, Any]
) -> None:
    device = twin(cast.authenticator, **changes)
    forged = resigned(receipt, device)
    with pytest.raises(LedgerBroken):
        verify_receipt(replace(forged, keys=(registered(device, receipt.keys[0]),)))


@pytest.mark.parametrize(
    "changes",
    [{"user_verified": False}, {"rp_id": "evil.example.com"}],
)
def test_a_registration_elsewhere_or_of_an_unseen_user_is_refused(
    cast: Cast, receipt: Receipt, changes: dict[str, Any]
) -> None:
    key = registered(twin(cast.authenticator, **changes), receipt.keys[0])
    own = replace(key, rp_id=receipt.keys[0].rp_id)
    with pytest.raises(SignatureRefused):
        verify_receipt(replace(receipt, keys=(own,)))


def test_the_registration_itself_cannot_be_another_of_the_same_key(
    cast: Cast, receipt: Receipt
) -> None:
    key = registered(twin(cast.authenticator), receipt.keys[0])
    with pytest.raises(LedgerBroken):
        verify_receipt(replace(receipt, keys=(key,)))


def test_a_signature_cannot_be_used_for_another_consent(
    cast: Cast, sign: MakeGrant, receipt: Receipt
) -> None:
    other = grant_receipt(grant=sign(languages=("fr",)), acting_user=cast.actor_user)
    part = replace(other.documents[0], assertion=receipt.documents[0].assertion)
    with pytest.raises(SignatureRefused):
        verify_receipt(replace(other, documents=(part,)))


def test_a_withdrawal_belongs_to_its_own_consent(
    cast: Cast, sign: MakeGrant, revoked: Receipt
) -> None:
    other = grant_receipt(grant=sign(languages=("fr",)), acting_user=cast.actor_user)
    documents = (other.documents[0], revoked.documents[1])
    entries = {part.content: part for part in (*other.entries, *revoked.entries)}
    with pytest.raises(ConsentError):
        verify_receipt(
            replace(other, documents=documents, entries=tuple(entries.values()))
        )


# Who may sign


def signed_anyhow(cast: Cast, grant: Grant, changes: dict[str, Any]) -> Receipt:
    """The operator writes another grantor into the record, and the words and the
    ledger to fit; the actor's own key signs it."""
    grant.record["grantor"] |= changes
    grant.canonical = canonical_bytes(grant.record)
    device = cast.authenticator
    options = signing_options(
        rp_id=device.rp_id, canonical=bytes(grant.canonical), credentials=[]
    )
    document_sign(document=grant, holder=cast.actor, response=device.get(options))
    grant.save()
    ledger_append(
        kind="grant-signed",
        subject=str(grant.id),
        payload=signature_payload(grant),
        acting_user=cast.actor_user,
    )
    return grant_receipt(grant=grant, acting_user=cast.actor_user)


def test_a_minor_without_a_guardian_signs_nothing(
    cast: Cast, propose: MakeGrant
) -> None:
    receipt = signed_anyhow(cast, propose(), {"age": "minor"})
    with pytest.raises(RecordRefused, match="guardian"):
        verify_receipt(receipt)


def mandated(cast: Cast, ends_in: timedelta) -> Any:
    now = timezone.now().replace(microsecond=0)
    return mandate_record(
        project=cast.project,
        actor=cast.actor,
        signs="representative",
        holder="Rhea Representative",
        evidence=ContentFile(b"a power of attorney", name="mandate"),
        starts_at=now - timedelta(days=1),
        ends_at=now + ends_in,
        acting_user=cast.producer,
    )


def test_where_a_mandate_has_ended_the_consent_is_not_in_force(
    cast: Cast, sign: MakeGrant, run: Any
) -> None:
    # An adult who signed for themselves may still name a representative.
    mandated(cast, timedelta(days=30))
    grant = sign()
    content = grant_receipt(grant=grant, acting_user=cast.actor_user).to_bytes()
    assert run(content)[0] == 0
    later = (timezone.now() + timedelta(days=31)).isoformat()
    code, words = run(content, "--at", later)
    assert (code, "The mandate of whoever signed it does not hold" in words) == (
        3,
        True,
    )


def test_a_signature_after_the_mandate_ended_is_refused(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    ended = {
        "signs": "representative",
        "mandate": {
            "holder": "Rhea Representative",
            "evidence_sha256": "ab" * 32,
            "from": "2020-01-01T00:00:00Z",
            "until": "2021-01-01T00:00:00Z",
        },
    }
    grant.record["grantor"] |= ended
    shown, words = shown_grant(GrantRecord.from_document(grant.record))
    grant.record, grant.shown_text = shown.document(), words
    with pytest.raises(SignatureRefused, match="mandate did not hold"):
        verify_receipt(signed_anyhow(cast, grant, {}))


# Words


def test_words_that_were_not_shown_are_refused(receipt: Receipt) -> None:
    part = receipt.documents[0]
    for text in (part.text + ".", part.text.replace("cannot", "can"), ""):
        with pytest.raises(SignatureRefused):
            verify_receipt(replace(receipt, documents=(replace(part, text=text),)))


def test_words_that_say_something_else_than_the_terms_are_refused(
    cast: Cast, propose: MakeGrant
) -> None:
    """The operator shows harmless words, puts their hash into the record, and has
    the actor sign that: everything fits but the words' meaning."""
    grant = propose(training=True)
    words = grant.shown_text.replace("may let a computer model learn", "may not learn")
    assert words != grant.shown_text
    grant.record["text"]["sha256"] = sha256_hex(words)
    grant.shown_text = words
    grant.canonical = canonical_bytes(grant.record)
    grant.save()
    device = cast.authenticator
    options = signing_options(
        rp_id=device.rp_id, canonical=bytes(grant.canonical), credentials=[]
    )
    document_sign(document=grant, holder=cast.actor, response=device.get(options))
    grant.save()
    ledger_append(
        kind="grant-signed",
        subject=str(grant.id),
        payload=signature_payload(grant),
        acting_user=cast.actor_user,
    )
    with pytest.raises(SignatureRefused, match="something else than the terms"):
        verify_receipt(grant_receipt(grant=grant, acting_user=cast.actor_user))


# The ledger


def test_another_house_cannot_vouch_in_this_ones_name(receipt: Receipt) -> None:
    checkpoint = verify_checkpoint(receipt.checkpoint, ledger_signer().key)
    other = LedgerSigner.new(ledger_signer().key.name)
    note = checkpoint_sign(size=checkpoint.size, root=checkpoint.root, signer=other)
    with pytest.raises(LedgerBroken):
        verify_receipt(replace(receipt, checkpoint=note))


def test_the_key_can_be_held_against_the_published_one(
    receipt: Receipt, run: Any
) -> None:
    assert run(receipt.to_bytes(), "--key", ledger_signer().key.text)[0] == 0
    other = LedgerSigner.new("other").key.text
    code, words = run(receipt.to_bytes(), "--key", other)
    assert (code, "another key" in words) == (1, True)


def test_an_entry_about_something_else_does_not_belong(
    cast: Cast, receipt: Receipt
) -> None:
    content = receipt.entries[0].content
    entry = json.loads(content)
    # A one-leaf ledger of our own, signed by the house: still not about this.
    entry |= {"index": 0, "kind": "tested"}
    alone = canonical_bytes(entry)
    note = checkpoint_sign(size=1, root=merkle.leaf_hash(alone), signer=ledger_signer())
    with pytest.raises(ConsentError):
        verify_receipt(
            replace(
                receipt,
                checkpoint=note,
                entries=(EntryPart(content=alone, proof=()),),
            )
        )


def test_a_checkpoint_kept_elsewhere_agrees(
    receipt: Receipt, run: Any, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_text(receipt.checkpoint)
    code, words = run(receipt.to_bytes(), "--checkpoint", str(kept))
    assert (code, "agrees with the given checkpoint" in words) == (0, True)


def test_a_later_checkpoint_agrees_by_the_proof_between(
    receipt: Receipt, run: Any, tmp_path: Path
) -> None:
    own = verify_checkpoint(receipt.checkpoint, ledger_signer().key)
    for number in range(5):
        ledger_append(kind="tested", payload={"n": number}, acting_user=None)
    later = checkpoint_make()
    assert later
    kept, between = tmp_path / "checkpoint", tmp_path / "proof.json"
    kept.write_text(later.note)
    code, words = run(receipt.to_bytes(), "--checkpoint", str(kept))
    assert (code, f"from={own.size}&to={own.size + 5}" in words) == (2, True)
    proof = ledger_consistency_proof(first=own.size, second=later.size)
    told = {
        "from": own.size,
        "to": later.size,
        "proof": [base64_text(node) for node in proof],
    }
    options = ["--checkpoint", str(kept), "--consistency", str(between)]
    between.write_text(json.dumps(told))
    assert run(receipt.to_bytes(), *options)[0] == 0
    between.write_text(json.dumps(told | {"proof": told["proof"][::-1]}))
    assert run(receipt.to_bytes(), *options)[0] == 1
    between.write_text(json.dumps(told | {"from": 1}))
    assert run(receipt.to_bytes(), *options)[0] == 2


def test_a_fork_of_the_ledger_shows(receipt: Receipt, run: Any, tmp_path: Path) -> None:
    own = verify_checkpoint(receipt.checkpoint, ledger_signer().key)
    note = checkpoint_sign(size=own.size, root=bytes(32), signer=ledger_signer())
    kept = tmp_path / "checkpoint"
    kept.write_text(note)
    code, words = run(receipt.to_bytes(), "--checkpoint", str(kept))
    assert (code, "fork" in words) == (1, True)


def test_a_checkpoint_that_is_none_compares_with_nothing(
    receipt: Receipt, run: Any, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_bytes(b"\xff")
    assert run(receipt.to_bytes(), "--checkpoint", str(kept))[0] == 2
    kept.write_text("hello")
    assert run(receipt.to_bytes(), "--checkpoint", str(kept))[0] == 2


def test_reading_refuses_before_it_believes(receipt: Receipt) -> None:
    assert Receipt.from_bytes(receipt.to_bytes()) == receipt
    with pytest.raises(RecordRefused):
        Receipt.from_bytes(receipt.to_bytes()[:-1])
