"""Read the Content Credential of a file that anybody may have made.

The native parser runs in a child process of its own with limits on memory, time and
files; what comes back is plain, shortened text. All of it is the file's own claim, and
hostile until the state says otherwise.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

State = Literal["trusted", "valid", "invalid", "absent"]

TIME_LIMIT_S = 120
LARGEST_ANSWER = 1 << 20
_ROOT = Path(__file__).resolve().parents[2]
_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The UUID that marks a C2PA box in MP4 and MOV."""
_SEARCHED = 16 << 20


@dataclass(frozen=True)
class Ingredient:
    """Something the file says it was made from, and the state of its own credential."""

    title: str
    relationship: str
    state: State
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Credential:
    """What a file's Content Credential says, and whether it holds.

    state: trusted (signature and content hold, signer under one of our roots), valid
    (they hold, signer unknown), invalid (they do not, or it cannot be read), absent.
    problems: stable codes, C2PA's own or reader-*. The rest is as claimed in the file:
    actions in order, soft bindings as (algorithm, value), consent record hashes, the
    signer's organisation, when (ISO 8601) as stated.
    """

    state: State
    manifest_id: str | None = None
    problems: tuple[str, ...] = ()
    title: str = ""
    generator: str = ""
    actions: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    consent_records: tuple[str, ...] = ()
    soft_bindings: tuple[tuple[str, str], ...] = ()
    signer: str = ""
    when: str = ""

    @property
    def holds(self) -> bool:
        """Whether signature and content agree, whoever signed."""
        return self.state in ("trusted", "valid")


@dataclass(frozen=True)
class _Answer:
    """What the child said; answered is False if it died, hung or babbled."""

    answered: bool
    content: dict[str, Any] = field(default_factory=dict)


def read_credential(
    path: Path, *, anchors: bytes, time_limit_s: int = TIME_LIMIT_S
) -> Credential:
    """Read and check the credential of `path`; anchors are PEM roots to trust.

    Never raises for what is in the file, never reaches the network.
    """
    if not path.is_file():
        return Credential("absent", problems=("reader-file-broken",))
    answer = _ask_child(path, anchors, time_limit_s)
    if not answer.answered:
        return _unreadable(path, "reader-stopped")
    if "unreadable" in answer.content:
        return _unreadable(path, str(answer.content["unreadable"]))
    try:
        return _credential(answer.content)
    except (KeyError, TypeError, ValueError):
        return _unreadable(path, "reader-stopped")


def is_parseable(path: Path, *, time_limit_s: int = TIME_LIMIT_S) -> bool:
    """Whether the native library reads the file (credential or none) without harm."""
    answer = _ask_child(path, b"", time_limit_s)
    return answer.answered and "unreadable" not in answer.content


def _ask_child(path: Path, anchors: bytes, time_limit_s: int) -> _Answer:
    request = {
        "path": str(path.absolute()),
        "anchors": anchors.decode("ascii"),
        "time_limit_s": time_limit_s,
    }
    # The environment is emptied: no proxy, key or token for the parser to find.
    command = [sys.executable, "-m", "synthesis.provenance.read_child"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            command,
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            timeout=time_limit_s,
            check=True,
        )
        if len(done.stdout) > LARGEST_ANSWER:
            return _Answer(False)
        content = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        return _Answer(False)
    return _Answer(isinstance(content, dict), content)


def _unreadable(path: Path, problem: str) -> Credential:
    """Say invalid where a credential seems to be, absent where none does."""
    try:
        with path.open("rb") as file:
            seems = _BOX in file.read(_SEARCHED)
    except OSError:
        seems = False
    return Credential("invalid" if seems else "absent", problems=(problem,))


def _credential(content: dict[str, Any]) -> Credential:
    return Credential(
        state=_state(content["state"]),
        manifest_id=content.get("manifest_id"),
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
        signer=content.get("signer", ""),
        when=content.get("when", ""),
    )


def _state(text: object) -> State:
    if text not in get_args(State):
        raise ValueError(text)
    return cast(State, text)
