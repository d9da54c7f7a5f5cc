"""A render's rows on one side, the pipeline's plain files on the other."""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from consent.services.ledger import ledger_root
from synthesis import house_keys, software_version
from synthesis.delivery import (
    Delivery,
    Sound,
    dub_tracks,
    scene_subtitles,
    scene_tracks,
)
from synthesis.errors import SynthesisError
from synthesis.labelling import label_of
from synthesis.media.formats import Encoding, encoding_of
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, probe_sounds, sha256_file
from synthesis.media.proxy import browsers_play
from synthesis.media.sound import Line as PlacedLine
from synthesis.media.sound import mix_lines
from synthesis.media.soundtrack import SoundTrack
from synthesis.media.thumbnail import thumbnail
from synthesis.models import Deliverable, Dub, Render, Track
from synthesis.pipeline import Laid, Marks, Take, assemble
from synthesis.progress import Progress, look
from synthesis.provenance.label import Schedule
from synthesis.provenance.manifest import LabelFacts, ManifestFacts, sign
from synthesis.provenance.mark import Embedder
from synthesis.provenance.read import read_credential, reading_limit_s
from synthesis.provenance.readback import check_output
from synthesis.reuse import line_start_s
from synthesis.services.leftovers import work_prefix
from synthesis.services.manifests import (
    MODEL_NAME,
    consent_hashes,
    model_sha256,
    title_of,
)
from synthesis.services.receipts import deliverable_log
from synthesis.services.renders import grants_standing, tracks_to_render
from synthesis.storage import keep, local_path, scratch_dir
from synthesis.takes import take_of
from synthesis.viewing import FinishedCopy, file_told, viewing_copy_make

log = logging.getLogger(__name__)


def render_finish(render: Render) -> None:
    """Assemble, sign, read back, and only then let the deliverable exist."""
    scene = render.dub.scene
    facts = Probe.from_json(scene.media_facts)
    is_draft = render.tier == Render.Tier.DRAFT
    delivery = Delivery.from_json(render.delivery).of_tier(facts, draft=is_draft)
    encoding = encoding_of(delivery.format, facts, draft=is_draft)
    tracks = tracks_to_render(render.dub)
    report = Progress(render, units=2 * facts.frame_count, look=lambda: look(render))
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix=work_prefix(render.id),
                    dir=scratch_dir(),
                    ignore_cleanup_errors=True,
                )
            )
        )
        marked, signed = (
            folder / f"{name}.{encoding.container}" for name in ("marked", "signed")
        )
        scene_path = stack.enter_context(local_path(scene.file))
        takes = [stack.enter_context(_kept_take(render, track)) for track in tracks]
        sound, sounds = _dub_sound(render, facts, folder, stack)
        if delivery.scene_sounds:
            sounds += scene_tracks(scene_path, facts)
        mark = new_mark(render.dub, facts, encoding)
        fingerprint = assemble(
            scene=scene_path,
            probe=facts,
            takes=takes,
            laid=Laid(
                sounds,
                scene_subtitles(scene_path, facts),
                aac=delivery.sound == Sound.AAC,
            ),
            marks=Marks(mark.label, mark.embedder),
            encoding=encoding,
            target=marked,
            report=report,
        )
        report.next_stage(facts.frame_count)
        look(render)
        about = _manifest_facts(render, scene_path, sound, mark, first_picture(marked))
        manifest = sign(
            marked,
            signed,
            facts=about,
            signer=house_keys.signer(),
            anchors=house_keys.anchors(),
            time_authority=house_keys.time_authority(),
        )
        marked.unlink()
        held = read_back(signed, mark, manifest.manifest_id, report)
        deliverable = Deliverable(
            render=render,
            sha256=sha256_file(signed),
            size_bytes=signed.stat().st_size,
            frame_count=facts.frame_count,
            manifest_id=manifest.manifest_id,
            mark_id=mark.mark_id.hex(),
            mark_key_id=mark.key[0],
            fingerprint=fingerprint,
            label=mark.label_record,
            media=file_told(held, facts, delivery),
        )
        copy = None
        if encoding.container != "mp4" or not browsers_play(held):
            report.next_stage(facts.frame_count)
            report.add_units(2 * facts.frame_count)
            copy = viewing_copy_make(
                deliverable, signed, held, about, mark.key, folder, report
            )
        deliverable.render_seconds = _seconds(render)
        _publish(render, deliverable, signed, copy)


@contextmanager
def _kept_take(render: Render, track: Track) -> Iterator[Take]:
    row = render.track_renders.filter(track=track).first()
    if row is None:
        raise SynthesisError(
            "shot-not-rendered",
            f"The worker ended before shot {track.shot.index + 1} was done."
            " Render again; if it happens again the machine may be short of memory.",
        )
    with local_path(row.patches) as patches:
        yield take_of(render.dub, track, patches)


def _dub_sound(
    render: Render, facts: Probe, folder: Path, stack: ExitStack
) -> tuple[Path, list[SoundTrack]]:
    """The dub's sound, as a file and as the tracks it is laid in as: a single line as
    it came, with all its tracks, several lines mixed."""
    dub = render.dub
    lines = list(dub.lines.all())
    paths = [stack.enter_context(local_path(line.sound)) for line in lines]
    if len(lines) == 1:
        start_s = facts.pts[lines[0].first_frame] * facts.time_base
        sounds = probe_sounds(paths[0])
        return paths[0], dub_tracks(paths[0], sounds, dub.language, start_s=start_s)
    mixed = folder / "dub.wav"
    placed = [
        PlacedLine(path, line_start_s(line, facts))
        for path, line in zip(paths, lines, strict=True)
    ]
    mix_lines(placed, facts.duration, mixed)
    return mixed, dub_tracks(mixed, probe_sounds(mixed), dub.language)


@dataclass(frozen=True)
class Mark:
    """The identity of one output, and what draws it."""

    key: tuple[str, bytes]
    mark_id: bytes
    label: Schedule
    label_record: dict[str, Any]
    embedder: Embedder


def new_mark(dub: Dub, facts: Probe, encoding: Encoding) -> Mark:
    """A fresh random identity, and the label that the project's policy asks for.
    Raises SynthesisError where the picture is too small to carry a mark, or the label
    cannot be drawn."""
    key = house_keys.all_mark_keys()[0]
    mark_id = secrets.token_bytes(8)
    written = replace(facts, colour=encoding.colour(facts))
    label, record = label_of(dub, written)
    return Mark(
        key=key,
        mark_id=mark_id,
        label=label,
        label_record=record,
        embedder=Embedder(key[1], mark_id, facts.width, facts.height),
    )


def first_picture(path: Path) -> bytes:
    """A small JPEG of how a finished file begins, its label on it."""
    planes = next(iter(read_frames(path, probe(path), 0, 1)))
    return thumbnail(planes)


def _manifest_facts(
    render: Render, scene: Path, sound: Path, mark: Mark, picture: bytes
) -> ManifestFacts:
    dub = render.dub
    _, root = ledger_root()
    return ManifestFacts(
        title=title_of(render),
        scene_path=scene,
        scene_sha256=dub.scene.sha256,
        sound_path=sound,
        sound_sha256=sha256_file(sound),
        model_name=MODEL_NAME,
        model_sha256=model_sha256(render),
        source_language=dub.scene.language,
        target_language=dub.language,
        mark_id=mark.mark_id.hex(),
        consent_records=consent_hashes(render),
        ledger_root=root.hex(),
        software_version=software_version(),
        thumbnail=picture,
        label=label_facts(mark.label_record),
    )


def label_facts(record: dict[str, Any]) -> LabelFacts:
    """What a manifest says of the label that a record is of."""
    return LabelFacts(
        wording=record["wording"],
        language=record["language"],
        opening_s=record["opening_s"],
    )


def read_back(path: Path, mark: Mark, manifest_id: str, report: Progress) -> Probe:
    """Look for label, mark and manifest on the finished file itself, and return what
    else is in it. Raises not-read-back unless all three are there."""
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(
            read_credential,
            path,
            anchors=house_keys.anchors(),
            time_limit_s=reading_limit_s(path),
        )
        facts = probe(path)
        credential = reading.result()

    def frames() -> Iterator[tuple[Any, Any, Any]]:
        for planes in read_frames(path, facts):
            report("Checking the marks", planes.index + 1, facts.frame_count)
            yield planes.y, planes.u, planes.v

    found = check_output(
        frames(),
        label=mark.label,
        mark_key=mark.key,
        mark_id=mark.mark_id,
        credential=credential,
        manifest_id=manifest_id,
    )
    if not found.complete:
        raise SynthesisError(
            "not-read-back",
            "The finished file was not kept, because its marks could not be read back: "
            + " ".join(found.problems),
        )
    return facts


def _publish(
    render: Render, deliverable: Deliverable, path: Path, copy: FinishedCopy | None
) -> None:
    """Let the deliverable exist, if the consent it stands on still does. The grants
    are locked meanwhile: a withdrawal comes before, or after and closes it."""
    keep(deliverable.file, path, suffix=path.suffix[1:])
    try:
        if copy:
            keep(copy.row.file, copy.path, suffix="mp4")
        with transaction.atomic():
            grants_standing(render)
            look(render)
            deliverable.save()
            if copy:
                copy.row.save()
            Render.objects.filter(id=render.id).update(
                state=Render.State.READY, ended_at=timezone.now(), progress={}
            )
            deliverable_log(deliverable=deliverable, acting_user=render.requested_by)
    except BaseException:
        deliverable.file.delete(save=False)
        if copy and copy.row.file:
            copy.row.file.delete(save=False)
        raise


def _seconds(render: Render) -> float:
    started = render.started_at or timezone.now()
    return (timezone.now() - started).total_seconds()
