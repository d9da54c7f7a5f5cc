"""May this use be made of this face? One place answers, anew each time it is asked.

Nothing is allowed unless a signed grant says so in every term; no answer is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from consent.asked import grant_as_it_stands, grants_signed, logged_about
from consent.errors import ConsentDenied, Failure, SignatureRefused
from consent.models import Actor, Grant, Project
from consent.narrowing import language_covers
from consent.proof import (
    grant_verify_signature,
    is_cosigned,
    is_output_approved,
    is_revoked,
    is_suspended,
)
from consent.record import CONTENT, MEDIA, PURPOSES, WORLDWIDE, GrantRecord
from consent.sentences import (
    MEDIA_WORDS,
    day_words,
    kinds_words,
    language_words,
    until_words,
)


@dataclass(frozen=True, kw_only=True)
class Use:
    """One thing somebody wants to do with an actor's face.

    scene_sha256 is the SHA-256 (hex) of the scene's file; language a BCP-47 tag, not
    looked at for training; territory "worldwide" or an ISO 3166 code; medium one of
    record.MEDIA; moment aware. output_sha256 is the finished file's that is to be
    handed out, and empty for everything before that. content is which of record.CONTENT
    lines or scene hold, None where nobody has said; not looked at for training."""

    actor_id: UUID
    project_id: UUID
    scene_sha256: str
    language: str
    purpose: Literal["inference", "training"]
    territory: str
    medium: str
    moment: datetime
    output_sha256: str = ""
    content: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            raise ValueError(f"unknown purpose {self.purpose!r}")
        if unknown := (self.content or frozenset()).difference(CONTENT):
            raise ValueError(f"unknown content {sorted(unknown)}")
        if self.moment.tzinfo is None:
            raise ValueError("the moment of a use needs its time zone")


def verify(use: Use) -> Grant:
    """Return the signed, unrevoked grant that allows the use.

    Raises ConsentDenied, with every failed term of the grant that comes closest."""
    closest: tuple[Failure, ...] | None = None
    for grant in _candidates(use):
        failures = _failures(grant, use)
        if not failures:
            return grant
        if closest is None or len(failures) < len(closest):
            closest = failures
    raise ConsentDenied(closest or (_nothing_signed(use),))


def verify_grant(grant: Grant, use: Use) -> None:
    """Raise ConsentDenied unless this very grant, as it now stands in the database,
    allows the use."""
    current = grant_as_it_stands(grant.id)
    if current is None:
        raise ConsentDenied((_nothing_signed(use),))
    failures = _failures(current, use)
    if failures:
        raise ConsentDenied(failures)


def grants_usable(use: Use) -> list[Grant]:
    """Return every grant that allows the use, the newest signature first."""
    return [grant for grant in _candidates(use) if not _failures(grant, use)]


def uses_allowed(uses: Iterable[Use]) -> list[Use]:
    """Return those of the uses that some grant allows, in their order.

    It says of each what verify() says of it; each grant is read and proved once."""
    standing: dict[tuple[UUID, UUID], list[Grant]] = {}
    allowed = []
    for use in uses:
        parties = (use.actor_id, use.project_id)
        if parties not in standing:
            grants = _candidates(use)
            standing[parties] = [grant for grant in grants if not _unproved(grant)]
        if any(not _broken_terms(grant, use) for grant in standing[parties]):
            allowed.append(use)
    return allowed


def _candidates(use: Use) -> list[Grant]:
    return grants_signed(actor_id=use.actor_id, project_id=use.project_id)


def _nothing_signed(use: Use) -> Failure:
    actor = Actor.objects.filter(pk=use.actor_id).first()
    project = Project.objects.filter(pk=use.project_id).first()
    name, production = actor or "The actor", project or "this production"
    asked = Grant.objects.open().filter(
        actor_id=use.actor_id, project_id=use.project_id
    )
    if asked.exists():
        words = f"{name} was asked for {production} and has not signed yet."
        return Failure("not-signed", words)
    return Failure("no-grant", f"{name} has signed no grant for {production}.")


def _failures(grant: Grant, use: Use) -> tuple[Failure, ...]:
    unproved = _unproved(grant)
    # Its terms are then nobody's word: there is nothing further to compare.
    return (unproved,) if unproved else _broken_terms(grant, use)


def _unproved(grant: Grant) -> Failure | None:
    """What keeps the grant from being the actor's word today, whatever the use."""
    if grant.signed_at is None or grant.declined_at is not None:
        return Failure("not-signed", "The grant is not signed.")
    logged = logged_about(grant.id, grant.credential_id)
    if is_revoked(grant, logged):
        return Failure("revoked", "The actor has withdrawn this grant.")
    if is_suspended(grant, logged):
        return Failure("suspended", "The actor has suspended this grant.")
    try:
        grant_verify_signature(grant, logged)
    except SignatureRefused as refusal:
        return Failure("signature", refusal.sentence)
    return None if is_cosigned(grant) else _not_cosigned(grant)


def _broken_terms(grant: Grant, use: Use) -> tuple[Failure, ...]:
    checked = [term(grant.document, use) for term in TERMS]
    checked.append(_output(grant, use))
    return tuple(failure for failure in checked if failure)


def _not_cosigned(grant: Grant) -> Failure:
    cosigner = grant.document.cosigner
    name = cosigner.name if cosigner else "The co-signer"
    return Failure("not-cosigned", f"{name} has not co-signed this grant yet.")


def _output(grant: Grant, use: Use) -> Failure | None:
    wanted = grant.document.terms.output_approval and use.output_sha256
    if not wanted or is_output_approved(grant, use.output_sha256):
        return None
    name = grant.document.grantor.stage_name or "The actor"
    sentence = f"{name} has not approved this very file. They do so on their own page."
    return Failure("output-approval", sentence)


def _parties(record: GrantRecord, use: Use) -> Failure | None:
    if record.grantor.actor_id != str(use.actor_id):
        return Failure("actor", "The grant is another actor's.")
    if record.grantee.project_id != str(use.project_id):
        return Failure("project", "The grant is for another production.")
    return None


def _purpose(record: GrantRecord, use: Use) -> Failure | None:
    if use.purpose == "inference" and not record.terms.inference:
        return Failure("purpose", "The grant does not allow changing the picture.")
    if use.purpose == "training" and not record.terms.training:
        return Failure("purpose", "The grant does not allow training on the face.")
    return None


def _scene(record: GrantRecord, use: Use) -> Failure | None:
    scenes = record.terms.scenes
    if scenes is None or use.scene_sha256 in {scene.sha256 for scene in scenes}:
        return None
    return Failure("scene", "The grant does not cover this scene.")


def _language(record: GrantRecord, use: Use) -> Failure | None:
    if use.purpose == "training" or any(
        language_covers(granted, use.language) for granted in record.terms.languages
    ):
        return None
    tongue = language_words(use.language)
    return Failure("language", f"The grant does not cover {tongue}.")


def _territory(record: GrantRecord, use: Use) -> Failure | None:
    granted = record.terms.territories
    if WORLDWIDE in granted or use.territory in granted:
        return None
    return Failure("territory", f"The grant does not cover {use.territory}.")


def _medium(record: GrantRecord, use: Use) -> Failure | None:
    if use.medium in record.terms.media and use.medium in MEDIA:
        return None
    medium = MEDIA_WORDS.get(use.medium, use.medium)
    return Failure("medium", f"The grant does not cover {medium}.")


def _content(record: GrantRecord, use: Use) -> Failure | None:
    excluded = record.terms.excluded_kinds
    if use.purpose == "training" or not excluded:
        return None
    if use.content is None:
        sentence = (
            f"The grant excludes {kinds_words(excluded)}, and nobody has said yet"
            " whether this holds any of it."
        )
        return Failure("content-not-said", sentence)
    held = excluded & use.content
    if not held:
        return None
    sentence = f"The grant is never for {kinds_words(held)}, and this holds it."
    return Failure("excluded-content", sentence)


def _begun(record: GrantRecord, use: Use) -> Failure | None:
    if use.moment >= record.terms.starts_at:
        return None
    start = day_words(record.terms.starts_at)
    return Failure("not-yet", f"The grant begins on {start} (UTC).")


def _not_over(record: GrantRecord, use: Use) -> Failure | None:
    if use.moment < record.terms.ends_at:
        return None
    end = until_words(record.terms.ends_at)
    return Failure("expired", f"The grant ran to {end} (UTC).")


def _mandate(record: GrantRecord, use: Use) -> Failure | None:
    mandate = record.grantor.mandate
    if mandate is None or mandate.starts_at <= use.moment < mandate.ends_at:
        return None
    end = until_words(mandate.ends_at)
    holder = mandate.holder
    return Failure("mandate", f"{holder}'s mandate to sign ran to {end} (UTC).")


TERMS: Final[tuple[Callable[[GrantRecord, Use], Failure | None], ...]] = (
    _parties,
    _purpose,
    _scene,
    _language,
    _territory,
    _medium,
    _content,
    _begun,
    _not_over,
    _mandate,
)
