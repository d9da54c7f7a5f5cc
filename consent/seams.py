"""What synthesis tells consent to show, without consent knowing synthesis.

synthesis puts its own functions here when Django starts; until it does, there are no
scenes to choose from, nothing was made and nothing is kept of a face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser

from consent.models import Actor, Grant, Project
from consent.record import SceneRef


@dataclass(frozen=True, kw_only=True)
class Made:
    """One thing that was done with an actor's face, in words for the actor: made,
    shown, decided about, taken away, learned. tone is the badge's: "ok", "wait", "bad"
    or "". project is empty for what belongs to none. bundle is where all that is known
    of a file is asked for, by POST."""

    title: str
    state: str
    at: datetime
    tone: str = ""
    project: UUID | None = None
    url: str = ""
    receipt: str = ""
    bundle: str = ""


@dataclass(frozen=True, kw_only=True)
class Output:
    """One finished file under a grant that asks for the actor's approval of each.
    page is where its producers find it; returned the reason with which the actor sent
    it back, if they did."""

    title: str
    sha256: str
    grant: Grant
    watch_url: str
    at: datetime
    is_approved: bool
    page: str = ""
    returned: str = ""


@dataclass(frozen=True, kw_only=True)
class FaceStore:
    """One kind of thing that was measured or learned from actors' faces and is kept.

    Whoever keeps such things adds one of these to seams.face_stores, and so appears on
    the actor's page and is emptied by their one button. title and what_for are words
    for the actor, asked for at each look so that they are in the reader's language.
    count says how many are kept of an actor. forget deletes them all, in the caller's
    transaction (files on commit), and returns how many there were; what cannot work
    without them must then be refused with a sentence of its own."""

    code: str
    title: Callable[[], str]
    what_for: Callable[[], str]
    count: Callable[[Actor], int]
    forget: Callable[[Actor, AbstractBaseUser], int]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A part of what synthesis keeps about an actor, for the file they may take away:
    name is that of the file in it, and rows are JSON values."""

    name: str
    rows: Iterator[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class FileReceipt:
    """A receipt synthesis can make: name without suffix, and its making, which may
    raise a refusal."""

    name: str
    make: Callable[[], Any]


@dataclass
class Seams:
    """The functions that synthesis fills in. subjects_of: under which subjects the
    ledger tells of an actor's face, beside those consent knows."""

    scenes_of: Callable[[Project], Sequence[SceneRef]] = lambda project: ()
    made_with: Callable[[Actor], Sequence[Made]] = lambda actor: ()
    outputs_of: Callable[[Actor], Sequence[Output]] = lambda actor: ()
    subjects_of: Callable[[Actor], Sequence[str]] = lambda actor: ()
    kept_about: Callable[[Actor], Sequence[Kept]] = lambda actor: ()
    receipts_of: Callable[[Actor], Iterator[FileReceipt]] = lambda actor: iter(())
    face_stores: list[FaceStore] = field(default_factory=list)
    faces_waiting: Callable[[Actor], int] = lambda actor: 0


seams = Seams()
