"""What a file's Content Credential says after it was signed, kept in step with what was
decided: a release adds to it, and a withdrawal of consent does."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from consent.errors import ConsentDenied
from consent.models import Grant, LedgerEntry
from consent.services.ledger import ledger_append
from synthesis import house_keys, software_version
from synthesis.errors import SynthesisError
from synthesis.models import Deliverable, ManifestUpdate, Render
from synthesis.provenance.container import manifest_boxes, skeleton
from synthesis.provenance.read import library_report, read_credential
from synthesis.provenance.update import Before, Update, UpdateFacts, What, update_sign
from synthesis.queue import enqueue_on_commit
from synthesis.services.consents import release_missing, render_verify
from synthesis.services.review import is_approved
from synthesis.storage import local_path

MODEL_NAME = "lipweb native"
OF_A_DELIVERABLE, OF_A_GRANT = ("decision-made",), ("output-approved", "grant-revoked")
"""Kinds of ledger entries after which a credential may have to say more."""


def manifests_follow(*, entry: LedgerEntry, **_: Any) -> None:
    """On commit of a ledger entry: queue the updates it may call for."""
    rows = Deliverable.objects.filter(render__tier=Render.Tier.FINAL)
    if entry.kind in OF_A_DELIVERABLE:
        rows = rows.filter(id=entry.document["payload"]["deliverable"])
    elif entry.kind in OF_A_GRANT:
        rows = rows.filter(render__grants__id=entry.subject)
    else:
        return
    for deliverable_id in rows.values_list("id", flat=True):
        enqueue_on_commit(
            "renew_manifest",
            str(deliverable_id),
            job_id=f"manifest-{deliverable_id}-{entry.index}",
        )


def manifest_renew(*, deliverable: Deliverable) -> ManifestUpdate | None:
    """Add the update that the records call for, unless it is there, and return the
    newest one, None where none was ever called for. May be called at any time.

    Raises SynthesisError: signing-key-unusable, credential-*."""
    what = _called_for(deliverable)
    newest = deliverable.manifest_updates.last()
    if what is None or (newest is not None and newest.what == what):
        return newest
    update = _signed(deliverable, newest, what)
    return _keep(deliverable, newest, what, update)


def _called_for(deliverable: Deliverable) -> What | None:
    """What the newest manifest has to say, by the records of this moment."""
    render = deliverable.render
    if render.tier == Render.Tier.DRAFT:
        return None
    if any(grant.revocation for grant in render.grants.all()):
        return "withdrawn"
    if not is_approved(deliverable) or release_missing(deliverable):
        return None
    try:
        render_verify(render, output_sha256=deliverable.sha256)
    except (ConsentDenied, SynthesisError):
        return None
    return "published"


def _signed(
    deliverable: Deliverable, newest: ManifestUpdate | None, what: What
) -> Update:
    """Sign the update, and read it back with the file it is for."""
    anchors = house_keys.anchors()
    with local_path(deliverable.file) as path:
        with path.open("rb") as file:
            head, first = skeleton(file), manifest_boxes(file)[0]
        store = bytes(newest.store) if newest else first.store
        before = Before(
            head=head,
            appended=bytes(newest.appended) if newest else b"",
            store=store,
            manifest_id=newest.manifest_id if newest else deliverable.manifest_id,
            checked=library_report(path, anchors=anchors, store=store),
        )
        update = update_sign(
            before,
            _facts(deliverable, what),
            signer=house_keys.signer(),
            time_authority=house_keys.time_authority(),
        )
        found = read_credential(path, anchors=anchors, store=update.store)
    if not found.holds or found.manifest_id != update.manifest_id:
        raise SynthesisError(
            "not-read-back",
            "The addition to the Content Credential was not kept, because it could not"
            " be read back.",
        )
    return update


@transaction.atomic
def _keep(
    deliverable: Deliverable,
    before: ManifestUpdate | None,
    what: What,
    update: Update,
) -> ManifestUpdate | None:
    """Keep it, unless somebody else was first or it is not true any more: the grants
    are locked, so that a withdrawal comes wholly before or wholly after."""
    render = deliverable.render
    list(Grant.objects.select_for_update().filter(renders=render))
    Deliverable.objects.select_for_update().get(pk=deliverable.pk)
    newest = deliverable.manifest_updates.last()
    if newest != before or _called_for(deliverable) != what:
        return newest
    row = ManifestUpdate.objects.create(
        deliverable=deliverable,
        what=what,
        manifest_id=update.manifest_id,
        appended=update.appended,
        store=update.store,
    )
    ledger_append(
        kind="manifest-updated",
        subject=str(deliverable.id),
        payload={
            "deliverable": str(deliverable.id),
            "sha256": deliverable.sha256,
            "manifest": update.manifest_id,
            "what": what,
        },
        acting_user=None,
    )
    return row


def _facts(deliverable: Deliverable, what: What) -> UpdateFacts:
    render = deliverable.render
    return UpdateFacts(
        what=what,
        title=title_of(render),
        consent_records=consent_hashes(render, withdrawn=what == "withdrawn"),
        model_name=MODEL_NAME,
        model_sha256=model_sha256(render),
        software_version=software_version(),
    )


def title_of(render: Render) -> str:
    """What a file is called in its credential: no name of a person or production."""
    return f"Dub in {render.dub.language}"


def consent_hashes(render: Render, *, withdrawn: bool = False) -> tuple[str, ...]:
    """SHA-256 of each consent record the render stands on, or only of those that were
    withdrawn, sorted."""
    grants = [g for g in render.grants.all() if g.revocation or not withdrawn]
    return tuple(sorted(grant.canonical_sha256 for grant in grants))


def model_sha256(render: Render) -> str:
    """SHA-256 of the weights that moved the lips; "" where no shot was kept."""
    weights = render.track_renders.values_list("weights_sha256", flat=True)
    return min(weights, default="")
