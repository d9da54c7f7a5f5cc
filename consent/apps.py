"""Actors, grants and the policy that everything else asks."""

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"

    def ready(self) -> None:
        from consent import checks  # noqa: F401
        from consent.services import checkpoints, notices, receipt_letters  # noqa: F401
