"""What is signed: the grant, and what is said of it later, as versioned documents.

A document is plain JSON; the dataclasses here are the only way in and out of it, and
refuse whatever is not exactly of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from consent.errors import RecordRefused

GRANT_SCHEMA: Final = "lipweb-grant-v2"
REVOCATION_SCHEMA: Final = "lipweb-revocation-v1"
SUSPENSION_SCHEMA: Final = "lipweb-suspension-v1"
PASSKEY_SCHEMA: Final = "lipweb-passkey-confirmation-v1"
OUTPUT_SCHEMA: Final = "lipweb-output-approval-v1"

WORLDWIDE: Final = "worldwide"
WHOLE_PROJECT: Final = "project"
MEDIA: Final = ("cinema", "streaming", "broadcast", "home-video", "trailer", "social")
SIGNERS: Final = ("self", "guardian", "estate", "representative")
PURPOSES: Final = ("inference", "training")
COSIGNER_ROLES: Final = ("agent", "union", "other")

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_TERRITORY = re.compile(r"[A-Z]{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


def instant(moment: datetime) -> str:
    """Return an aware moment as UTC text to the second: 2026-11-21T04:30:00Z."""
    if moment.tzinfo is None:
        raise RecordRefused("A moment in a record needs its time zone.")
    return moment.astimezone(UTC).strftime(_INSTANT)


def moment_of(text: str) -> datetime:
    """Return the aware moment that instant() wrote."""
    return datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)


def _require(condition: object, sentence: str) -> None:
    if not condition:
        raise RecordRefused(sentence)


@dataclass(frozen=True, kw_only=True)
class SceneRef:
    """One scene by the SHA-256 of its file; the title is for the reader."""

    title: str
    sha256: str

    def __post_init__(self) -> None:
        _require(_SHA256.fullmatch(self.sha256), "A scene needs its SHA-256.")
        _require(self.title.strip(), "A scene needs a title.")


@dataclass(frozen=True, kw_only=True)
class GrantTerms:
    """What is asked. Nothing is granted unless said: both purposes default to no.

    scenes None is every scene of the production. languages are BCP-47 tags, each of
    which covers its narrower ones (es covers es-MX). territories are "worldwide" or
    ISO 3166 codes. starts_at is within the grant, ends_at is not."""

    languages: tuple[str, ...]
    territories: tuple[str, ...]
    media: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    inference: bool = False
    training: bool = False
    scenes: tuple[SceneRef, ...] | None = None
    excluded_content: tuple[str, ...] = ()
    output_approval: bool = False
    compensation_commitment: str | None = None
    counsel: str | None = None

    def __post_init__(self) -> None:
        for choice in (self.inference, self.training, self.output_approval):
            _require(isinstance(choice, bool), "A choice in a grant is yes or no.")
        _require(self.inference or self.training, "Say what the grant allows.")
        _require(self.languages, "Name at least one language.")
        for tag in self.languages:
            _require(_LANGUAGE.fullmatch(tag), f"{tag!r} is not a language tag.")
        _require(self.territories, "Name at least one territory.")
        for code in self.territories:
            known = code == WORLDWIDE or _TERRITORY.fullmatch(code)
            _require(known, f"{code!r} is not a country code such as DE.")
        _require(self.media, "Name at least one medium.")
        for medium in self.media:
            _require(medium in MEDIA, f"{medium!r} is not a medium known here.")
        _require(self.scenes is None or self.scenes, "Name at least one scene.")
        ordered = instant(self.starts_at) < instant(self.ends_at)
        _require(ordered, "The grant must end after it begins.")
        commitment = self.compensation_commitment
        fits = commitment is None or _SHA256.fullmatch(commitment)
        _require(fits, "The payment commitment must be a SHA-256.")


@dataclass(frozen=True, kw_only=True)
class MandateRef:
    """By what right somebody signs for an actor: who they are, the SHA-256 of the
    document that shows it, and from when to (not at) when it holds."""

    holder: str
    evidence_sha256: str
    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        _require(self.holder.strip(), "Whoever signs for the actor needs a name.")
        known = _SHA256.fullmatch(self.evidence_sha256)
        _require(known, "A mandate needs the SHA-256 of its evidence.")
        ordered = instant(self.starts_at) < instant(self.ends_at)
        _require(ordered, "The mandate must end after it begins.")


@dataclass(frozen=True, kw_only=True)
class Grantor:
    """Whose face it is, and who signs for them by what mandate.

    A minor is never their own signer, nor is anybody deceased; whoever signs for
    another has a mandate."""

    actor_id: str
    legal_name: str
    stage_name: str
    life: str = "living"
    age: str = "adult"
    signs: str = "self"
    mandate: MandateRef | None = None

    def __post_init__(self) -> None:
        _require(self.legal_name.strip(), "The actor's legal name is missing.")
        _require(self.life in ("living", "deceased"), "Living or deceased?")
        _require(self.age in ("adult", "minor"), "Adult or minor?")
        _require(self.signs in SIGNERS, "Who signs is not known here.")
        if self.life == "deceased":
            _require(self.signs == "estate", "Only the estate signs for the deceased.")
        elif self.age == "minor":
            _require(self.signs == "guardian", "Only a guardian signs for a minor.")
        else:
            own = self.signs in ("self", "representative")
            _require(own, "An adult signs, or their representative does.")
        mandated = self.mandate is not None
        _require(mandated != (self.signs == "self"), "Who signs on what mandate?")


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a record stands in the talk about it: its number, whose words it is, and
    the SHA-256 of the record it answers."""

    version: int = 1
    by: str = "producer"
    answers: str | None = None

    def __post_init__(self) -> None:
        _require(self.by in ("producer", "actor"), "Whose words are these?")
        first = self.version == 1 and type(self.version) is int
        later = type(self.version) is int and self.version > 1
        _require(first or later, "A version is a number from 1.")
        _require(first == (self.answers is None), "A later version answers another.")
        fits = self.answers is None or _SHA256.fullmatch(self.answers)
        _require(fits, "A version names the one before by its SHA-256.")


@dataclass(frozen=True, kw_only=True)
class Grantee:
    """To whom: one company, for one production."""

    project_id: str
    company: str
    production: str
    assignable: bool = False


@dataclass(frozen=True, kw_only=True)
class Cosigner:
    """Who must sign the same words beside the actor before they allow anything."""

    cosigner_id: str
    role: str
    name: str
    email: str

    def __post_init__(self) -> None:
        _require(self.role in COSIGNER_ROLES, "An agent, a union, or another?")
        _require(self.name.strip(), "Whoever co-signs needs a name.")
        _require("@" in self.email, "Whoever co-signs needs an e-mail address.")


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
            },
            "basis": {"kind": "individual-consent", "counsel": self.terms.counsel},
            "compensation": self.terms.compensation_commitment,
            "withdrawal": {
                "unreleased_work": "stopped-and-locked",
                "released_work": "status-published",
                "learned_models": "deleted",
                "suspension": "stopped-and-closed-while-it-lasts",
            },
            "proposal": {
                "version": self.step.version,
                "by": self.step.by,
                "answers": self.step.answers,
            },
            "text": _text_document(self.text),
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
        "excluded_content": list(terms.excluded_content),
        "output_approval": terms.output_approval,
    }


def _terms_read(document: Mapping[str, Any]) -> GrantTerms:
    scope, purposes = document["scope"], document["purposes"]
    scenes = None
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
        counsel=document["basis"]["counsel"],
    )


def revocation_document(
    *, grant_id: str, grant_sha256: str, actor_id: str, kind: str, text: ShownText
) -> dict[str, Any]:
    """Return what an actor signs to take a grant back.

    It holds no moment of its own: a grant can be revoked only once, so the document
    is the same whenever it is asked for, and the ledger says when it was signed."""
    return {
        "schema": REVOCATION_SCHEMA,
        "kind": kind,
        "grant": grant_id,
        "grant_sha256": grant_sha256,
        "actor": actor_id,
        "text": _text_document(text),
    }


def suspension_document(
    *,
    grant_id: str,
    grant_sha256: str,
    actor_id: str,
    kind: str,
    number: int,
    text: ShownText,
) -> dict[str, Any]:
    """Return what an actor signs to suspend a grant, or to lift that again.

    number counts these words of one grant from 1, so that none can be used twice."""
    return {
        "schema": SUSPENSION_SCHEMA,
        "kind": kind,
        "number": number,
        "grant": grant_id,
        "grant_sha256": grant_sha256,
        "actor": actor_id,
        "text": _text_document(text),
    }


def output_document(
    *,
    grant_id: str,
    grant_sha256: str,
    actor_id: str,
    output_sha256: str,
    text: ShownText,
) -> dict[str, Any]:
    """Return what an actor signs to approve one finished file, named by its SHA-256."""
    return {
        "schema": OUTPUT_SCHEMA,
        "grant": grant_id,
        "grant_sha256": grant_sha256,
        "actor": actor_id,
        "output_sha256": output_sha256,
        "text": _text_document(text),
    }


def passkey_document(
    *, actor_id: str, credential: str, public_key_sha256: str, text: ShownText
) -> dict[str, Any]:
    """Return what an actor signs with a key they have, to confirm a further one."""
    return {
        "schema": PASSKEY_SCHEMA,
        "actor": actor_id,
        "credential": credential,
        "public_key_sha256": public_key_sha256,
        "text": _text_document(text),
    }


def _text_document(text: ShownText) -> dict[str, str]:
    return {"template": text.template, "locale": text.locale, "sha256": text.sha256}
