"""The records synthesis keeps."""

from synthesis.models.renders import (
    Comment,
    Decision,
    Deliverable,
    Render,
    ShotResult,
)
from synthesis.models.scenes import Dub, Line, Scene, Shot, Track, Upload

__all__ = [
    "Comment",
    "Decision",
    "Deliverable",
    "Dub",
    "Line",
    "Render",
    "Scene",
    "Shot",
    "ShotResult",
    "Track",
    "Upload",
]
