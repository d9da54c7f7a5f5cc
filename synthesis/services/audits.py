"""The audit bundle of a finished file: all that is known of it, to be checked offline
by `python -m consent.audit`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from consent.bundle import (
    CREDENTIAL,
    DECISIONS,
    FACTS,
    RECEIPT,
    ROOTS,
    SEALED,
    Seal,
    bundle_bytes,
    index_bytes,
)
from consent.canonical import canonical_bytes, sha256_hex
from consent.models import Grant, LedgerEntry, Membership, Role
from consent.receipt import EntryPart
from consent.record import instant
from consent.services.checkpoints import checkpoint_covering, ledger_key
from consent.services.ledger import ledger_append, ledger_inclusion_proof
from synthesis import house_keys
from synthesis.errors import NotAllowed
from synthesis.models import Deliverable
from synthesis.provenance.container import manifest_boxes
from synthesis.provenance.mark import ALGORITHM
from synthesis.services.lookup import store_shown
from synthesis.services.receipts import deliverable_receipt_of
from synthesis.storage import local_path


def audit_bundle_make(
    *, deliverable: Deliverable, acting_user: AbstractBaseUser
) -> bytes:
    """Return the bundle, a zip, without the words that go with a decision. The ledger
    says that it was made, and for whom. Not to be called inside a transaction.

    It holds the consents that the person may read, which name people: every one for
    producers of the project, their own for an actor in the file, none for who only
    reviews. The others stand in it by their hashes, and whoever checks it is told that
    they are not shown. Raises NotAllowed for others."""
    receipt = deliverable_receipt_of(deliverable, _shown(deliverable, acting_user))
    with transaction.atomic():
        # One moment for all of it: an act between two readings would not be told of
        # in the one and be told of in the other.
        Deliverable.objects.select_for_update().get(pk=deliverable.pk)
        members = {RECEIPT: receipt.to_bytes(), **_members(deliverable)}
        index = index_bytes(str(deliverable.id), members)
        entry = ledger_append(
            kind=SEALED,
            subject=str(deliverable.id),
            payload={
                "deliverable": str(deliverable.id),
                "index_sha256": sha256_hex(index),
            },
            acting_user=acting_user,
        )
    return bundle_bytes(members, index, _seal(deliverable, last=entry.index))


def _shown(deliverable: Deliverable, acting_user: AbstractBaseUser) -> list[Grant]:
    """The consents of a file that a person may read. Raises NotAllowed where the file
    does not concern them at all."""
    grants = deliverable.render.grants.select_related("actor", "project")
    project = deliverable.render.dub.scene.project
    own = Membership.objects.filter(project=project, user_id=acting_user.pk)
    roles = set(own.values_list("role", flat=True))
    if Role.PRODUCER in roles:
        return list(grants)
    mine = list(grants.filter(actor__user=acting_user.pk))
    if not mine and Role.REVIEWER not in roles:
        raise NotAllowed("not-found", "There is no such file here.")
    return mine


def _seal(deliverable: Deliverable, *, last: int) -> Seal:
    checkpoint = checkpoint_covering(entry=last)
    rows = LedgerEntry.objects.about(str(deliverable.id)).filter(index__lte=last)
    return Seal(
        entries=tuple(
            EntryPart(
                content=bytes(row.content),
                proof=tuple(ledger_inclusion_proof(row, size=checkpoint.size)[1]),
            )
            for row in rows.order_by("index")
        ),
        checkpoint=checkpoint.note,
        ledger_key=ledger_key().text,
    )


def _members(deliverable: Deliverable) -> dict[str, bytes]:
    with local_path(deliverable.file) as path, path.open("rb") as file:
        first = manifest_boxes(file)[0]
    newest = deliverable.manifest_updates.last()
    store = bytes(newest.store) if newest else first.store
    shown = store_shown(deliverable, store)
    return {
        FACTS: canonical_bytes(
            _facts(deliverable, purpose_at=first.purpose_at, whole=shown == store)
        ),
        DECISIONS: canonical_bytes({"decisions": _decisions(deliverable)}),
        CREDENTIAL: shown,
        ROOTS: house_keys.anchors(),
    }


def _facts(deliverable: Deliverable, *, purpose_at: int, whole: bool) -> dict[str, Any]:
    return {
        "deliverable": str(deliverable.id),
        "sha256": deliverable.sha256,
        "size_bytes": deliverable.size_bytes,
        "frame_count": deliverable.frame_count,
        "made_at": instant(deliverable.made_at),
        "manifest": deliverable.manifest_id,
        "mark": deliverable.mark_id,
        "mark_algorithm": ALGORITHM,
        "label": deliverable.label,
        "purpose_at": purpose_at,
        "credential_whole": whole,
        "grants": sorted(str(grant.id) for grant in deliverable.render.grants.all()),
        "updates": [
            {
                "what": update.what,
                "manifest": update.manifest_id,
                "store_sha256": sha256_hex(bytes(update.store)),
                "at": instant(update.made_at),
            }
            for update in deliverable.manifest_updates.all()
        ],
    }


def _decisions(deliverable: Deliverable) -> list[dict[str, Any]]:
    """Each by the number that the ledger knows its reviewer by."""
    return [
        {
            "sha256": row.sha256,
            "verdict": row.verdict,
            "by": row.reviewer_id,
            "at": instant(row.made_at),
        }
        for row in deliverable.decisions.order_by("made_at", "id")
    ]
