"""Who may take an actor's performance away as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.text import slugify

from consent.models import Role
from consent.services.ledger import ledger_append
from synthesis import software_version
from synthesis.errors import NotAllowed
from synthesis.media.probe import Probe
from synthesis.media.timecode import frame_to_timecode
from synthesis.models import Render, TrackRender
from synthesis.performance.files import FORMATS
from synthesis.performance.kept import PerformanceError, codes_unpack, lip_code_in_use
from synthesis.performance.take import Performance
from synthesis.services.access import require_role
from synthesis.services.consents import render_verify
from synthesis.services.measured import FORGOTTEN
from synthesis.services.renders import grants_standing


@dataclass(frozen=True)
class PerformanceFile:
    """A file made for one download."""

    name: str
    content: bytes


@transaction.atomic
def performance_export(
    *, render: Render, form: str, acting_user: AbstractBaseUser
) -> PerformanceFile:
    """Make a file of a finished render's performance, one of FORMATS, for a producer.

    It is the actor's performance: the policy is asked anew, and the ledger names who
    took it. Raises ConsentDenied, NotAllowed, PerformanceError.
    """
    project = render.dub.scene.project
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    if form not in FORMATS:
        raise PerformanceError(
            "no-such-format", f"Choose one of {', '.join(sorted(FORMATS))}."
        )
    if render.state != Render.State.READY:
        raise NotAllowed(
            "render-not-ready", "The performance is there once the render has ended."
        )
    # It leaves the house: locked, and where the actor approves each file, this too.
    grants_standing(render)
    render_verify(render, output_sha256=render.deliverable.sha256)
    if not render.track_renders.exists():
        raise NotAllowed(
            FORGOTTEN,
            "An actor had the movement of their mouth in this version deleted. The"
            " finished file itself is unchanged.",
        )
    write, suffix, _ = FORMATS[form]
    lip_code, _ = lip_code_in_use()
    content = write(_performances(render), lip_code, _about(render))
    ledger_append(
        kind="performance-exported",
        subject=str(render.id),
        payload={
            "render": str(render.id),
            "format": form,
            "grants": sorted(str(grant.id) for grant in render.grants.all()),
        },
        acting_user=acting_user,
    )
    title = slugify(render.dub.scene.title) or "scene"
    stem = f"{title}_{render.dub.language}_v{render.version}_{form}"
    return PerformanceFile(f"{stem}.{suffix}", content)


def _performances(render: Render) -> list[Performance]:
    facts = Probe.from_json(render.dub.scene.media_facts)
    rows = render.track_renders.select_related("track__shot")
    return [_performance(row, facts) for row in rows.order_by("track__first_frame")]


def _performance(row: TrackRender, facts: Probe) -> Performance:
    track, first = row.track, facts.timecode or None
    frames = range(track.first_frame, track.end_frame)
    return Performance(
        shot=track.shot.index + 1,
        face=track.number,
        first_frame=track.first_frame,
        codes=codes_unpack(bytes(row.codes)),
        times_s=facts.times_s()[track.first_frame : track.end_frame],
        timecodes=[frame_to_timecode(f, facts.rate, first=first) for f in frames],
    )


def _about(render: Render) -> dict[str, Any]:
    """What every file says of itself. No names of people."""
    facts = Probe.from_json(render.dub.scene.media_facts)
    records = sorted(grant.canonical_sha256 for grant in render.grants.all())
    rate = facts.rate
    return {
        "made_by": f"lipweb {software_version()}, a neural network, from dubbed speech",
        "render": str(render.id),
        "scene_sha256": render.dub.scene.sha256,
        "language": render.dub.language,
        "rate": f"{rate.numerator}/{rate.denominator}",
        "variable_rate": facts.variable_rate,
        "consent_records": " ".join(records),
    }
