"""The records consent keeps."""

from consent.models.grants import Grant
from consent.models.people import Actor, Membership, Project, Role

__all__ = ["Actor", "Grant", "Membership", "Project", "Role"]
