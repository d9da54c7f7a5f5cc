"""From what was found on a file to one plain answer for anyone.

Pure: the caller looks up the deliverable and the consent statuses. Everything that a
stranger's manifest says is left out of the sentences; only our own records speak.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from synthesis.provenance.fingerprint import ALIKE, STRANGE
from synthesis.provenance.mark import Detection
from synthesis.provenance.problems import in_words
from synthesis.provenance.read import Credential
from synthesis.words import noted as _


class Code(StrEnum):
    """What a file is, as far as can be told."""

    UNCHANGED = "ours-unchanged"
    CHANGED = "ours-changed"
    MISFIT = "ours-credential-misfit"
    STRIPPED = "ours-credential-stripped"
    RELABELLED = "ours-other-credential"
    PASTED = "mark-on-other-picture"
    UNRECORDED = "mark-without-record"
    FOREIGN = "foreign-credential"
    FOREIGN_BROKEN = "foreign-credential-broken"
    NOTHING = "nothing-found"


@dataclass(frozen=True)
class Deliverable:
    """Our record of the file that the manifest id or the mark id led to."""

    id: str
    manifest_id: str
    mark_id: str


@dataclass(frozen=True)
class Consent:
    """One actor's consent as it stands today. actor: the name shown to the public."""

    actor: str
    status: str
    since: date | None = None

    @property
    def stands(self) -> bool:
        """Whether the actor's consent is in force."""
        return self.status == "active"


class Seen(StrEnum):
    """How much of a file's picture was searched for the mark."""

    ALL = "all"
    PART = "part"
    NO_PICTURE = "no-moving-picture"
    NOTHING = "not-readable"


@dataclass(frozen=True)
class Looked:
    """seconds: of the film that were searched; of_seconds: its length as it states it,
    0 if it does not."""

    seen: Seen = Seen.ALL
    seconds: float = 0.0
    of_seconds: float = 0.0


class Sentence(NamedTuple):
    """Words with places for values, as catalogues know them."""

    words: str
    values: Mapping[str, object] = {}

    @property
    def text(self) -> str:
        """It in English."""
        return self.words % self.values if self.values else self.words


@dataclass(frozen=True)
class Verdict:
    """code: what it is. sentences: that in words, what was not looked at if it
    matters, then what consent says today."""

    code: Code
    sentences: tuple[Sentence, ...]
    looked: Looked = field(default_factory=Looked)

    @property
    def text(self) -> str:
        """All sentences as one line, in English."""
        return " ".join(sentence.text for sentence in self.sentences)


_IS = {
    Code.UNCHANGED: _(
        "This file was made by lipweb on this server, and nothing in it has been "
        "changed since it was signed. The lips were moved by AI."
    ),
    Code.CHANGED: _(
        "This file comes from lipweb on this server, but it was changed after it was "
        "signed. The lips were moved by AI; what else was changed cannot be told."
    ),
    Code.MISFIT: _(
        "This file carries the Content Credential of one of our files, but it is not "
        "what was signed, and our invisible mark is not on it. Either it was changed "
        "a great deal, or the credential was put on another file."
    ),
    Code.STRIPPED: _(
        "The Content Credential is gone, but the invisible mark shows that this "
        "picture was made by lipweb on this server. The lips were moved by AI; "
        "whether it was changed since cannot be told."
    ),
    Code.RELABELLED: _(
        "The invisible mark shows that this picture was made by lipweb on this "
        "server, but the file carries a Content Credential that is not ours. The lips "
        "were moved by AI."
    ),
    Code.PASTED: _(
        "The invisible mark of one of our files is here, on a picture that does not "
        "look like that file. The mark may have been copied: this does not show that "
        "the video is ours."
    ),
    Code.UNRECORDED: _(
        "The invisible mark was written with a key of this server, but there is no "
        "record of such a file here."
    ),
    Code.FOREIGN: _(
        "This file was not made here. It carries a Content Credential of another "
        "maker, and its content fits that credential. What that maker claims is shown "
        "below; we do not vouch for it."
    ),
    Code.FOREIGN_BROKEN: _(
        "This file carries a Content Credential that does not hold: the file or the "
        "credential was changed, or it cannot be read. It was not recognised as ours."
    ),
    Code.NOTHING: _(
        "Neither a Content Credential nor our invisible mark was found. That proves "
        "nothing: the file may never have been marked, or the marks may have been "
        "removed."
    ),
}


def judge(
    credential: Credential,
    mark: Detection,
    deliverable: Deliverable | None,
    consent: Sequence[Consent],
    *,
    looked: Looked = Looked(),
    same_bytes: bool = False,
    similarity: float | None = None,
) -> Verdict:
    """Compose the verdict.

    same_bytes: the file's SHA-256 is that of the deliverable, which says more than any
    certificate, and outlives it. similarity: of the file's fingerprint with the
    deliverable's, None if not compared. looked: how far the mark was searched for.
    consent: statuses for the deliverable; not looked at if the file is not ours.
    """
    code = (
        Code.UNCHANGED
        if same_bytes and deliverable is not None
        else _code(credential, mark, deliverable, similarity)
    )
    shown = consent if code in _OURS else ()
    broken = credential.holds and any(
        one.state == "invalid" for one in credential.ingredients
    )
    told = sentences(code, looked, shown, is_of_broken=broken)
    return Verdict(code, tuple(told), looked)


def sentences(
    code: Code, looked: Looked, consent: Sequence[Consent], *, is_of_broken: bool
) -> list[Sentence]:
    """What is said of a file; consent only of one that is ours. is_of_broken: its
    credential holds, and that of something it was made from does not."""
    told = [Sentence(_IS[code])]
    if is_of_broken:
        words = _(
            "The credential of something it was made from is broken: what is said of"
            " that part is not proven."
        )
        told.append(Sentence(words))
    if code in _UNMARKED:
        told += _on_search(looked)
    if code in _OURS:
        told += _on_consent(consent)
    return told


_OURS = (Code.UNCHANGED, Code.CHANGED, Code.MISFIT, Code.STRIPPED, Code.RELABELLED)
_UNMARKED = (Code.MISFIT, Code.FOREIGN, Code.FOREIGN_BROKEN, Code.NOTHING)
"""Verdicts that rest on no mark having been found."""


def _code(
    credential: Credential,
    mark: Detection,
    deliverable: Deliverable | None,
    similarity: float | None,
) -> Code:
    named = deliverable is not None and (credential.first_id == deliverable.manifest_id)
    marked = deliverable is not None and mark.found and mark.id == deliverable.mark_id
    if named and credential.state == "trusted":
        return Code.UNCHANGED
    # Less of a cropped copy can be compared, so that more of a doubt is left.
    least = ALIKE if mark.uncropped else STRANGE
    unlike = similarity is not None and similarity < least
    if marked and unlike:
        return Code.PASTED
    if named and credential.state == "invalid":
        return Code.CHANGED if marked else Code.MISFIT
    if marked:
        return Code.STRIPPED if credential.state == "absent" else Code.RELABELLED
    if mark.found:
        return Code.UNRECORDED
    if credential.holds:
        return Code.FOREIGN
    return Code.FOREIGN_BROKEN if credential.state == "invalid" else Code.NOTHING


def _on_search(looked: Looked) -> list[Sentence]:
    """Say what was not searched for the mark."""
    if looked.seen == Seen.NO_PICTURE:
        return [
            Sentence(
                _(
                    "It holds no moving picture. Our invisible mark is only in moving"
                    " pictures, so it was not looked for."
                )
            )
        ]
    if looked.seen == Seen.NOTHING:
        return [
            Sentence(
                _(
                    "Its picture could not be read, so our invisible mark was not"
                    " looked for."
                )
            )
        ]
    if looked.seen == Seen.PART:
        spans = {"looked": _clock(looked.seconds), "length": _clock(looked.of_seconds)}
        return [
            Sentence(
                _(
                    "Only the first %(looked)s of %(length)s (minutes and seconds) were"
                    " searched for our invisible mark. To ask about a later scene, send"
                    " a clip of it."
                ),
                spans,
            )
        ]
    return []


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}"


def _on_consent(consent: Sequence[Consent]) -> list[Sentence]:
    """Say for each actor how consent stands today."""
    if not consent:
        return [Sentence(_("No consent record is linked to it."))]
    return [_of_actor(one) for one in consent]


def _of_actor(one: Consent) -> Sentence:
    values: dict[str, object] = {"actor": one.actor}
    if one.stands:
        return Sentence(_("The consent of %(actor)s stands today."), values)
    if one.status != "revoked":
        values["status"] = one.status
        words = _("The consent of %(actor)s does not stand: %(status)s.")
        return Sentence(words, values)
    if one.since is None:
        words = _(
            "The consent of %(actor)s has been withdrawn. Copies that had already left"
            " cannot be recalled."
        )
        return Sentence(words, values)
    values["since"] = one.since.isoformat()
    words = _(
        "The consent of %(actor)s has been withdrawn since %(since)s. Copies that had"
        " already left cannot be recalled."
    )
    return Sentence(words, values)


def as_json(
    credential: Credential,
    mark: Detection,
    deliverable: Deliverable | None,
    consent: Sequence[Consent],
    verdict: Verdict,
) -> dict[str, Any]:
    """The answer of `manage.py verify --json` and of the public page, as JSON."""
    ours = verdict.code in _OURS
    return {
        "credential": {
            "state": credential.state,
            "problems": list(credential.problems),
            "problems_said": [in_words(code) for code in credential.problems],
            "manifest_id": credential.manifest_id,
            "signer": credential.signer,
            "oversight": credential.oversight,
            "title": credential.title,
            "generator": credential.generator,
            "when": credential.when,
            "clock": credential.clock,
            "actions": list(credential.actions),
            "ingredients": [
                {
                    "title": one.title,
                    "relationship": one.relationship,
                    "state": one.state,
                    "problems": list(one.problems),
                    "problems_said": [in_words(code) for code in one.problems],
                }
                for one in credential.ingredients
            ],
            "updates": [
                {"action": one.action, "when": one.when, "consent": one.consent}
                for one in credential.updates
            ],
        },
        "mark": {
            "found": mark.found,
            "id": mark.id,
            "confidence": mark.confidence,
        },
        "looked": {
            "seen": verdict.looked.seen.value,
            "seconds": round(verdict.looked.seconds, 1),
            "of_seconds": round(verdict.looked.of_seconds, 1),
        },
        "deliverable": deliverable.id if deliverable and ours else None,
        "consent": [
            {
                "actor": one.actor,
                "status": one.status,
                "since": one.since.isoformat() if one.since else None,
            }
            for one in (consent if ours else ())
        ],
        "code": verdict.code.value,
        "verdict": verdict.text,
    }
