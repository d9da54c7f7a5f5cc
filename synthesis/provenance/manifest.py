"""The Content Credential of a deliverable: built by one recipe, signed last.

The recipe is RESEARCH section 4; tests/.../test_conformance.py holds it to each rule of
the C2PA asset rubric for spec 2.4. Nothing in a manifest names a person: consent
appears as hashes, files as "Scene" and "Dub sound".
"""

from __future__ import annotations

import io
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import c2pa

from synthesis.provenance.binding import Binding
from synthesis.provenance.ingredients import ingredient_archive
from synthesis.provenance.mark.embed import ALGORITHM
from synthesis.provenance.native import (
    CONSENT_LABEL,
    VISIBLE_LABEL,
    media_type,
    settings,
)
from synthesis.provenance.signers import Signer
from synthesis.provenance.signing import film_put, or_not_signed

Json = dict[str, Any]

SPEC_VERSION = "2.4.0"
UNKNOWN_FORMAT = "application/octet-stream"
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
ACTIONS = (
    "c2pa.placed",
    "c2pa.dubbed",
    "c2pa.translated",
    "c2pa.edited",
    "c2pa.watermarked.bound",
)
"""All we ever write; c2pa.opened comes with the edit intent. The library takes any."""

OVERSIGHT = ("fully_autonomous", "prompt_guided")
"""What may be said when a file is made. The third level of the spec, human_validated,
means that a person approved the finished file: only updates.py says it, of a release.
"""
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
    "c2pa.hash.bmff",
    "c2pa.ingredient",
    "c2pa.thumbnail.claim",
    "c2pa.thumbnail.ingredient",
    "cawg.training-mining",
    CONSENT_LABEL,
    VISIBLE_LABEL,
]
"""Assertions that are ours, not gathered from somebody else."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_JPEG = b"\xff\xd8\xff"
_MARK_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class LabelFacts:
    """The label in the picture: what it says, in which language (BCP-47), and for how
    many seconds it is shown at the beginning and after breaks; None: throughout."""

    wording: str
    language: str
    opening_s: int | None = None


@dataclass(frozen=True)
class ManifestFacts:
    """What a manifest says. Hashes are SHA-256, 64 lower-case hex digits.

    title: of the deliverable, as shown to the public: no name of a person.
    source_language, target_language: BCP-47. mark_id: 16 hex digits.
    consent_records: hashes of the grant records it stands on, at least one.
    ledger_root: root hash of the ledger's newest checkpoint, None before the first.
    thumbnail: JPEG of the finished, labelled picture; empty for none.
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
    thumbnail: bytes = b""
    label: LabelFacts | None = None

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
        if self.thumbnail and not self.thumbnail.startswith(_JPEG):
            raise ValueError("the thumbnail is no JPEG")


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
    time_authority: str = "",
) -> SignedManifest:
    """Write `source` (MP4 or MOV) with a signed manifest to `target`.

    anchors: PEM roots by which the ingredients' own credentials are judged. The target
    appears whole or not at all, and may be the source itself. Memory stays constant.
    It is not read back: the caller does that, with everything else on the file.
    time_authority: see signing.head_sign.
    Raises SynthesisError `credential-not-signed`, with nothing left behind.
    """
    manifest_id = f"urn:c2pa:{uuid.uuid4()}"
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    with or_not_signed():
        kind = media_type(source) or "video/mp4"
        made_of = _ingredients(facts, anchors)
        manifest = film_put(
            partial(_builder, manifest_id, facts, kind, made_of, moment),
            kind,
            source,
            target,
            signer=signer,
            time_authority=time_authority,
        )
    return SignedManifest(manifest_id, manifest)


@dataclass(frozen=True)
class _Ingredients:
    """Those told by their hash, and the library's archives of the others."""

    by_hash: tuple[Json, ...]
    archives: tuple[bytes, ...]


def _ingredients(facts: ManifestFacts, anchors: bytes) -> _Ingredients:
    files = [(facts.scene_path, _scene(facts)), (facts.sound_path, _sound(facts))]
    read = [
        (one, ingredient_archive(path, one, anchors=anchors)) for path, one in files
    ]
    return _Ingredients(
        by_hash=(_model(facts), *(one for one, archive in read if archive is None)),
        archives=tuple(archive for _, archive in read if archive is not None),
    )


def _builder(
    manifest_id: str,
    facts: ManifestFacts,
    kind: str,
    made_of: _Ingredients,
    moment: datetime,
    binding: Binding,
) -> c2pa.Builder:
    assertions = [*_assertions(facts, stamp(moment)), binding.assertion()]
    definition = definition_of(manifest_id, facts, kind, assertions)
    definition["ingredients"] = list(made_of.by_hash)
    if facts.thumbnail:
        definition["thumbnail"] = {"format": "image/jpeg", "identifier": "thumbnail"}
    context = c2pa.Context.from_dict(settings(b"", created=CREATED))
    builder = c2pa.Builder(definition, context=context)
    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
    if facts.thumbnail:
        builder.add_resource("thumbnail", io.BytesIO(facts.thumbnail))
    for archive in made_of.archives:
        builder.add_ingredient_from_archive(io.BytesIO(archive))
    return builder


class Stated(Protocol):
    """What every manifest of this house says of itself."""

    @property
    def title(self) -> str: ...
    @property
    def software_version(self) -> str: ...


def definition_of(
    manifest_id: str, facts: Stated, kind: str, assertions: list[Json]
) -> Json:
    """A manifest as the native library takes one, without ingredients."""
    return {
        "label": manifest_id,
        "claim_version": 2,
        "title": facts.title,
        "format": kind,
        "claim_generator_info": [
            agent(facts.software_version) | {"specVersion": SPEC_VERSION}
        ],
        "assertions": assertions,
    }


def soft_binding(algorithm: str, mark_id: str) -> Json:
    """Names the invisible mark by which a stripped file is found again."""
    return {
        "alg": algorithm,
        "blocks": [{"scope": {}, "value": mark_id}],
        "pad": [],
    }


def agent(version: str) -> Json:
    """Who did what an action says."""
    return {"name": "lipweb", "version": version}


def stamp(moment: datetime) -> str:
    """An instant as manifests state it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
        "c2pa.soft-binding": soft_binding(facts.mark_algorithm, facts.mark_id),
        "c2pa.ai-disclosure": disclosure(
            facts.model_name, facts.model_sha256, oversight=facts.oversight
        ),
        "cawg.training-mining": {
            "entries": {use: {"use": "notAllowed"} for use in TRAINING_USES}
        },
        CONSENT_LABEL: consent,
    }
    if facts.label is not None:
        content[VISIBLE_LABEL] = _visible_label(facts.label)
    return [{"label": label, "data": data} for label, data in content.items()]


def _visible_label(label: LabelFacts) -> Json:
    shown: Json = {"wording": label.wording, "language": label.language}
    if label.opening_s is None:
        return shown | {"duration": "whole"}
    return shown | {"duration": "opening", "seconds": label.opening_s}


def disclosure(name: str, sha256: str, *, oversight: str) -> Json:
    """The AI disclosure: which model, and how far a person answers for the result.
    sha256: of its weights, "" where they are not known any more."""
    known = {"modelIdentifier": f"sha256:{sha256}"} if sha256 else {}
    return {
        "modelType": "c2pa.types.model",
        "modelName": name,
        "contentProfile": {"humanOversightLevel": oversight},
    } | known


def _actions(facts: ManifestFacts, when: str) -> list[Json]:
    """What was done, in order; c2pa.opened is put before these by the edit intent."""
    made = {"digitalSourceType": facts.digital_source_type}
    details: dict[str, Json] = {
        "c2pa.placed": {"parameters": {"ingredientIds": ["sound"]}},
        "c2pa.dubbed": made,
        "c2pa.translated": made
        | {
            "parameters": {
                "sourceLanguage": facts.source_language,
                "targetLanguage": facts.target_language,
            }
        },
        "c2pa.edited": made | {"parameters": {"ingredientIds": ["model"]}},
        "c2pa.watermarked.bound": {},
    }
    common = {"when": when, "softwareAgent": agent(facts.software_version)}
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
