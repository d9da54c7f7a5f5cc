"""What synthesis tells consent to show, without consent knowing synthesis.

synthesis puts its own functions here when Django starts; until it does, there are no
scenes to choose from and nothing was made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.models import Actor, Grant, Project
from consent.record import SceneRef


@dataclass(frozen=True, kw_only=True)
class Made:
    """One thing that was made with an actor's face, in words for the actor."""

    title: str
    state: str
    at: datetime
    url: str = ""
    receipt: str = ""


@dataclass(frozen=True, kw_only=True)
class Output:
    """One finished file under a grant that asks for the actor's approval of each."""

    title: str
    sha256: str
    grant: Grant
    watch_url: str
    at: datetime
    is_approved: bool


@dataclass
class Seams:
    """The functions that synthesis fills in."""

    scenes_of: Callable[[Project], Sequence[SceneRef]] = lambda project: ()
    made_with: Callable[[Actor], Sequence[Made]] = lambda actor: ()
    outputs_of: Callable[[Actor], Sequence[Output]] = lambda actor: ()
    faces_waiting: Callable[[Actor], int] = lambda actor: 0


seams = Seams()
