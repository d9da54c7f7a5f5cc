"""The audit bundle: made by the house, checked without it, and whole or refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from consent.audit import PARTIAL, audit, main, verify_file
from consent.bundle import (
    CREDENTIAL,
    DECISIONS,
    FACTS,
    MEMBERS,
    SEALED,
    Seal,
    bundle_bytes,
    index_bytes,
)
from consent.canonical import sha256_hex
from consent.errors import ConsentError, SignatureRefused
from consent.models import Actor, LedgerEntry
from consent.verdict import Verdict
from consent.verify import BY_RECOVERY, DOES_NOT_HOLD, HOLDS, NOT_IN_FORCE
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis import house_keys
from synthesis.errors import NotAllowed
from synthesis.models import Deliverable
from synthesis.provenance.container import UpdatedFile
from synthesis.provenance.keys import test_authority as authority_of
from synthesis.provenance.manifest import sign
from synthesis.services import audits
from synthesis.services.audits import audit_bundle_make
from synthesis.services.manifests import manifest_renew
from synthesis.services.receipts import deliverable_log
from synthesis.services.review import decision_make
from tests.conftest import REPOSITORY
from tests.synthesis.provenance.conftest import encode, film, studio_in

pytestmark = pytest.mark.django_db
LABEL = {
    "wording": "IA",
    "opening_s": None,
    "every_minutes": None,
    "breaks": [],
    "unmeasured_faces": [],
    "shown": [
        {
            "first_frame": 0,
            "end_frame": 10,
            "place": "top-left",
            "moved": False,
            "over_mouth": False,
        }
    ],
}
"""The record of a label, shown throughout."""


@pytest.fixture
def made(
    demo: Demo, deliverable: Deliverable, reviewer_of_demo: User, tmp_path: Path
) -> Deliverable:
    """A file signed on Robin's consent, in the ledger, approved and released."""
    small = encode(tmp_path / "s.mp4", film(3, width=160, height=96, frames=10))
    facts = studio_in(tmp_path, small).facts
    records = (demo.grant.canonical_sha256,)
    signed = sign(
        small,
        tmp_path / "signed.mp4",
        facts=replace(facts, consent_records=records, mark_id="00" * 8),
        signer=house_keys.signer(),
    )
    content = (tmp_path / "signed.mp4").read_bytes()
    deliverable.manifest_id = signed.manifest_id
    deliverable.sha256, deliverable.size_bytes = sha256_hex(content), len(content)
    deliverable.label = LABEL
    deliverable.file.save("file.mp4", ContentFile(content), save=True)
    deliverable_log(deliverable=deliverable, acting_user=demo.producer)
    decision_make(
        deliverable=deliverable,
        sha256=deliverable.sha256,
        verdict="approved",
        reason="Robin looks well.",
        acting_user=reviewer_of_demo,
    )
    assert manifest_renew(deliverable=deliverable) is not None
    return deliverable


def rewritten(bundle: bytes, name: str, content: bytes) -> bytes:
    """The bundle as a tool writes it anew, with one member replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(out, "w") as new:
        for row in old.infolist():
            old_content = old.read(row)
            new.writestr(row.filename, content if row.filename == name else old_content)
    return out.getvalue()


def members(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {row.filename: archive.read(row) for row in archive.infolist()}


def test_a_bundle_holds_and_one_changed_byte_of_any_member_is_found(
    demo: Demo,
    made: Deliverable,
    reviewer_of_demo: User,
    revoke: Callable[[], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = audit_bundle_make(deliverable=made, acting_user=demo.producer)
    path = tmp_path / "audit.zip"
    path.write_bytes(bundle)

    found = audit(bundle)
    assert found.facts["sha256"] == made.sha256
    assert found.facts["label"] == made.label == LABEL
    assert [one["verdict"] for one in found.decisions] == ["approved"]
    assert b"Robin looks well" not in bundle
    entry = LedgerEntry.objects.filter(kind=SEALED).get()
    assert entry.document["by"] == demo.producer.pk

    newest = made.manifest_updates.get()
    left = tmp_path / "left.mp4"
    with open(made.file.path, "rb") as base:
        left.write_bytes(UpdatedFile(base, bytes(newest.appended)).read())
    for one in (Path(made.file.path), left):
        assert "is the file" in verify_file(one, found.facts)
    changed = bytearray(left.read_bytes())
    changed[made.size_bytes - 1] ^= 1
    left.write_bytes(changed)
    with pytest.raises(SignatureRefused):
        verify_file(left, found.facts)

    assert main([str(path), "--file", made.file.path]) == HOLDS
    said = capsys.readouterr().out
    assert said.startswith("HOLDS.\n")
    assert "Decided on" in said
    assert "signed for these very pictures and sounds" in said
    assert "lipweb test signer (SHA-256 " in said

    parts = members(bundle)
    assert set(parts) == MEMBERS | {"index.json", "seal.json"}
    for name, content in parts.items():
        steps = max(1, len(content) // 40)
        for at in {*range(0, len(content), steps), len(content) - 1}:
            bad = bytearray(content)
            bad[at] ^= 1
            with pytest.raises(ConsentError):
                audit(rewritten(bundle, name, bytes(bad)))
    assert audit(rewritten(bundle, FACTS, parts[FACTS])).facts == found.facts

    # Somebody who writes the index anew cannot write the ledger anew.
    forged = {name: parts[name] for name in MEMBERS}
    forged[DECISIONS] = parts[DECISIONS].replace(b"approved", b"changes!")
    with pytest.raises(ConsentError):
        audit(reindexed(forged, parts, made))

    path.write_bytes(rewritten(bundle, CREDENTIAL, b"\0" + parts[CREDENTIAL]))
    assert main([str(path), "--json"]) == DOES_NOT_HOLD
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "DOES NOT HOLD"
    assert "credential.c2pa is not the one" in told["sentences"][0]

    revoke()
    assert manifest_renew(deliverable=Deliverable.objects.get()) is not None
    after = audit_bundle_make(deliverable=made, acting_user=demo.producer)
    path.write_bytes(after)
    assert main([str(path)]) == NOT_IN_FORCE
    assert "Only the newest part" in capsys.readouterr().out
    assert [one["what"] for one in audit(after).facts["updates"]] == [
        "published",
        "withdrawn",
    ]


def test_a_bundle_says_as_a_receipt_does_that_a_passkey_came_by_recovery(
    demo: Demo,
    made: Deliverable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "audit.zip"
    path.write_bytes(audit_bundle_make(deliverable=made, acting_user=demo.producer))
    assert main([str(path)]) == HOLDS
    recovered = property(lambda verdict: True)
    monkeypatch.setattr(Verdict, "on_the_houses_word", recovered)
    capsys.readouterr()
    assert main([str(path)]) == BY_RECOVERY
    assert capsys.readouterr().out.startswith("HOLDS, BUT A PASSKEY CAME BY RECOVERY")


def reindexed(
    forged: dict[str, bytes], parts: dict[str, bytes], made: Deliverable
) -> bytes:
    index = index_bytes(str(made.id), forged)
    return bundle_bytes(forged, index, Seal.from_bytes(parts["seal.json"]))


def bundle_for(person: User, made: Deliverable) -> bytes:
    client = Client()
    client.force_login(person)
    url = reverse("synthesis:audit_bundle", args=[made.id])
    assert client.get(url).status_code == 405
    answer = client.post(url)
    assert answer.status_code == 200
    return answer.content


def test_a_bundle_is_for_those_whom_the_file_concerns(
    demo: Demo, made: Deliverable, stranger: User, other_producer: User
) -> None:
    robin = demo.grant.actor.user
    for person in (demo.producer, robin):
        found = audit(bundle_for(person, made))
        assert found.facts["deliverable"] == str(made.id)
        assert found.hidden == 0
    url = reverse("synthesis:audit_bundle", args=[made.id])
    for person in (stranger, other_producer):
        client = Client()
        client.force_login(person)
        assert client.post(url).status_code == 404
    assert Client().post(url).status_code == 302
    assert LedgerEntry.objects.filter(kind=SEALED).count() == 2


def test_a_reviewers_bundle_names_nobody_and_says_what_it_leaves_out(
    demo: Demo,
    made: Deliverable,
    reviewer_of_demo: User,
    revoke: Callable[[], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = bundle_for(reviewer_of_demo, made)
    actor = demo.grant.actor
    for name in (actor.stage_name, actor.legal_name):
        assert name.encode() not in bundle
    # The consent is in it by its hash, in what was signed.
    assert demo.grant.canonical_sha256.encode() in bundle
    path = tmp_path / "audit.zip"
    path.write_bytes(bundle)
    assert main([str(path), "--file", made.file.path]) == PARTIAL
    said = capsys.readouterr().out
    assert said.startswith("HOLDS, BUT NOT EVERY CONSENT IS SHOWN.")
    assert "consents that are not in this bundle" in said

    revoke()
    assert manifest_renew(deliverable=Deliverable.objects.get()) is not None
    path.write_bytes(bundle_for(reviewer_of_demo, made))
    assert main([str(path)]) == NOT_IN_FORCE


def test_an_actors_bundle_holds_her_own_consent_and_not_the_others(
    demo: Demo, made: Deliverable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file with two faces in it; a stranger's is no face in it."""
    robin = demo.grant.actor.user
    assert robin is not None
    rows = made.render.grants.select_related("actor", "project")
    assert audits._shown(made, robin) == list(rows)
    other = Actor.objects.create(stage_name="Kim", legal_name="Kim", user=None)
    made.render.grants.filter(pk=demo.grant.pk).update(actor=other)
    with pytest.raises(NotAllowed):
        audits._shown(made, robin)


def test_actor_and_reviewer_find_the_bundle_on_their_pages(
    demo: Demo, made: Deliverable, reviewer_of_demo: User
) -> None:
    url = reverse("synthesis:audit_bundle", args=[made.id])
    robin, rita = Client(), Client()
    robin.force_login(demo.grant.actor.user)
    rita.force_login(reviewer_of_demo)
    for client, page in (
        (robin, reverse("consent:home")),
        (rita, reverse("synthesis:deliverable", args=[made.id])),
    ):
        words = client.get(page).content.decode()
        assert f'action="{url}"' in words
        assert "Audit bundle" in words


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (b"org.lipweb.lattice.2", "asserts was changed"),
        (b"prompt_guided", "asserts was changed"),
        (b"created_assertions", "signature of the Content Credential"),
        (b"specVersion", "signature of the Content Credential"),
        (b"lipweb test signer", "signature of the Content Credential|chain"),
    ],
)
def test_a_house_that_seals_a_changed_credential_is_found(
    demo: Demo,
    made: Deliverable,
    monkeypatch: pytest.MonkeyPatch,
    part: bytes,
    said: str,
) -> None:
    """Index, ledger and checkpoint agree with it: its own signature does not."""

    def changed(deliverable: Deliverable, store: bytes) -> bytes:
        at = store.index(part) + 2
        return store[:at] + bytes([store[at] ^ 1]) + store[at + 1 :]

    monkeypatch.setattr(audits, "store_shown", changed)
    monkeypatch.setattr(audits, "_facts", whole(audits._facts))
    bundle = audit_bundle_make(deliverable=made, acting_user=demo.producer)
    with pytest.raises(ConsentError, match=said):
        audit(bundle)


def whole(facts: Callable[..., dict[str, object]]) -> Callable[..., object]:
    return lambda deliverable, **more: facts(deliverable, **{**more, "whole": True})


def test_roots_that_came_another_way_must_vouch_for_the_signer(
    demo: Demo,
    made: Deliverable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, roots = tmp_path / "audit.zip", tmp_path / "roots.pem"
    path.write_bytes(audit_bundle_make(deliverable=made, acting_user=demo.producer))
    roots.write_bytes(house_keys.anchors())
    assert main([str(path), "--roots", str(roots)]) == HOLDS
    assert "Compare the root" in capsys.readouterr().out
    roots.write_bytes(authority_of(tmp_path / "another").root.read_bytes())
    assert main([str(path), "--roots", str(roots)]) == DOES_NOT_HOLD
    assert "No given root" in capsys.readouterr().out
    roots.write_bytes(b"no certificates")
    assert main([str(path), "--roots", str(roots)]) == DOES_NOT_HOLD
    monkeypatch.setattr(audits.house_keys, "anchors", lambda: b"")
    path.write_bytes(audit_bundle_make(deliverable=made, acting_user=demo.producer))
    assert main([str(path)]) == HOLDS
    assert "Nobody vouches for that signer" in capsys.readouterr().out


def test_no_zip_and_an_empty_zip_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no.zip"
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for content in (b"", b"PK\x03\x04 no zip", empty.getvalue()):
        path.write_bytes(content)
        assert main([str(path)]) == DOES_NOT_HOLD
    assert main([str(tmp_path / "none.zip")]) == 2


def test_the_check_needs_neither_django_nor_a_network() -> None:
    code = "import sys, consent.audit; sys.exit('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY)
    assert done.returncode == 0
