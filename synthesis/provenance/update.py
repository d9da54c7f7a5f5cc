"""What became of a file after it was signed: update manifests (C2PA 2.4, 11.2.3).

An update says nothing new of the picture, so no byte of the media is read or written:
only the file's head and the manifests are signed over, in milliseconds whatever the
size. A release and a withdrawal of consent are such updates.
"""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import c2pa

from synthesis.provenance.container import UpdatedFile, appended_box
from synthesis.provenance.manifest import (
    agent,
    definition_of,
    disclosure,
    stamp,
)
from synthesis.provenance.native import CONSENT_LABEL, media_type_of, settings
from synthesis.provenance.signers import Signer
from synthesis.provenance.signing import head_sign, or_not_signed

Json = dict[str, Any]

What = Literal["published", "withdrawn"]
ACTION: dict[What, str] = {
    "published": "c2pa.published",
    "withdrawn": "c2pa.edited.metadata",
}
"""An update may only say these, c2pa.opened and c2pa.redacted (spec 2.4, 11.2.3)."""
HUMAN_VALIDATED = "human_validated"
"""A person reviewed and approved the finished file before its release."""
CREATED = ["c2pa.actions", "c2pa.ingredient", "c2pa.ai-disclosure", CONSENT_LABEL]


@dataclass(frozen=True)
class Before:
    """What an update stands on.

    head: the file as first signed, up to the end of its manifest (container.skeleton).
    appended: its update box, empty before the first update. store: its whole manifest
    store (application/c2pa). manifest_id: the active manifest's. checked: what the
    native library found on the file with that store, as read.library_report gives it.
    """

    head: bytes
    appended: bytes
    store: bytes
    manifest_id: str
    checked: Json


@dataclass(frozen=True)
class UpdateFacts:
    """What the update says. consent_records: hashes as in the first manifest.
    model_name, model_sha256: of the first manifest, repeated where a release says that
    a person validated what the model made."""

    what: What
    title: str
    consent_records: tuple[str, ...]
    model_name: str
    model_sha256: str
    software_version: str


@dataclass(frozen=True)
class Update:
    """appended: replaces the update box before it. store: the whole new store."""

    manifest_id: str
    appended: bytes
    store: bytes


def update_sign(
    before: Before,
    facts: UpdateFacts,
    *,
    signer: Signer,
    when: datetime | None = None,
    time_authority: str = "",
) -> Update:
    """Sign an update manifest. Raises SynthesisError `credential-not-signed`."""
    manifest_id = f"urn:c2pa:{uuid.uuid4()}"
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    kind = media_type_of(before.head) or "video/mp4"
    # With its update box behind its head, the skeleton is a small MP4 of its own.
    head = UpdatedFile(io.BytesIO(before.head), before.appended).read()
    with or_not_signed():
        signed, store = head_sign(
            partial(_builder, manifest_id, kind, before, facts, moment),
            kind,
            head,
            signer=signer,
            time_authority=time_authority,
        )
        appended = appended_box(signed, before.head)
    return Update(manifest_id, appended, store)


def _builder(
    manifest_id: str, kind: str, before: Before, facts: UpdateFacts, moment: datetime
) -> c2pa.Builder:
    definition = definition_of(manifest_id, facts, kind, _assertions(facts, moment))
    definition["ingredients"] = [
        {
            "title": facts.title,
            "format": kind,
            "relationship": "parentOf",
            "instance_id": before.manifest_id,
            "active_manifest": before.manifest_id,
            "validation_results": before.checked,
            "manifest_data": {"format": "application/c2pa", "identifier": "store"},
        }
    ]
    context = c2pa.Context.from_dict(settings(b"", created=CREATED))
    builder = c2pa.Builder(definition, context=context)
    builder.set_intent(c2pa.C2paBuilderIntent.UPDATE)
    builder.add_resource("store", io.BytesIO(before.store))
    return builder


def _assertions(facts: UpdateFacts, moment: datetime) -> list[Json]:
    done = {
        "action": ACTION[facts.what],
        "when": stamp(moment),
        "softwareAgent": agent(facts.software_version),
    }
    content: dict[str, Json] = {
        "c2pa.actions.v2": {"actions": [done], "allActionsIncluded": True}
    }
    if facts.what == "published":
        content["c2pa.ai-disclosure"] = disclosure(
            facts.model_name, facts.model_sha256, oversight=HUMAN_VALIDATED
        )
    else:
        content[CONSENT_LABEL] = {
            "records": list(facts.consent_records),
            "state": "withdrawn",
        }
    return [{"label": label, "data": data} for label, data in content.items()]
