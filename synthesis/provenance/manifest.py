"""The Content Credential of a deliverable: built by one recipe, signed last.

The recipe is RESEARCH section 4: it passes the C2PA 2.4 conformance rubric. Nothing in
a manifest names a person: consent appears as hashes, files as "Scene" and "Dub sound".
"""

from __future__ import annotations

import os
import re
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import c2pa

from synthesis.errors import SynthesisError
from synthesis.provenance.keys import Signer
from synthesis.provenance.mark.embed import ALGORITHM
from synthesis.provenance.native import media_type, settings
from synthesis.provenance.read import is_parseable

Json = dict[str, Any]

SPEC_VERSION = "2.4.0"
UNKNOWN_FORMAT = "application/octet-stream"
CONSENT_LABEL = "org.lipweb.consent"
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
ACTIONS = (
    "c2pa.placed",
    "c2pa.dubbed",
    "c2pa.translated",
    "c2pa.edited",
    "c2pa.watermarked.bound",
)
"""All we ever write; c2pa.opened comes with the edit intent. The library takes any."""

OVERSIGHT = ("fully_autonomous", "prompt_guided", "human_validated")
TRAINING_USES = (
    "cawg.ai_generative_training",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.data_mining",
)
CREATED = [
    "c2pa.actions",
    "c2pa.soft-binding",
    "c2pa.ai-disclosure",
    "c2pa.ingredient",
    "cawg.training-mining",
    CONSENT_LABEL,
]
"""Assertions that are ours, not gathered from somebody else."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MARK_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class ManifestFacts:
    """What a manifest says. Hashes are SHA-256, 64 lower-case hex digits.

    title: of the deliverable, as shown to the public: no name of a person.
    source_language, target_language: BCP-47. mark_id: 16 hex digits.
    consent_records: hashes of the grant records it stands on, at least one.
    ledger_root: root hash of the ledger's newest checkpoint, None before the first.
    oversight: `human_validated` only after a real approval.
    Raises ValueError where a hash is no hash, so that no name can slip in.
    """

    title: str
    scene_path: Path
    scene_sha256: str
    sound_path: Path
    sound_sha256: str
    model_name: str
    model_sha256: str
    source_language: str
    target_language: str
    mark_id: str
    consent_records: tuple[str, ...]
    ledger_root: str | None
    software_version: str
    mark_algorithm: str = ALGORITHM
    digital_source_type: str = DIGITAL_SOURCE_TYPE
    oversight: str = "prompt_guided"

    def __post_init__(self) -> None:
        """Refuse what is not of the stated form."""
        ours = (self.scene_sha256, self.sound_sha256, self.model_sha256)
        hashes = [*ours, *self.consent_records]
        if self.ledger_root is not None:
            hashes.append(self.ledger_root)
        if not all(_SHA256.fullmatch(text) for text in hashes):
            raise ValueError("a hash is not 64 lower-case hexadecimal digits")
        if not self.consent_records:
            raise ValueError("a manifest stands on at least one consent record")
        if not _MARK_ID.fullmatch(self.mark_id):
            raise ValueError("the mark id is not 16 lower-case hexadecimal digits")
        if self.oversight not in OVERSIGHT:
            raise ValueError(f"oversight is none of {OVERSIGHT}")


@dataclass(frozen=True)
class SignedManifest:
    """manifest_id: its label in the file; manifest: its bytes (application/c2pa)."""

    manifest_id: str
    manifest: bytes


def sign(
    source: Path,
    target: Path,
    *,
    facts: ManifestFacts,
    signer: Signer,
    anchors: bytes = b"",
    when: datetime | None = None,
) -> SignedManifest:
    """Write `source` (MP4 or MOV) with a signed manifest to `target`.

    anchors: PEM roots by which the ingredients' own credentials are judged. The target
    appears whole or not at all, and may be the source itself. Memory stays constant.
    Raises SynthesisError `credential-not-signed`, with nothing left behind.
    """
    manifest_id = f"urn:c2pa:{uuid.uuid4()}"
    draft: Path | None = None
    try:
        kind = media_type(source) or "video/mp4"
        draft = _new_file_beside(target)
        with (
            _builder(manifest_id, facts, kind, anchors, when) as builder,
            _c2pa_signer(signer) as native,
            source.open("rb") as unsigned,
            draft.open("w+b") as signed,
        ):
            manifest = builder.sign(native, kind, unsigned, signed)
            signed.flush()
            os.fsync(signed.fileno())
        draft.replace(target)
    except (c2pa.C2paError, OSError) as error:
        raise SynthesisError(
            "credential-not-signed",
            "The Content Credential could not be signed, so the file was not made. "
            "Check the signing certificate and the free disk space, then try again.",
        ) from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
    return SignedManifest(manifest_id, manifest)


def _new_file_beside(target: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".signing-")
    os.close(handle)
    return Path(name)


def _c2pa_signer(signer: Signer) -> c2pa.Signer:
    return c2pa.Signer.from_callback(
        signer.sign, c2pa.C2paSigningAlg.ES256, signer.chain_pem.decode("ascii")
    )


def _builder(
    manifest_id: str,
    facts: ManifestFacts,
    kind: str,
    anchors: bytes,
    when: datetime | None,
) -> c2pa.Builder:
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    files = [(facts.scene_path, _scene(facts)), (facts.sound_path, _sound(facts))]
    parsed = [(path, one, _parsed(path)) for path, one in files]
    by_hash = [one for _, one, found in parsed if found is None]
    definition = {
        "label": manifest_id,
        "claim_version": 2,
        "title": facts.title,
        "format": kind,
        "claim_generator_info": [_agent(facts) | {"specVersion": SPEC_VERSION}],
        "assertions": _assertions(facts, moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
        "ingredients": [_model(facts), *by_hash],
    }
    context = c2pa.Context.from_dict(
        settings(anchors)
        | {
            "builder": {
                "thumbnail": {"enabled": False},
                "created_assertion_labels": CREATED,
                # Else a stranger could put boxes into a file that stays valid.
                "bmff_hash_exclude_free_and_skip_boxes": False,
            }
        }
    )
    builder = c2pa.Builder(definition, context=context)
    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
    for path, one, found in parsed:
        if found is not None:
            with path.open("rb") as stream:
                builder.add_ingredient(one | {"format": found}, found, stream)
    return builder


def _agent(facts: ManifestFacts) -> Json:
    return {"name": "lipweb", "version": facts.software_version}


def _assertions(facts: ManifestFacts, when: str) -> list[Json]:
    consent: Json = {
        "records": list(facts.consent_records),
        "sceneSha256": facts.scene_sha256,
    }
    if facts.ledger_root is not None:
        consent["ledgerRoot"] = facts.ledger_root
    content: dict[str, Json] = {
        "c2pa.actions.v2": {
            "actions": _actions(facts, when),
            "allActionsIncluded": True,
        },
        "c2pa.soft-binding": {
            "alg": facts.mark_algorithm,
            "blocks": [{"scope": {}, "value": facts.mark_id}],
            "pad": [],
        },
        "c2pa.ai-disclosure": {
            "modelType": "c2pa.types.model",
            "modelName": facts.model_name,
            "modelIdentifier": f"sha256:{facts.model_sha256}",
            "contentProfile": {"humanOversightLevel": facts.oversight},
        },
        "cawg.training-mining": {
            "entries": {use: {"use": "notAllowed"} for use in TRAINING_USES}
        },
        CONSENT_LABEL: consent,
    }
    return [{"label": label, "data": data} for label, data in content.items()]


def _actions(facts: ManifestFacts, when: str) -> list[Json]:
    """What was done, in order; c2pa.opened is put before these by the edit intent."""
    made = {"digitalSourceType": facts.digital_source_type}
    details: dict[str, Json] = {
        "c2pa.placed": {"parameters": {"ingredientIds": ["sound"]}},
        "c2pa.dubbed": made,
        "c2pa.translated": {
            "parameters": {
                "sourceLanguage": facts.source_language,
                "targetLanguage": facts.target_language,
            }
        },
        "c2pa.edited": made | {"parameters": {"ingredientIds": ["model"]}},
        "c2pa.watermarked.bound": {},
    }
    common = {"when": when, "softwareAgent": _agent(facts)}
    return [{"action": action} | common | details[action] for action in ACTIONS]


def _scene(facts: ManifestFacts) -> Json:
    return {
        "title": "Scene",
        "relationship": "parentOf",
        "label": "scene",
        "format": UNKNOWN_FORMAT,
        "instance_id": f"sha256:{facts.scene_sha256}",
    }


def _sound(facts: ManifestFacts) -> Json:
    return {
        "title": "Dub sound",
        "relationship": "componentOf",
        "label": "sound",
        "format": UNKNOWN_FORMAT,
        "instance_id": f"sha256:{facts.sound_sha256}",
    }


def _model(facts: ManifestFacts) -> Json:
    return {
        "title": facts.model_name,
        "format": UNKNOWN_FORMAT,
        "relationship": "inputTo",
        "label": "model",
        "instance_id": f"sha256:{facts.model_sha256}",
        "data_types": [{"type": "c2pa.types.model"}],
    }


def _parsed(path: Path) -> str | None:
    """Media type of an ingredient's file, if it may be shown to the native parser.

    It is somebody's upload: a file that the guarded child could not read goes into
    the manifest by its hash alone.
    """
    kind = media_type(path)
    return kind if kind is not None and is_parseable(path) else None
