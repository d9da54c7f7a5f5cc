"""What a killed worker left goes, and nothing else does."""

from __future__ import annotations

from django.core.files.base import ContentFile

from lipweb.demo_production import Demo
from synthesis.models import Deliverable, Dub, Render
from synthesis.services.leftovers import (
    render_leftovers_delete,
    renders_sweep,
    work_prefix,
)
from synthesis.storage import scratch_dir


def killed(demo: Demo, dub: Dub, version: int, state: Render.State) -> Deliverable:
    """A render whose worker had put its signed file away, but not its row."""
    render = Render.objects.create(
        dub=dub, version=version, state=state, requested_by=demo.producer
    )
    (scratch_dir() / f"{work_prefix(render.id)}work").mkdir()
    row = Deliverable(render=render)
    row.file.save("file.mp4", ContentFile(b"signed"), save=False)
    return row


def is_there(row: Deliverable) -> tuple[bool, bool]:
    """Of its file, and of its work."""
    work = list(scratch_dir().glob(f"{work_prefix(row.render_id)}*"))
    return row.file.storage.exists(row.file.name or ""), bool(work)


def test_a_starting_worker_clears_what_renders_that_have_ended_left(
    demo: Demo, dub: Dub, deliverable: Deliverable
) -> None:
    ended = killed(demo, dub, 2, Render.State.WITHDRAWN)
    running = killed(demo, dub, 3, Render.State.RUNNING)
    renders_sweep()
    assert is_there(ended) == (False, False)
    assert is_there(running) == (True, True)
    assert is_there(deliverable)[0]
    render_leftovers_delete(running.render_id)
    assert is_there(running) == (False, False)


def test_a_finished_file_is_no_leftover(deliverable: Deliverable) -> None:
    render_leftovers_delete(deliverable.render_id)
    renders_sweep()
    assert is_there(deliverable)[0]
