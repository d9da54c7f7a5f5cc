"""manage.py bench: time and memory of whole renders, or time of a consent question."""

from __future__ import annotations

import json
import logging
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import django_rq
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rq import Worker

from consent.errors import ConsentError
from lipweb.bench import peak_memory, scene_lengthen, sound_lengthen
from lipweb.demo_production import (
    LINES,
    SCENE,
    Demo,
    demo_people,
    faces_confirm,
)
from lipweb.dubbing import faces_assign, line_put, outcome, render_make, scene_bring
from lipweb.house import queue_and_worker
from lipweb.launcher import CannotStart
from lipweb.ledger_speed import ledger_measure
from lipweb.policy_speed import policy_measure
from synthesis.errors import SynthesisError
from synthesis.models import Line, Render
from synthesis.storage import scratch_dir

MIB = 1 << 20
LONGEST_FACTOR = {Render.Tier.FINAL: 2.0, Render.Tier.DRAFT: 1.0}
"""Most times the clip's length, from decoding to the signed file read back."""
MOST_MIB, MOST_GROWTH = 2560, 1.15
"""Of the worker's memory, and of its growth with the clip's length."""
MOST_POLICY_MS = 2.0
"""For one question to the policy, by the clock."""
MOST_LEDGER_S, MOST_LEDGER_MIB = 10.0, 16
"""For verifyledger over 100,000 entries, and of memory that it adds."""


class Command(BaseCommand):
    help = (
        "Render the demo scene at two lengths, 720p, and print seconds for each second"
        " of film and the worker's peak memory. Exits with 1 if a bound is missed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds", type=int, nargs=2, default=[10, 120], metavar=("SHORT", "LONG")
        )
        parser.add_argument(
            "--policy",
            action="store_true",
            help="only ask the consent policy, among 10,000 grants in this database;"
            " what is made for it is taken back",
        )

        parser.add_argument(
            "--ledger",
            action="store_true",
            help="only verify a ledger that has grown by 100,000 entries; they are"
            " taken back",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["policy"]:
            self._measure_policy()
        if options["ledger"]:
            self._measure_ledger()
        if not options["policy"] and not options["ledger"]:
            self._measure_renders(options)

    def _measure_renders(self, options: dict[str, Any]) -> None:
        # Of the production made for it nobody wants letters or log lines.
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        logging.disable(logging.INFO)
        try:
            with (
                queue_and_worker(),
                tempfile.TemporaryDirectory(dir=scratch_dir()) as folder,
            ):
                demo = demo_people()
                rows = [
                    row
                    for seconds in options["seconds"]
                    for row in self._measure(demo, Path(folder), seconds)
                ]
        except (ConsentError, SynthesisError) as error:
            raise CommandError(f"{error.sentence} [{error.code}]") from error
        except CannotStart as problem:
            raise CommandError(str(problem)) from problem
        short, long = (
            [row["peak_mib"] for row in rows if row["seconds"] == seconds]
            for seconds in options["seconds"]
        )
        growth = max(long) / max(short)
        self._say(f"the longer one took {growth:.2f} times the memory of the shorter")
        self._say(json.dumps({"rows": rows, "growth": round(growth, 3)}))
        missed = missed_bounds(rows, growth)
        if missed:
            raise CommandError("Bounds missed: " + "; ".join(missed) + ".")

    def _measure_policy(self) -> None:
        speed = policy_measure()
        self._say(
            f"{connection.vendor}, {speed.grants} grants: a question takes"
            f" {speed.median_ms:.2f} ms median, {speed.p95_ms:.2f} ms p95;"
            f" {speed.own_work_ms:.2f} ms of it our own work. SELECT 1 took"
            f" {speed.round_trip_ms:.2f} ms"
        )
        if speed.median_ms > MOST_POLICY_MS:
            raise CommandError(f"A question took more than {MOST_POLICY_MS} ms.")

    def _measure_ledger(self) -> None:
        speed = ledger_measure()
        self._say(
            f"{connection.vendor}, {speed.entries} ledger entries: verified in"
            f" {speed.seconds:.1f} s ({speed.own_work_s:.1f} s of it our own work),"
            f" {speed.grown_mib:.0f} MiB more memory"
        )
        if speed.own_work_s > MOST_LEDGER_S or speed.grown_mib > MOST_LEDGER_MIB:
            raise CommandError(
                f"It took more than {MOST_LEDGER_S:.0f} s or {MOST_LEDGER_MIB} MiB."
            )

    def _measure(self, demo: Demo, folder: Path, seconds: int) -> list[dict[str, Any]]:
        """Render one length at both tiers."""
        scene_path = folder / f"bench-{seconds}.mp4"
        sound_path = folder / f"bench-{seconds}.wav"
        scene_lengthen(SCENE, scene_path, seconds=seconds)
        sound_lengthen(LINES["es"], sound_path, seconds=seconds)
        user, say = demo.producer, _nothing
        self._say(f"{seconds:>4} s of film: made, and its faces are being found")
        scene = scene_bring(
            project=demo.project, path=scene_path, language="en", acting_user=user,
            say=say,
        )  # fmt: skip
        faces_assign(
            scene=scene, grant=demo.grant, number=None, acting_user=user, say=say
        )
        faces_confirm(demo, scene, say)
        line = line_put(
            scene=scene,
            grant=demo.grant,
            language="es",
            sound=sound_path,
            acting_user=user,
        )
        return [self._render(demo, line, seconds, tier) for tier in LONGEST_FACTOR]

    def _render(
        self, demo: Demo, line: Line, seconds: int, tier: Render.Tier
    ) -> dict[str, Any]:
        user = demo.producer
        with peak_memory(_worker_pid()) as peak:
            made = render_make(line=line, acting_user=user, say=_nothing, tier=tier)
        facts = outcome(made, acting_user=user, say=_nothing)
        row = {
            "seconds": seconds,
            "tier": str(tier),
            "frames": facts["frames"],
            "render_s": facts["seconds"],
            "factor": facts["realtime_factor"],
            "peak_mib": round(peak.bytes / MIB),
        }
        self._say(
            f"{seconds:>4} s of film, {tier}: {row['render_s']:.1f} s,"
            f" factor {row['factor']:.2f}, worker at most {row['peak_mib']} MiB"
        )
        return row

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def missed_bounds(rows: list[dict[str, Any]], growth: float) -> list[str]:
    """Each bound that the figures miss, in words; none if all is well."""
    missed = [
        f"{row['seconds']} s {row['tier']} took {row['factor']:.2f} times its length,"
        f" {LONGEST_FACTOR[row['tier']]:g} wanted"
        for row in rows
        if row["factor"] > LONGEST_FACTOR[row["tier"]]
    ]
    missed += [
        f"{row['seconds']} s {row['tier']} took {row['peak_mib']} MiB,"
        f" {MOST_MIB} wanted"
        for row in rows
        if row["peak_mib"] > MOST_MIB
    ]
    if growth > MOST_GROWTH:
        missed.append(
            f"memory grew {growth:.2f} times with the length, {MOST_GROWTH} wanted"
        )
    return missed


def _nothing(_: str) -> None:
    """Say nothing of what is not measured."""


def _worker_pid() -> int:
    workers = Worker.all(connection=django_rq.get_connection("default"))
    if len(workers) != 1:
        raise CommandError("Measure with exactly one worker on this machine.")
    return int(workers[0].pid or 0)
