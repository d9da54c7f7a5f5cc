"""The records consent keeps."""

from consent.models.grants import (
    CoSignature,
    Grant,
    OutputApproval,
    OutputReturn,
    Revocation,
    Status,
    Suspension,
)
from consent.models.ledger import LedgerCheckpoint, LedgerEntry
from consent.models.notices import Notice, NoticeWish, UnsentReceipt
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
    "Notice",
    "NoticeWish",
    "OutputApproval",
    "OutputReturn",
    "PasskeyConfirmation",
    "PasskeyCredential",
    "PasskeyRetirement",
    "Project",
    "Revocation",
    "Role",
    "Status",
    "Suspension",
    "UnsentReceipt",
]
