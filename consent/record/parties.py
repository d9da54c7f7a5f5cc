"""Who gives a grant, by what right somebody signs for them, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consent.record.terms import SHA256, instant, require

SIGNERS: Final = ("self", "guardian", "estate", "representative")
COSIGNER_ROLES: Final = ("agent", "union", "other")


@dataclass(frozen=True, kw_only=True)
class MandateRef:
    """By what right somebody signs for an actor: who they are, the SHA-256 of the
    document that shows it, and from when to (not at) when it holds."""

    holder: str
    evidence_sha256: str
    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        require(self.holder.strip(), "Whoever signs for the actor needs a name.")
        known = SHA256.fullmatch(self.evidence_sha256)
        require(known, "A mandate needs the SHA-256 of its evidence.")
        ordered = instant(self.starts_at) < instant(self.ends_at)
        require(ordered, "The mandate must end after it begins.")


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
        require(self.legal_name.strip(), "The actor's legal name is missing.")
        require(self.life in ("living", "deceased"), "Living or deceased?")
        require(self.age in ("adult", "minor"), "Adult or minor?")
        require(self.signs in SIGNERS, "Who signs is not known here.")
        if self.life == "deceased":
            require(self.signs == "estate", "Only the estate signs for the deceased.")
        elif self.age == "minor":
            require(self.signs == "guardian", "Only a guardian signs for a minor.")
        else:
            own = self.signs in ("self", "representative")
            require(own, "An adult signs, or their representative does.")
        mandated = self.mandate is not None
        require(mandated != (self.signs == "self"), "Who signs on what mandate?")


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
        require(self.role in COSIGNER_ROLES, "An agent, a union, or another?")
        require(self.name.strip(), "Whoever co-signs needs a name.")
        require("@" in self.email, "Whoever co-signs needs an e-mail address.")
