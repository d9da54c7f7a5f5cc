"""Read the Content Credential of a file that anybody may have made.

The native parser runs in the sandbox that opens all media from outside: no network, no
other file, limits on memory and time. Pictures and sound are read as films are. What
comes back is plain, shortened text. All of it is the file's own claim, and hostile
until the state says otherwise.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from synthesis.errors import MediaRefused, SynthesisError
from synthesis.media.sandbox import Caps, Child, open_regular
from synthesis.provenance.container import C2PA_BOX

State = Literal["trusted", "valid", "invalid", "absent"]

TIME_LIMIT_S = 120
BYTES_A_SECOND = 25_000_000
"""A slow machine hashes so much; what is ours may be large, and is given the time."""
MEMORY_LIMIT = 2 << 30
_ENTRY = "synthesis.provenance.read_child:answer"
_REFUSALS = {
    "file-missing": "reader-file-broken",
    "file-special": "reader-file-broken",
    "media-unreadable": "reader-file-broken",
    "media-time": "reader-stopped",
    "media-limits": "reader-stopped",
    "media-memory": "reader-stopped",
    "media-crash": "reader-stopped",
}
"""The sandbox's refusals as our problem codes; any other means an unknown format."""
_SEARCHED = 16 << 20


@dataclass(frozen=True)
class Ingredient:
    """Something the file says it was made from, and the state of its own credential."""

    title: str
    relationship: str
    state: State
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Later:
    """One update manifest: what it says was done, when (ISO 8601, as stated), and the
    state of consent if it speaks of that ("withdrawn")."""

    action: str
    when: str
    consent: str = ""


@dataclass(frozen=True)
class Credential:
    """What a file's Content Credential says, and whether it holds.

    state: trusted (signature and content hold, signer under one of our roots), valid
    (they hold, signer unknown), invalid (they do not, or it cannot be read), absent.
    manifest_id: of the newest manifest. first_id: of the one signed with the file; the
    same where nothing was added since.
    problems: stable codes, C2PA's own or reader-*. The rest is as claimed in the file:
    actions in order, soft bindings as (algorithm, value), consent record hashes, what
    was added since, the human oversight, the signer's organisation, when (ISO 8601) as
    stated. clock: whose word that is: a time-stamp authority's, "trusted" under one of
    our roots or "unknown", or "" for the signer's own. Updates are read as part of the
    manifest they update.
    """

    state: State
    manifest_id: str | None = None
    first_id: str | None = None
    problems: tuple[str, ...] = ()
    title: str = ""
    generator: str = ""
    actions: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    consent_records: tuple[str, ...] = ()
    soft_bindings: tuple[tuple[str, str], ...] = ()
    updates: tuple[Later, ...] = ()
    oversight: str = ""
    signer: str = ""
    when: str = ""
    clock: str = ""

    @property
    def holds(self) -> bool:
        """Whether signature and content agree, whoever signed."""
        return self.state in ("trusted", "valid")


def reading_limit_s(path: Path) -> int:
    """As many seconds as reading one of our own files may take."""
    return TIME_LIMIT_S + path.stat().st_size // BYTES_A_SECOND


def read_credential(
    path: Path,
    *,
    anchors: bytes,
    time_anchors: bytes = b"",
    store: bytes = b"",
    time_limit_s: int = TIME_LIMIT_S,
) -> Credential:
    """Read and check the credential of `path`; anchors are PEM roots to trust,
    time_anchors those of time-stamp authorities. store:
    a manifest store to check the file against in place of its own.

    Never raises for what is in the file, never reaches the network.
    """
    answer = _ask_child(path, anchors, store, time_limit_s, time_anchors)
    if "unreadable" in answer:
        return _unreadable(path, str(answer["unreadable"]))
    try:
        return _credential(answer)
    except (KeyError, TypeError, ValueError):
        return _unreadable(path, "reader-stopped")


def library_report(path: Path, *, anchors: bytes, store: bytes) -> dict[str, Any]:
    """What the native library finds on one of our own files with that store, in its
    own words: an update records it of what it updates.
    Raises SynthesisError `credential-broken` where the file or the store is unsound."""
    answer = _ask_child(path, anchors, store, TIME_LIMIT_S, in_full=True)
    report = answer.get("report")
    if answer.get("state") not in ("trusted", "valid") or not isinstance(report, dict):
        raise SynthesisError(
            "credential-broken",
            "The stored file no longer fits its Content Credential, so nothing can be"
            " added to it. It was changed on the disk: render it again.",
        )
    return report


def _ask_child(
    path: Path,
    anchors: bytes,
    store: bytes,
    time_limit_s: int,
    time_anchors: bytes = b"",
    *,
    in_full: bool = False,
) -> dict[str, Any]:
    arguments = {
        "anchors": anchors.decode("ascii"),
        "time_anchors": time_anchors.decode("ascii"),
        "store": base64.b64encode(store).decode("ascii"),
        "in_full": in_full,
    }
    try:
        caps = child_caps(time_limit_s)
        with Child(_ENTRY, path, arguments, caps, is_media=False) as child:
            return child.json()
    except MediaRefused as refused:
        problem = _REFUSALS.get(refused.code, "reader-format-unknown")
        return {"unreadable": problem}


def child_caps(time_limit_s: int) -> Caps:
    """What the native library may use for one file."""
    return Caps(
        memory_bytes=MEMORY_LIMIT,
        cpu_s=time_limit_s,
        stall_s=time_limit_s,
        wall_s=time_limit_s,
    )


def _unreadable(path: Path, problem: str) -> Credential:
    """Say invalid where a credential seems to be, absent where none does."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            seems = C2PA_BOX in file.read(_SEARCHED)
    except (OSError, MediaRefused):
        seems = False
    return Credential("invalid" if seems else "absent", problems=(problem,))


def _credential(content: dict[str, Any]) -> Credential:
    return Credential(
        state=_state(content["state"]),
        manifest_id=content.get("manifest_id"),
        first_id=content.get("first_id"),
        problems=tuple(content.get("problems", ())),
        title=content.get("title", ""),
        generator=content.get("generator", ""),
        actions=tuple(content.get("actions", ())),
        ingredients=tuple(
            Ingredient(
                one["title"],
                one["relationship"],
                _state(one["state"]),
                tuple(one["problems"]),
            )
            for one in content.get("ingredients", ())
        ),
        consent_records=tuple(content.get("consent_records", ())),
        soft_bindings=tuple(
            (alg, value) for alg, value in content.get("soft_bindings", ())
        ),
        updates=tuple(
            Later(one["action"], one["when"], one["consent"])
            for one in content.get("updates", ())
        ),
        oversight=content.get("oversight", ""),
        signer=content.get("signer", ""),
        when=content.get("when", ""),
        clock=content.get("clock", ""),
    )


def _state(text: object) -> State:
    if text not in get_args(State):
        raise ValueError(text)
    return cast(State, text)
