"""What is signed: the grant, and what is said of it later, as versioned documents.

A document is plain JSON; the dataclasses here are the only way in and out of it, and
refuse whatever is not exactly of the schema. No Django.
"""

from consent.record.grant import (
    GRANT_SCHEMA,
    WHOLE_PROJECT,
    GrantRecord,
    ShownText,
    Step,
)
from consent.record.later import (
    OUTPUT_SCHEMA,
    PASSKEY_SCHEMA,
    RETIREMENT_SCHEMA,
    REVOCATION_SCHEMA,
    SUSPENSION_SCHEMA,
    output_document,
    passkey_document,
    retirement_document,
    revocation_document,
    suspension_document,
)
from consent.record.parties import (
    COSIGNER_ROLES,
    SIGNERS,
    Cosigner,
    Grantee,
    Grantor,
    MandateRef,
)
from consent.record.terms import (
    BASES,
    CONTENT,
    MEDIA,
    PURPOSES,
    WORLDWIDE,
    Basis,
    Dialogue,
    GrantTerms,
    SceneRef,
    instant,
    moment_of,
)

__all__ = [
    "BASES",
    "CONTENT",
    "COSIGNER_ROLES",
    "GRANT_SCHEMA",
    "MEDIA",
    "OUTPUT_SCHEMA",
    "PASSKEY_SCHEMA",
    "PURPOSES",
    "RETIREMENT_SCHEMA",
    "REVOCATION_SCHEMA",
    "SIGNERS",
    "SUSPENSION_SCHEMA",
    "WHOLE_PROJECT",
    "WORLDWIDE",
    "Basis",
    "Cosigner",
    "Dialogue",
    "GrantRecord",
    "GrantTerms",
    "Grantee",
    "Grantor",
    "MandateRef",
    "SceneRef",
    "ShownText",
    "Step",
    "instant",
    "moment_of",
    "output_document",
    "passkey_document",
    "retirement_document",
    "revocation_document",
    "suspension_document",
]
