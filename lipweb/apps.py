"""The house itself: accounts, pages that belong to no part, checks."""

from django.apps import AppConfig


class LipwebConfig(AppConfig):
    name = "lipweb"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lipweb import checks  # noqa: F401  (registers them)
