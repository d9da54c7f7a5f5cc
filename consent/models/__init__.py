"""The records consent keeps."""

from consent.models.grants import Grant, Revocation, Status
from consent.models.ledger import LedgerCheckpoint, LedgerEntry
from consent.models.passkeys import PasskeyCredential
from consent.models.people import Actor, Casting, Membership, Project, Role

__all__ = [
    "Actor",
    "Casting",
    "Grant",
    "LedgerCheckpoint",
    "LedgerEntry",
    "Membership",
    "PasskeyCredential",
    "Project",
    "Revocation",
    "Role",
    "Status",
]
