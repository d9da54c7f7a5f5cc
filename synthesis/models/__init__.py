"""The records synthesis keeps."""

from synthesis.models.adaptations import (
    ActorModel,
    Adaptation,
    AdaptationPart,
    Footage,
    ModelStill,
)
from synthesis.models.faces import FaceConfirmation, FaceEnrolment, FaceSighting
from synthesis.models.labels import LabelPolicy
from synthesis.models.renders import (
    Comment,
    Decision,
    Deliverable,
    ManifestUpdate,
    ProposedCurve,
    Render,
    TrackRender,
    ViewingCopy,
)
from synthesis.models.scenes import Dub, Line, Scene, Shot, Track, Upload

__all__ = [
    "ActorModel",
    "Adaptation",
    "AdaptationPart",
    "Comment",
    "Decision",
    "Deliverable",
    "Dub",
    "FaceConfirmation",
    "FaceEnrolment",
    "FaceSighting",
    "Footage",
    "LabelPolicy",
    "Line",
    "ManifestUpdate",
    "ModelStill",
    "ProposedCurve",
    "Render",
    "Scene",
    "Shot",
    "Track",
    "TrackRender",
    "Upload",
    "ViewingCopy",
]
