"""The records consent keeps."""

from consent.models.grants import (
    CoSignature,
    Grant,
    OutputApproval,
    Revocation,
    Status,
    Suspension,
)
from consent.models.ledger import LedgerCheckpoint, LedgerEntry
from consent.models.passkeys import (
    KeyRecovery,
    PasskeyConfirmation,
    PasskeyCredential,
    PasskeyRetirement,
)
from consent.models.people import (
    Actor,
    Casting,
    Cosigner,
    Mandate,
    Membership,
    Project,
    Role,
)

__all__ = [
    "Actor",
    "Casting",
    "CoSignature",
    "Cosigner",
    "Grant",
    "KeyRecovery",
    "LedgerCheckpoint",
    "LedgerEntry",
    "Mandate",
    "Membership",
    "OutputApproval",
    "PasskeyConfirmation",
    "PasskeyCredential",
    "PasskeyRetirement",
    "Project",
    "Revocation",
    "Role",
    "Status",
    "Suspension",
]
