"""What consent tells the rest of the house, once the database has it for good."""

from django.dispatch import Signal

# sender=Grant, grant_id=UUID. Sent on commit: stop and lock all that stands on it.
consent_withdrawn = Signal()

# sender=Grant, grant_id=UUID. Sent on commit: stop what stands on it, delete nothing.
consent_suspended = Signal()
# sender=LedgerEntry, entry=LedgerEntry. Sent on commit of each new entry, one by one.
ledger_grown = Signal()

# sender=UnsentReceipt, entry=LedgerEntry, late=UnsentReceipt. Who mailed a receipt on
# that entry mails it again, to late.address alone.
receipt_late = Signal()
