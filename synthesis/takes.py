"""The mouths of one face in one shot: made once, and made again only when something
that decides their pixels has changed."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from consent.models import Actor
from synthesis.dials import AXES, Dials
from synthesis.engines.base import SOUND_RATE_HZ, Controls, ShotFace
from synthesis.engines.native import NativeEngine, fades
from synthesis.errors import PatchesBroken
from synthesis.faces.abstention import COVERED, LeftAlone, drawn_frames, frames_of
from synthesis.faces.align import filled
from synthesis.media.probe import Probe
from synthesis.media.sound import sound_mono_16k
from synthesis.models import (
    Dub,
    ProposedCurve,
    Render,
    Shot,
    Track,
    TrackRender,
)
from synthesis.neural.lipcode import mouth_shapes, rest_shape
from synthesis.patches import patches_open
from synthesis.performance.kept import codes_pack, lip_code_in_use
from synthesis.pipeline import Take, make_mouths
from synthesis.progress import Progress, look
from synthesis.reuse import curve_key, line_start_s, span_of, take_key, window_s
from synthesis.services.consents import model_in_use
from synthesis.services.leftovers import work_prefix
from synthesis.services.measured import landmarks_open
from synthesis.services.renders import tracks_to_render
from synthesis.storage import keep, local_path, scratch_dir

log = logging.getLogger(__name__)

Heard = tuple[NDArray[np.float64], NDArray[np.float32]]


def shot_render(render: Render, shot: Shot) -> None:
    """Make the mouths of every speaking face in the shot that has none yet. Mouths of
    an earlier version that would come out the same are taken over."""
    for track in tracks_to_render(render.dub, shot):
        if render.track_renders.filter(track=track).exists():
            continue
        look(render)
        key = take_key(render, track)
        if not _taken_over(render, track, key):
            with tempfile.TemporaryDirectory(
                prefix=work_prefix(render.id),
                dir=scratch_dir(),
                ignore_cleanup_errors=True,
            ) as folder:
                _track_render(render, track, key, Path(folder) / "mouths")


def curves_propose(dub: Dub) -> None:
    """Work out what the networks propose for each speaking face, where that is not
    known yet."""
    for track in tracks_to_render(dub):
        known = dub.proposed_curves.filter(track=track, key=curve_key(dub, track))
        if not known.exists():
            with ExitStack() as stack:
                engine = _engine(track, Render.Tier.DRAFT, stack)
                _curve_keep(dub, track, engine, _heard(dub, track))


def take_of(dub: Dub, track: Track, patches: Path, dials: Dials | None = None) -> Take:
    """A track with its landmarks; patches is where its mouths are or shall be."""
    with landmarks_open(track) as file:
        landmarks = np.load(file, allow_pickle=False)
    face = span_of(track)
    ranges = [LeftAlone.from_json(one) for one in track.left_alone]
    return Take(
        first_frame=track.first_frame,
        end_frame=track.end_frame,
        landmarks=landmarks,
        covered=frames_of(ranges, COVERED, track.first_frame, track.end_frame),
        as_filmed=(dials or Dials()).as_filmed(face),
        patches=patches,
    )


def _taken_over(render: Render, track: Track, key: str) -> bool:
    """Share the mouths of an earlier version of this dub, if their key is the same."""
    earlier = TrackRender.objects.filter(render__dub=render.dub, track=track, key=key)
    for row in earlier:
        try:
            with local_path(row.patches) as path, patches_open(path):
                pass
        except (OSError, PatchesBroken):
            continue
        row.pk, row.render = None, render
        row._state.adding = True
        row.save()
        log.info("take kept render=%s track=%s", render.id, track.id)
        return True
    return False


def _track_render(render: Render, track: Track, key: str, target: Path) -> None:
    scene = render.dub.scene
    facts = Probe.from_json(scene.media_facts)
    dials = Dials.from_json(render.controls)
    count = track.end_frame - track.first_frame
    report = Progress(
        render,
        units=count + 2 * facts.frame_count,
        look=lambda: look(render),
        shot=track.shot.index + 1,
        shots=scene.shots.count(),
    )
    report("Loading the network", 0, count)
    with ExitStack() as stack:
        engine = _engine(track, render.tier, stack)
        times_s, sound = _heard(render.dub, track)
        _curve_keep(render.dub, track, engine, (times_s, sound))
        take = take_of(render.dub, track, target, dials)
        controls = dials.for_face(span_of(track))
        make_mouths(
            scene=stack.enter_context(local_path(scene.file)),
            probe=facts,
            take=take,
            times_s=times_s,
            sound=sound,
            engine=engine,
            controls=controls,
            report=report,
        )
        row = TrackRender(
            render=render,
            track=track,
            weights_sha256=engine.weights_sha256,
            codes=codes_pack(
                shown_codes(_codes(engine, (times_s, sound), controls), take)
            ),
            key=key,
            left_alone=[one.to_json() for one in take.left_alone()],
        )
        keep(row.patches, target, suffix="mouths")
        row.save()


def _engine(track: Track, tier: str, stack: ExitStack) -> NativeEngine:
    return NativeEngine.load(
        actor=_learned(track, stack),
        threads=settings.RENDER_THREADS,
        tier="draft" if tier == Render.Tier.DRAFT else "final",
    )


def _learned(track: Track, stack: ExitStack) -> Path | None:
    """Folder of what the networks learned of this track's actor, or None."""
    project = track.shot.scene.project
    model = model_in_use(actor=track.actor, project=project)
    if model is None:
        return None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch_dir())))
    with local_path(model.file) as packed:
        shutil.unpack_archive(packed, folder, format="zip")
    return folder


def _heard(dub: Dub, track: Track) -> Heard:
    """The moments of a track's frames, and the sound around them, as ShotFace has
    both."""
    facts = Probe.from_json(dub.scene.media_facts)
    start_s, stop_s = window_s(track, facts)
    times_s = facts.times_s()[track.first_frame : track.end_frame]
    return times_s - start_s, _spoken(dub, track.actor, facts, start_s, stop_s)


def _spoken(
    dub: Dub, actor: Actor | None, facts: Probe, start_s: float, stop_s: float
) -> NDArray[np.float32]:
    """The actor's own words between two times: float32 mono at SOUND_RATE_HZ."""
    sound = np.zeros(round((stop_s - start_s) * SOUND_RATE_HZ), np.float32)
    for line in dub.lines.filter(actor=actor):
        at_s = line_start_s(line, facts)
        with local_path(line.sound) as path:
            words = sound_mono_16k(path, start_s - at_s, stop_s - at_s)
        count = min(len(words), len(sound))
        sound[:count] += words[:count]
    return sound


def _curve_keep(dub: Dub, track: Track, engine: NativeEngine, heard: Heard) -> None:
    """Store what the sound alone asks of the mouth, for the editor's background."""
    codes = _codes(engine, heard, Controls())
    values = {
        name: codes[:, axis].astype(float).round(2).tolist()
        for name, axis in AXES.items()
    }
    ProposedCurve.objects.update_or_create(
        dub=dub,
        track=track,
        defaults={"values": values, "key": curve_key(dub, track)},
    )


def shown_codes(asked: NDArray[np.float32], take: Take) -> NDArray[np.float32]:
    """The lip codes (n, C) of the picture: what was asked of the mouth, and where it
    was left as filmed, the filmed mouth's; one fades into the other as they do."""
    share = fades(drawn_frames(take.drawn_on()))[:, None]
    if share.min() == 1 or np.isnan(take.landmarks).all():
        return asked
    lip_code, _ = lip_code_in_use()
    shapes = mouth_shapes(filled(take.landmarks))
    filmed = lip_code.encode(shapes, rest_shape(shapes))
    return np.asarray(share * asked + (1 - share) * filmed, np.float32)


def _codes(
    engine: NativeEngine, heard: Heard, controls: Controls
) -> NDArray[np.float32]:
    """The lip codes (n, C) a mouth follows; they need no picture."""
    times_s, sound = heard
    nobody = np.full((len(times_s), 468, 3), np.nan, np.float32)
    return engine.lip_codes(
        ShotFace(lambda: iter(()), nobody, times_s, sound), controls
    )
