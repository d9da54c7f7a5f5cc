"""From what was found on a file to one plain answer for anyone.

Pure: the caller looks up the deliverable and the consent statuses. Everything that a
stranger's manifest says is left out of the sentences; only our own records speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from synthesis.provenance.fingerprint import ALIKE
from synthesis.provenance.mark import Detection
from synthesis.provenance.problems import in_words
from synthesis.provenance.read import Credential


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


@dataclass(frozen=True)
class Verdict:
    """code: what it is. sentences: that in words, then what consent says today."""

    code: Code
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """All sentences as one line."""
        return " ".join(self.sentences)


_IS = {
    Code.UNCHANGED: (
        "This file was made by lipweb on this server, and nothing in it has been "
        "changed since it was signed. The lips were moved by AI."
    ),
    Code.CHANGED: (
        "This file comes from lipweb on this server, but it was changed after it was "
        "signed. The lips were moved by AI; what else was changed cannot be told."
    ),
    Code.MISFIT: (
        "This file carries the Content Credential of one of our files, but it is not "
        "what was signed, and our invisible mark is not on it. Either it was changed "
        "a great deal, or the credential was put on another file."
    ),
    Code.STRIPPED: (
        "The Content Credential is gone, but the invisible mark shows that this "
        "picture was made by lipweb on this server. The lips were moved by AI; "
        "whether it was changed since cannot be told."
    ),
    Code.RELABELLED: (
        "The invisible mark shows that this picture was made by lipweb on this "
        "server, but the file carries a Content Credential that is not ours. The lips "
        "were moved by AI."
    ),
    Code.PASTED: (
        "The invisible mark of one of our files is here, on a picture that does not "
        "look like that file. The mark may have been copied: this does not show that "
        "the video is ours."
    ),
    Code.UNRECORDED: (
        "The invisible mark was written with a key of this server, but there is no "
        "record of such a file here."
    ),
    Code.FOREIGN: (
        "This file was not made here. It carries a Content Credential of another "
        "maker, and its content fits that credential. What that maker claims is shown "
        "below; we do not vouch for it."
    ),
    Code.FOREIGN_BROKEN: (
        "This file carries a Content Credential that does not hold: the file or the "
        "credential was changed, or it cannot be read. It was not recognised as ours."
    ),
    Code.NOTHING: (
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
    same_bytes: bool = False,
    similarity: float | None = None,
) -> Verdict:
    """Compose the verdict.

    same_bytes: the file's SHA-256 is that of the deliverable, which says more than any
    certificate, and outlives it. similarity: of the file's fingerprint with the
    deliverable's, None if not compared.
    consent: statuses for the deliverable; not looked at if the file is not ours.
    """
    code = (
        Code.UNCHANGED
        if same_bytes and deliverable is not None
        else _code(credential, mark, deliverable, similarity)
    )
    sentences = [_IS[code]]
    if code in _OURS:
        sentences += _on_consent(consent)
    return Verdict(code, tuple(sentences))


_OURS = (Code.UNCHANGED, Code.CHANGED, Code.MISFIT, Code.STRIPPED, Code.RELABELLED)


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
    # A fingerprint knows nothing of crops: a cropped copy of ours is no stranger.
    unlike = similarity is not None and similarity < ALIKE
    if marked and mark.uncropped and unlike:
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


def _on_consent(consent: Sequence[Consent]) -> list[str]:
    """Say for each actor how consent stands today."""
    if not consent:
        return ["No consent record is linked to it."]
    said = []
    for one in consent:
        since = f" since {one.since.isoformat()}" if one.since else ""
        if one.stands:
            said.append(f"The consent of {one.actor} stands today.")
        elif one.status == "revoked":
            said.append(
                f"The consent of {one.actor} has been withdrawn{since}. Copies that "
                "had already left cannot be recalled."
            )
        else:
            said.append(f"The consent of {one.actor} does not stand: {one.status}.")
    return said


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
            "actions": list(credential.actions),
            "ingredients": [
                {
                    "title": one.title,
                    "relationship": one.relationship,
                    "state": one.state,
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
