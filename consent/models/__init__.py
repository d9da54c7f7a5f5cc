"""The records consent keeps."""

from consent.models.grants import (
    Grant,
    OutputApproval,
    Revocation,
    Status,
    Suspension,
)
from consent.models.ledger import LedgerCheckpoint, LedgerEntry
from consent.models.passkeys import PasskeyConfirmation, PasskeyCredential
from consent.models.people import Actor, Casting, Mandate, Membership, Project, Role

__all__ = [
    "Actor",
    "Casting",
    "Grant",
    "LedgerCheckpoint",
    "LedgerEntry",
    "Mandate",
    "Membership",
    "OutputApproval",
    "PasskeyConfirmation",
    "PasskeyCredential",
    "Project",
    "Revocation",
    "Role",
    "Status",
    "Suspension",
]
