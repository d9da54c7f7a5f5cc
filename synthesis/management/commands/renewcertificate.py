"""manage.py renewcertificate: a new signing key of the private test authority."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from synthesis.errors import SynthesisError
from synthesis.house_keys import certificate_renew


class Command(BaseCommand):
    help = (
        "Put a new signing key and certificate of this installation's own test"
        " authority in use. What was signed before stays trusted here."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            ends = certificate_renew()
        except SynthesisError as error:
            raise CommandError(error.sentence) from error
        self.stdout.write(f"New outputs are signed by it from now on; it ends {ends}.")
