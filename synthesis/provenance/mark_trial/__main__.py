"""`make bench-watermark`: attack the mark, and say what it stood.

Ends with 0 if every attack in the bar holds on every film in it; with 1 if one does
not, or none was made; 2 if it was asked for something that cannot be; 3 if a mark was
found where there is none, which is worse; 130 if it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from synthesis.errors import SynthesisError
from synthesis.provenance.mark_trial.attacks import named
from synthesis.provenance.mark_trial.clips import MADE, Clip, ClipsRefused, Source, own
from synthesis.provenance.mark_trial.drawing import draw
from synthesis.provenance.mark_trial.falsely import look_where_there_is_none
from synthesis.provenance.mark_trial.likeness import compare
from synthesis.provenance.mark_trial.marks import Library, Mark, Ours, library_marks
from synthesis.provenance.mark_trial.speed import measure
from synthesis.provenance.mark_trial.table import Findings, lines
from synthesis.provenance.mark_trial.trial import (
    Delivered,
    Plan,
    attack_all,
    deliver,
    one_thread,
)

HOLDS, MISSED, CANNOT, FALSE, STOPPED = 0, 1, 2, 3, 130
QUICK_S, FULL_S = 4.0, 10.0
LIBRARY_FILMS = 2


def main(words: Sequence[str] | None = None) -> int:
    """Run what the words ask for; return the exit code."""
    asked = _parse(words)
    attacks = [attack.name for attack in named(asked.only)]
    began = time.monotonic()
    try:
        sources = _sources(asked)
        if not attacks:
            raise ClipsRefused(f"No attack has any of {asked.only} in its name.")
        with tempfile.TemporaryDirectory(prefix="lipweb-mark-") as folder:
            findings = _run(asked, sources, attacks, Path(folder))
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; nothing was written.\n")
        return STOPPED
    except ClipsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return CANNOT
    except SynthesisError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return CANNOT
    findings.about["minutes"] = round((time.monotonic() - began) / 60, 1)
    text = "\n".join(lines(findings)) + "\n"
    sys.stdout.write(text)
    if asked.out:
        _keep(findings, text, asked.out)
    if findings.false_answers:
        return FALSE
    return HOLDS if findings.tried and not findings.failures else MISSED


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-watermark",
        description=(__doc__ or "").partition("\n\n")[0],
        epilog=(__doc__ or "").partition("\n\n")[2],
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="longer films, a piece every half second, the library on all films",
    )
    parser.add_argument(
        "--clips", type=Path, metavar="FOLDER", help="try films of your own too"
    )
    parser.add_argument(
        "--most", type=int, default=6, help="of them, evenly chosen (default 6)"
    )
    parser.add_argument(
        "--made",
        default=",".join(source.name for source in MADE),
        metavar="NAMES",
        help="films that are made here, of %(default)s; 'none' for none of them",
    )
    parser.add_argument(
        "--only", action="append", default=[], help="attacks with this in their names"
    )
    parser.add_argument(
        "--decodes", type=int, default=1000, help="for false finds (default 1000)"
    )
    parser.add_argument("--no-speed", action="store_true", help="leave speed out")
    parser.add_argument("--no-library", action="store_true", help="only our mark")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write text, JSON and PNG there"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes"
    )
    return parser.parse_args(words)


def _sources(asked: argparse.Namespace) -> list[Source]:
    names = [] if asked.made == "none" else asked.made.split(",")
    known = {source.name: source for source in MADE}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ClipsRefused(
            f"No film {unknown[0]!r} is made here; {', '.join(known)} are."
        )
    sources = [known[name] for name in names]
    if asked.clips:
        sources += own(asked.clips, max(asked.most, 1))
    if not sources:
        raise ClipsRefused("There is nothing to try it on: give --clips or --made.")
    return sources


def _run(
    asked: argparse.Namespace, sources: list[Source], attacks: list[str], folder: Path
) -> Findings:
    one_thread()
    seconds = FULL_S if asked.full else QUICK_S
    libraries = [] if asked.no_library else library_marks(every=1 if asked.full else 5)
    films: list[Delivered] = []
    unmarked: list[Delivered] = []
    first: Clip | None = None
    say, compared = Progress("marking"), 0
    for number, source in enumerate(sources):
        clip = source.make(seconds)
        first = first or clip
        marks: list[Mark | None] = [None, Ours()]
        if asked.full or (clip.in_bar and compared < LIBRARY_FILMS):
            marks += libraries
            compared += 1
        for place, mark in enumerate(marks):
            film = deliver(clip, mark, folder)
            (films if mark else unmarked).append(film)
            say(number * len(marks) + place + 1, len(sources) * len(marks))
    ours = [film for film in films if not isinstance(film.mark, Library)]
    plan = Plan(
        films=films,
        attacks=attacks,
        every_s=0.5 if asked.full else 2.0,
        library_every_s=2.0,
        jobs=max(asked.jobs, 1),
    )
    findings = Findings(films=films, has_library=bool(libraries) or asked.no_library)
    findings.about = {
        "command": "make bench-watermark",
        "full": asked.full,
        "seconds": seconds,
        "piece_every_s": plan.every_s,
    }
    findings.cells = attack_all(plan, Progress("attacking"))
    if asked.decodes > 0:
        findings.false_finds = look_where_there_is_none(
            [*unmarked, *ours], asked.decodes, Progress("false finds")
        )
    findings.strangers = compare(
        [film for film in ours if film.in_bar], Progress("fingerprints")
    )
    if not asked.no_speed and first is not None:
        findings.speeds = measure(first, libraries)
    return findings


def _keep(findings: Findings, text: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "watermark.txt").write_text(text)
    as_json = json.dumps(findings.as_json(), indent=1)
    (folder / "watermark.json").write_text(as_json + "\n")
    draw(findings, folder / "watermark.png")


class Progress:
    """One line that says how far it is and for how long still; in a log, ten lines."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._tenth = -1

    def __call__(self, done: int, of: int) -> None:
        live = sys.stderr.isatty()
        tenth = 10 * done // max(of, 1)
        if not live and tenth == self._tenth:
            return
        self._tenth = tenth
        spent = time.monotonic() - self._began
        left = spent / max(done, 1) * (of - done)
        about = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
        line = f"{self._what}: {done} of {of}, about {about} left"
        sys.stderr.write(f"\r\033[K{line}" if live else f"{line}\n")
        if live and done >= of:
            sys.stderr.write("\r\033[K")
        sys.stderr.flush()


if __name__ == "__main__":
    # As Ctrl-C does, so that the processes of the pool end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
