"""How far a job is, written to its row, and whether it shall go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import models

from synthesis.models import Render
from synthesis.services.consents import render_verify


class Stopped(Exception):
    """The work is no longer wanted; its row says why."""


class Progress:
    """Writes a row's progress at most twice a second, and each time looks whether to
    go on. units is the whole work in frames; it gives the time still needed. done: of
    them, by a worker before this one."""

    EVERY_S = 0.5

    def __init__(
        self,
        row: models.Model,
        *,
        units: int,
        look: Callable[[], None],
        done: int = 0,
        **extra: Any,
    ) -> None:
        self._rows = type(row)._default_manager.filter(pk=row.pk)
        self._units = max(units, 1)
        self._look = look
        self._before, self._done = 0, done
        self._began = time.monotonic()
        self._written = 0.0
        self.extra = extra

    def __call__(self, stage: str, frame: int, frames: int) -> None:
        now = time.monotonic()
        if now - self._written < self.EVERY_S and frame < frames:
            return
        self._written = now
        self._look()
        done = self._before + frame
        fps = (done - self._done) / (now - self._began) if now > self._began else 0.0
        self._rows.update(
            progress={
                "stage": stage,
                "frame": frame,
                "frames": frames,
                "fps": round(fps, 1),
                "eta_s": round((self._units - done) / fps, 1) if fps else None,
                **self.extra,
            }
        )

    def add_units(self, frames: int) -> None:
        """More is to be done than was thought."""
        self._units += frames

    def next_stage(self, frames: int) -> None:
        """Count frames as done; the next stage starts from there."""
        self._before += frames


def look(render: Render) -> None:
    """Raise Stopped unless the render is still wanted; ConsentDenied unless every
    grant it stands on still allows it."""
    if not Render.objects.filter(id=render.id, state=Render.State.RUNNING).exists():
        raise Stopped
    render_verify(render)
