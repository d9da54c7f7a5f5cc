"""The measurements of a face, unless its actor had them deleted (face_data)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.core.files import File

from synthesis.errors import NotAllowed
from synthesis.models import Dub, Track

FORGOTTEN: Final = "face-data-deleted"
"""The code of every refusal for want of what an actor had deleted."""


def face_data_missing(track: Track) -> NotAllowed:
    """The refusal of work on a face whose measurements its actor had deleted."""
    return NotAllowed(
        FORGOTTEN,
        f"{track.actor or 'The actor'} had the measurements of this face deleted, so"
        " nothing more can be made with it here. If their consent stands, upload the"
        " scene once more to have it measured anew.",
    )


@contextmanager
def landmarks_open(track: Track) -> Iterator[File[bytes]]:
    """The track's landmark file, open; NotAllowed where the actor had it deleted."""
    if not track.landmarks:
        raise face_data_missing(track)
    with track.landmarks.open("rb") as file:
        yield file


def measured_verify(dub: Dub) -> None:
    """Raise NotAllowed if a face that speaks in the dub is no longer measured."""
    faces = Track.objects.filter(shot__scene=dub.scene, actor__lines__dub=dub)
    for track in faces.filter(landmarks="").select_related("actor")[:1]:
        raise face_data_missing(track)
