"""The whole document of a grant, to and from plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from consent.errors import RecordRefused
from consent.record.parties import Cosigner, Grantee, Grantor, MandateRef
from consent.record.terms import (
    SHA256,
    Basis,
    Dialogue,
    GrantTerms,
    SceneRef,
    instant,
    moment_of,
    require,
)

GRANT_SCHEMA: Final = "lipweb-grant-v2"
WHOLE_PROJECT: Final = "project"
WITHDRAWAL: Final = {
    "unreleased_work": "stopped-and-locked",
    "released_work": "status-published",
    "learned_models": "deleted",
    "suspension": "stopped-and-closed-while-it-lasts",
}
"""What taking a grant back does, the same for every grant. So are the modality, kind
and region below, and mining: this house asks for nothing else, and says so."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a record stands in the talk about it: its number, whose words it is, and
    the SHA-256 of the record it answers."""

    version: int = 1
    by: str = "producer"
    answers: str | None = None

    def __post_init__(self) -> None:
        require(self.by in ("producer", "actor"), "Whose words are these?")
        first = self.version == 1 and type(self.version) is int
        later = type(self.version) is int and self.version > 1
        require(first or later, "A version is a number from 1.")
        require(first == (self.answers is None), "A later version answers another.")
        fits = self.answers is None or SHA256.fullmatch(self.answers)
        require(fits, "A version names the one before by its SHA-256.")


@dataclass(frozen=True, kw_only=True)
class ShownText:
    """Which words the actor read: template version, locale, SHA-256 of the text."""

    template: str = ""
    locale: str = "en"
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class GrantRecord:
    """The whole document of a grant."""

    grant_id: str
    grantor: Grantor
    grantee: Grantee
    terms: GrantTerms
    proposed_at: datetime
    step: Step = field(default_factory=Step)
    text: ShownText = field(default_factory=ShownText)
    cosigner: Cosigner | None = None

    def with_text(self, text: ShownText) -> GrantRecord:
        return replace(self, text=text)

    def document(self) -> dict[str, Any]:
        """Return the document as JSON values, every field present."""
        return {
            "schema": GRANT_SCHEMA,
            "grant": self.grant_id,
            "grantor": _grantor_document(self.grantor),
            "cosigner": _cosigner_document(self.cosigner),
            "grantee": _grantee_document(self.grantee),
            "scope": _scope_document(self.terms),
            "purposes": {
                "inference": self.terms.inference,
                "training": self.terms.training,
                "mining": False,
            },
            "basis": _basis_document(self.terms),
            "compensation": self.terms.compensation_commitment,
            "withdrawal": dict(WITHDRAWAL),
            "proposal": asdict(self.step),
            "text": text_document(self.text),
            "proposed_at": instant(self.proposed_at),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> GrantRecord:
        """Read a document, refusing with RecordRefused whatever document() would
        not have written: a missing, foreign or misshapen field."""
        try:
            record = cls(
                grant_id=document["grant"],
                grantor=_grantor_read(document["grantor"]),
                grantee=_grantee_read(document["grantee"]),
                terms=_terms_read(document),
                proposed_at=moment_of(document["proposed_at"]),
                step=Step(**document["proposal"]),
                text=ShownText(**document["text"]),
                cosigner=_cosigner_read(document["cosigner"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordRefused("This is not a grant record of this form.") from error
        if record.document() != dict(document):
            raise RecordRefused("The grant record holds something foreign.")
        return record


def _grantor_document(grantor: Grantor) -> dict[str, Any]:
    return {
        "actor": grantor.actor_id,
        "legal_name": grantor.legal_name,
        "stage_name": grantor.stage_name,
        "life": grantor.life,
        "age": grantor.age,
        "signs": grantor.signs,
        "mandate": _mandate_document(grantor.mandate),
    }


def _mandate_document(mandate: MandateRef | None) -> dict[str, str] | None:
    if mandate is None:
        return None
    return {
        "holder": mandate.holder,
        "evidence_sha256": mandate.evidence_sha256,
        "from": instant(mandate.starts_at),
        "until": instant(mandate.ends_at),
    }


def _grantor_read(part: Mapping[str, Any]) -> Grantor:
    fields = dict(part)
    mandate = fields.pop("mandate")
    if mandate is not None:
        mandate = MandateRef(
            holder=mandate["holder"],
            evidence_sha256=mandate["evidence_sha256"],
            starts_at=moment_of(mandate["from"]),
            ends_at=moment_of(mandate["until"]),
        )
    return Grantor(actor_id=fields.pop("actor"), mandate=mandate, **fields)


def _cosigner_document(cosigner: Cosigner | None) -> dict[str, str] | None:
    if cosigner is None:
        return None
    return {
        "cosigner": cosigner.cosigner_id,
        "role": cosigner.role,
        "name": cosigner.name,
        "email": cosigner.email,
    }


def _cosigner_read(part: Mapping[str, Any] | None) -> Cosigner | None:
    if part is None:
        return None
    fields = dict(part)
    return Cosigner(cosigner_id=fields.pop("cosigner"), **fields)


def _grantee_document(grantee: Grantee) -> dict[str, Any]:
    return {
        "project": grantee.project_id,
        "company": grantee.company,
        "production": grantee.production,
        "assignable": grantee.assignable,
    }


def _grantee_read(part: Mapping[str, Any]) -> Grantee:
    fields = dict(part)
    return Grantee(project_id=fields.pop("project"), **fields)


def _basis_document(terms: GrantTerms) -> dict[str, str | None]:
    return {**asdict(terms.basis), "counsel": terms.counsel, "union": terms.union}


def _scope_document(terms: GrantTerms) -> dict[str, Any]:
    scenes: str | list[dict[str, str]] = WHOLE_PROJECT
    if terms.scenes is not None:
        scenes = [{"title": s.title, "sha256": s.sha256} for s in terms.scenes]
    return {
        "modality": "face",
        "kind": "digital-alteration",
        "region": "mouth-and-jaw",
        "scenes": scenes,
        "languages": list(terms.languages),
        "territories": list(terms.territories),
        "media": list(terms.media),
        "from": instant(terms.starts_at),
        "until": instant(terms.ends_at),
        "dialogue": asdict(terms.dialogue) if terms.dialogue else None,
        "excluded_content": list(terms.excluded_content),
        "output_approval": terms.output_approval,
    }


def _terms_read(document: Mapping[str, Any]) -> GrantTerms:
    scope, purposes, basis = document["scope"], document["purposes"], document["basis"]
    dialogue, scenes = scope["dialogue"], None
    if scope["scenes"] != WHOLE_PROJECT:
        scenes = tuple(SceneRef(**scene) for scene in scope["scenes"])
    return GrantTerms(
        languages=tuple(scope["languages"]),
        territories=tuple(scope["territories"]),
        media=tuple(scope["media"]),
        starts_at=moment_of(scope["from"]),
        ends_at=moment_of(scope["until"]),
        inference=purposes["inference"],
        training=purposes["training"],
        scenes=scenes,
        excluded_content=tuple(scope["excluded_content"]),
        output_approval=scope["output_approval"],
        compensation_commitment=document["compensation"],
        counsel=basis["counsel"],
        union=basis["union"],
        dialogue=None if dialogue is None else Dialogue(**dialogue),
        basis=Basis(kind=basis["kind"], document_sha256=basis["document_sha256"]),
    )


def text_document(text: ShownText) -> dict[str, str]:
    """Return what names the words that were shown, as every signed document has it."""
    return {"template": text.template, "locale": text.locale, "sha256": text.sha256}
