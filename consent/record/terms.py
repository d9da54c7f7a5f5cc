"""What a grant allows: its terms, and how records spell moments and hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from consent.errors import RecordRefused

WORLDWIDE: Final = "worldwide"
MEDIA: Final = ("cinema", "streaming", "broadcast", "home-video", "trailer", "social")
CONTENT: Final = (
    "nudity",
    "sex",
    "violence",
    "politics",
    "religion",
    "advertising",
    "smoking",
    "alcohol",
    "drugs",
)
"""What a use can be asked about. Whatever else is excluded stands in words, and is for
people to keep: no machine can match it."""
PURPOSES: Final = ("inference", "training")
BASES: Final = ("individual-consent", "contract-clause", "collective-agreement")

SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_TERRITORY = re.compile(r"[A-Z]{2}")
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


def instant(moment: datetime) -> str:
    """Return an aware moment as UTC text to the second: 2026-11-21T04:30:00Z."""
    if moment.tzinfo is None:
        raise RecordRefused("A moment in a record needs its time zone.")
    return moment.astimezone(UTC).strftime(_INSTANT)


def moment_of(text: str) -> datetime:
    """Return the aware moment that instant() wrote."""
    return datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)


def require(condition: object, sentence: str) -> None:
    """Raise RecordRefused with the sentence (a message id) unless condition holds."""
    if not condition:
        raise RecordRefused(sentence)


@dataclass(frozen=True, kw_only=True)
class SceneRef:
    """One scene by the SHA-256 of its file; the title is for the reader."""

    title: str
    sha256: str

    def __post_init__(self) -> None:
        require(SHA256.fullmatch(self.sha256), "A scene needs its SHA-256.")
        require(self.title.strip(), "A scene needs a title.")


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """What the actor will be seen to say: in the producer's words, and by the SHA-256
    of the script where there is one."""

    description: str
    sha256: str | None = None

    def __post_init__(self) -> None:
        require(self.description.strip(), "Say in words what will be spoken.")
        known = self.sha256 is None or SHA256.fullmatch(self.sha256)
        require(known, "A script is named by its SHA-256.")


@dataclass(frozen=True, kw_only=True)
class Basis:
    """On what ground the actor is asked: this consent alone, or a clause of a contract
    or a collective agreement too, which is then named by its SHA-256."""

    kind: str = "individual-consent"
    document_sha256: str | None = None

    def __post_init__(self) -> None:
        require(self.kind in BASES, "The ground of this question is not known here.")
        alone = self.kind == "individual-consent"
        named = self.document_sha256 is not None
        require(named != alone, "A contract or agreement needs its document.")
        fits = not named or SHA256.fullmatch(self.document_sha256 or "")
        require(fits, "A contract or agreement is named by its SHA-256.")


@dataclass(frozen=True, kw_only=True)
class GrantTerms:
    """What is asked. Nothing is granted unless said: both purposes default to no.

    scenes None is every scene of the production. languages are BCP-47 tags, each of
    which covers its narrower ones (es covers es-MX). territories are "worldwide" or
    ISO 3166 codes. excluded_content is of CONTENT, or free words. starts_at is within
    the grant, ends_at is not. counsel and union are who advised the actor."""

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
    union: str | None = None
    dialogue: Dialogue | None = None
    basis: Basis = field(default_factory=Basis)

    @property
    def excluded_kinds(self) -> frozenset[str]:
        """Those of CONTENT that are excluded: what the policy can keep by itself."""
        said = {words.strip().casefold() for words in self.excluded_content}
        return frozenset(said.intersection(CONTENT))

    @property
    def excluded_words(self) -> tuple[str, ...]:
        """What is excluded in free words, for people to keep."""
        return tuple(
            words
            for words in self.excluded_content
            if words.strip().casefold() not in CONTENT
        )

    def __post_init__(self) -> None:
        for choice in (self.inference, self.training, self.output_approval):
            require(isinstance(choice, bool), "A choice in a grant is yes or no.")
        require(self.inference or self.training, "Say what the grant allows.")
        require(self.languages, "Name at least one language.")
        for tag in self.languages:
            require(_LANGUAGE.fullmatch(tag), f"{tag!r} is not a language tag.")
        require(self.territories, "Name at least one territory.")
        for code in self.territories:
            known = code == WORLDWIDE or _TERRITORY.fullmatch(code)
            require(known, f"{code!r} is not a country code such as DE.")
        require(self.media, "Name at least one medium.")
        for medium in self.media:
            require(medium in MEDIA, f"{medium!r} is not a medium known here.")
        require(self.scenes is None or self.scenes, "Name at least one scene.")
        ordered = instant(self.starts_at) < instant(self.ends_at)
        require(ordered, "The grant must end after it begins.")
        commitment = self.compensation_commitment
        fits = commitment is None or SHA256.fullmatch(commitment)
        require(fits, "The payment commitment must be a SHA-256.")
