"""manage.py sendnotices: tells of consents that end soon, mails what is left."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from consent.services.expiry import expiry_tell
from consent.services.notices import letters_send
from consent.services.receipt_letters import receipts_send_late


class Command(BaseCommand):
    help = (
        "Tells actors and producers of consents that end in 30, 7 or 1 days, mails"
        " the day's uses and tries again what could not be mailed. Workers do so every"
        " hour; nothing is sent twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        told, sent, late = expiry_tell(), letters_send(), receipts_send_late()
        self.stdout.write(
            f"Consents told of: {told}. Letters mailed: {sent}."
            f" Receipts mailed late: {late}."
        )
