"""The records synthesis keeps."""

from synthesis.models.renders import (
    Comment,
    Decision,
    Deliverable,
    Render,
    TrackRender,
)
from synthesis.models.scenes import ActorModel, Dub, Line, Scene, Shot, Track, Upload

__all__ = [
    "ActorModel",
    "Comment",
    "Decision",
    "Deliverable",
    "Dub",
    "Line",
    "Render",
    "Scene",
    "Shot",
    "Track",
    "TrackRender",
    "Upload",
]
