"""The visible label: what it says, where it stands, when it is shown, and how it is
drawn and found again. No Django."""

from synthesis.provenance.label.drawing import CAPITALS, LEAST_CAPITALS, TEXT, Label
from synthesis.provenance.label.lettering import Fonts
from synthesis.provenance.label.places import CORNERS, PLACES, Box, Corner, Place
from synthesis.provenance.label.schedule import (
    LEAST_OPENING_S,
    FaceBoxes,
    Schedule,
    Shown,
    Sign,
    Spot,
    frames_shown,
    schedule,
)

__all__ = [
    "CAPITALS",
    "CORNERS",
    "LEAST_CAPITALS",
    "LEAST_OPENING_S",
    "PLACES",
    "TEXT",
    "Box",
    "Corner",
    "FaceBoxes",
    "Fonts",
    "Label",
    "Place",
    "Schedule",
    "Shown",
    "Sign",
    "Spot",
    "frames_shown",
    "schedule",
]
