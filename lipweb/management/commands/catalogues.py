"""manage.py catalogues: bring the translations up to date with code and templates."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from lipweb.catalogues import CATALOGUES, catalogue_update


class Command(BaseCommand):
    """Rewrites each .po file and its .mo, and names what still lacks a translation."""

    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for catalogue in CATALOGUES:
            for locale, _ in settings.LANGUAGES:
                if locale == settings.LANGUAGE_CODE:
                    continue
                lacking = catalogue_update(catalogue, locale)
                self.stdout.write(f"{catalogue.name} {locale}: {len(lacking)} lacking")
                for msgid in lacking:
                    self.stdout.write(f"  {msgid!r}")
