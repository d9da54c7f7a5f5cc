"""The Content Credential of a copy in another format, made for watching only.

It says nothing of its own but that it was transcoded (C2PA 2.4, 18.15.4.2): what was
done to the picture stands in the credential of the file it was made from, its parent,
which is kept inside it. The invisible mark came along with the pixels.
"""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import c2pa

from synthesis.provenance.binding import Binding
from synthesis.provenance.ingredients import ingredient_archive
from synthesis.provenance.manifest import (
    SignedManifest,
    agent,
    definition_of,
    soft_binding,
    stamp,
)
from synthesis.provenance.mark.embed import ALGORITHM
from synthesis.provenance.native import CONSENT_LABEL, settings
from synthesis.provenance.read import reading_limit_s
from synthesis.provenance.signers import Signer
from synthesis.provenance.signing import film_put, not_signed, or_not_signed

Json = dict[str, Any]

KIND = "video/mp4"
ACTION = "c2pa.transcoded"
CREATED = [
    "c2pa.actions",
    "c2pa.soft-binding",
    "c2pa.hash.bmff",
    "c2pa.ingredient",
    CONSENT_LABEL,
]


@dataclass(frozen=True)
class TranscodeFacts:
    """original: the signed file the copy was made from; original_id: of its manifest.
    The rest as ManifestFacts has it, and the same as in the original."""

    title: str
    original: Path
    original_id: str
    mark_id: str
    consent_records: tuple[str, ...]
    software_version: str


def transcode_sign(
    copy: Path,
    target: Path,
    *,
    facts: TranscodeFacts,
    signer: Signer,
    anchors: bytes = b"",
    when: datetime | None = None,
    time_authority: str = "",
) -> SignedManifest:
    """Write `copy` (MP4) with a signed manifest to `target`, which appears whole or not
    at all. Memory stays constant.
    Raises SynthesisError `credential-not-signed`."""
    manifest_id = f"urn:c2pa:{uuid.uuid4()}"
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    parent = ingredient_archive(
        facts.original,
        {
            "title": facts.title,
            "relationship": "parentOf",
            "label": "original",
            "instance_id": facts.original_id,
        },
        anchors=anchors,
        time_limit_s=reading_limit_s(facts.original),
    )
    if parent is None:
        raise not_signed()
    with or_not_signed():
        manifest = film_put(
            partial(_builder, manifest_id, facts, parent, moment),
            KIND,
            copy,
            target,
            signer=signer,
            time_authority=time_authority,
        )
    return SignedManifest(manifest_id, manifest)


def _builder(
    manifest_id: str,
    facts: TranscodeFacts,
    parent: bytes,
    moment: datetime,
    binding: Binding,
) -> c2pa.Builder:
    assertions = [*_assertions(facts, moment), binding.assertion()]
    definition = definition_of(manifest_id, facts, KIND, assertions)
    context = c2pa.Context.from_dict(settings(b"", created=CREATED))
    builder = c2pa.Builder(definition, context=context)
    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
    builder.add_ingredient_from_archive(io.BytesIO(parent))
    return builder


def _assertions(facts: TranscodeFacts, moment: datetime) -> list[Json]:
    done = {
        "action": ACTION,
        "when": stamp(moment),
        "softwareAgent": agent(facts.software_version),
    }
    content: dict[str, Json] = {
        "c2pa.actions.v2": {"actions": [done], "allActionsIncluded": True},
        "c2pa.soft-binding": soft_binding(ALGORITHM, facts.mark_id),
        CONSENT_LABEL: {"records": list(facts.consent_records)},
    }
    return [{"label": label, "data": data} for label, data in content.items()]
