"""The records consent keeps."""

from consent.models.grants import (
    Grant,
    OutputApproval,
    OutputReturn,
    Revocation,
    Status,
    Suspension,
)
from consent.models.ledger import LedgerCheckpoint, LedgerEntry
from consent.models.notices import Notice, NoticeWish
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
    "Notice",
    "NoticeWish",
    "OutputApproval",
    "OutputReturn",
    "PasskeyConfirmation",
    "PasskeyCredential",
    "Project",
    "Revocation",
    "Role",
    "Status",
    "Suspension",
]
