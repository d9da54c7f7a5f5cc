"""A file's credential follows what is decided about it, and what leaves has it all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import django_rq
import pytest
from django.test import Client
from django.urls import reverse

from consent.models import LedgerEntry
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis import house_keys, jobs
from synthesis.errors import SynthesisError
from synthesis.models import Deliverable, ManifestUpdate, Render
from synthesis.provenance.read import read_credential
from synthesis.provenance.verdict import Code
from synthesis.services.manifests import manifest_renew
from synthesis.services.review import decision_make
from synthesis.services.verification import file_verify
from tests.synthesis.provenance.conftest import media_at


@pytest.fixture
def made(signed_deliverable: Deliverable) -> Deliverable:
    return signed_deliverable


def approve(made: Deliverable, reviewer: User, verdict: str = "approved") -> None:
    decision_make(
        deliverable=made,
        sha256=made.sha256,
        verdict=verdict,
        reason="",
        acting_user=reviewer,
    )


def downloaded(made: Deliverable, producer: User, folder: Path) -> Path:
    client = Client()
    client.force_login(producer)
    answer = client.get(reverse("synthesis:deliverable_download", args=[made.id]))
    assert answer.status_code == 200
    path = folder / "downloaded.mp4"
    path.write_bytes(b"".join(answer.streaming_content))
    assert path.stat().st_size == int(answer["Content-Length"])
    return path


def test_an_approved_file_leaves_with_its_release_in_the_credential(
    demo: Demo, made: Deliverable, reviewer_of_demo: User, tmp_path: Path
) -> None:
    approve(made, reviewer_of_demo)
    path = downloaded(made, demo.producer, tmp_path)
    found = read_credential(path, anchors=house_keys.anchors())
    assert found.state == "trusted"
    assert found.first_id == made.manifest_id
    assert found.manifest_id == made.manifest_updates.get().manifest_id
    assert found.actions[-1] == "c2pa.published"
    assert found.oversight == "human_validated"
    entry = LedgerEntry.objects.filter(kind="manifest-updated").get()
    assert entry.subject == str(made.id)


def test_a_downloaded_file_is_known_as_ours_and_unchanged(
    demo: Demo, made: Deliverable, reviewer_of_demo: User, tmp_path: Path
) -> None:
    approve(made, reviewer_of_demo)
    found = file_verify(downloaded(made, demo.producer, tmp_path))
    assert found["code"] == Code.UNCHANGED
    assert found["deliverable"] == str(made.id)
    assert [one["action"] for one in found["credential"]["updates"]] == [
        "c2pa.published"
    ]


def test_nothing_is_added_before_somebody_approved(
    made: Deliverable, reviewer_of_demo: User
) -> None:
    assert manifest_renew(deliverable=made) is None
    approve(made, reviewer_of_demo, "changes")
    assert manifest_renew(deliverable=made) is None


def test_a_draft_is_never_called_released(
    made: Deliverable, reviewer_of_demo: User
) -> None:
    approve(made, reviewer_of_demo)
    Render.objects.filter(id=made.render_id).update(tier=Render.Tier.DRAFT)
    assert manifest_renew(deliverable=Deliverable.objects.get()) is None


def test_a_release_is_added_once(made: Deliverable, reviewer_of_demo: User) -> None:
    approve(made, reviewer_of_demo)
    first = manifest_renew(deliverable=made)
    assert manifest_renew(deliverable=made) == first
    assert ManifestUpdate.objects.count() == 1


def test_a_withdrawal_is_added_and_tells_whose_consent_ended(
    demo: Demo,
    made: Deliverable,
    reviewer_of_demo: User,
    revoke: Callable[[], None],
) -> None:
    approve(made, reviewer_of_demo)
    manifest_renew(deliverable=made)
    revoke()
    row = manifest_renew(deliverable=Deliverable.objects.get())
    assert row is not None
    found = read_credential(
        Path(made.file.path), anchors=house_keys.anchors(), store=bytes(row.store)
    )
    assert found.state == "trusted"
    assert [(one.action, one.consent) for one in found.updates] == [
        ("c2pa.published", ""),
        ("c2pa.edited.metadata", "withdrawn"),
    ]
    assert demo.grant.canonical_sha256.encode() in bytes(row.store)


@pytest.mark.django_db(transaction=True)
def test_decisions_and_withdrawals_put_the_update_on_the_queue(
    made: Deliverable, reviewer_of_demo: User, revoke: Callable[[], None]
) -> None:
    approve(made, reviewer_of_demo)
    revoke()
    queued = django_rq.get_queue("default").jobs
    renewals = [job for job in queued if job.func_name.endswith("renew_manifest")]
    assert [tuple(job.args) for job in renewals] == [(str(made.id),)] * 2
    for job in renewals:
        jobs.renew_manifest(*job.args)
    assert [row.what for row in made.manifest_updates.all()] == ["withdrawn"]


def test_the_stored_file_is_never_touched(
    made: Deliverable, reviewer_of_demo: User
) -> None:
    before = Path(made.file.path).read_bytes()
    approve(made, reviewer_of_demo)
    manifest_renew(deliverable=made)
    assert Path(made.file.path).read_bytes() == before


def test_a_file_changed_on_the_disk_is_not_released(
    made: Deliverable, reviewer_of_demo: User
) -> None:
    path = Path(made.file.path)
    content = bytearray(path.read_bytes())
    content[media_at(path)] ^= 1
    path.write_bytes(content)
    approve(made, reviewer_of_demo)
    with pytest.raises(SynthesisError) as refusal:
        manifest_renew(deliverable=made)
    assert refusal.value.code == "credential-broken"
    assert not ManifestUpdate.objects.exists()


def test_a_withdrawal_while_the_release_is_signed_wins(
    made: Deliverable,
    reviewer_of_demo: User,
    revoke: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    approve(made, reviewer_of_demo)
    signer = house_keys.signer()

    def signer_and_then_a_withdrawal() -> object:
        if not LedgerEntry.objects.filter(kind="grant-revoked").exists():
            revoke()
        return signer

    monkeypatch.setattr(house_keys, "signer", signer_and_then_a_withdrawal)
    assert manifest_renew(deliverable=made) is None
    row = manifest_renew(deliverable=made)
    assert row is not None
    assert row.what == "withdrawn"
