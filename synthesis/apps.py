"""Scenes, dubs, renders, deliverables."""

from django.apps import AppConfig


class SynthesisConfig(AppConfig):
    name = "synthesis"
