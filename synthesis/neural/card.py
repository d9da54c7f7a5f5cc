"""The model card: what the weights are, what they learned from, what they reach."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from synthesis.errors import SynthesisError

TEMPLATE = Path(__file__).parent / "weights" / "MODEL_CARD.template.md"
CARD = "MODEL_CARD.md"
MANIFEST = "manifest.json"
PARTS = ("train", "val", "test", "unseen")
HASH_SHOWN = 16


class CardError(SynthesisError):
    """The card cannot be written; `code` is stable, `sentence` says why."""


def model_card(weights: Path, evaluations: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the card of a weight folder in Markdown.

    evaluations: title -> what `manage.py evaluate --json` wrote; any tables of numbers
    in it are shown. Raises CardError where the folder has no readable manifest.
    """
    manifests = dict(_manifests(weights))
    figures = [
        "\n\n".join([f"### {title}", *_figures(content)])
        for title, content in evaluations.items()
    ]
    return Template(TEMPLATE.read_text()).substitute(
        files=_files(manifests),
        training=_training(manifests),
        figures="\n\n".join(figures) or "These weights were not measured yet.",
    )


def evaluation_read(path: Path) -> dict[str, Any]:
    """Return an evaluation's JSON object. Raises CardError."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CardError(
            "figures-unreadable", f"{path.name} is no JSON of manage.py evaluate."
        ) from error
    if not isinstance(content, dict):
        raise CardError("figures-unreadable", f"{path.name} holds no JSON object.")
    return content


def _manifests(weights: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (prefix, manifest) of the folder and of the actors' folders in it."""
    paths = [weights / MANIFEST, *sorted(weights.glob(f"*/{MANIFEST}"))]
    for path in paths:
        prefix = "" if path.parent == weights else f"{path.parent.name}/"
        try:
            yield prefix, dict(json.loads(path.read_text())["files"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CardError(
                "weights-missing",
                f"The folder {path.parent.name} holds no readable weight manifest.",
            ) from error


def _files(manifests: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for prefix, files in manifests.items():
        for name, entry in sorted(files.items()):
            config = entry.get("config", {})
            sides = [
                str(config[side]) for side in ("width", "height") if side in config
            ]
            size = f"{' x '.join(sides)} px" if len(sides) == 2 else ""
            megabytes = f"{entry['bytes'] / 1e6:.2f} MB"
            sha256 = f"`{entry['sha256'][:HASH_SHOWN]}`"
            rows.append([f"`{prefix}{name}`", size, megabytes, sha256])
    return table(["File", "Picture", "Size", "SHA-256 begins"], rows)


def _training(manifests: Mapping[str, Mapping[str, Any]]) -> str:
    rows, unknown = [], []
    for prefix, files in manifests.items():
        for name, entry in sorted(files.items()):
            facts = entry.get("training")
            if facts:
                rows.append([f"`{prefix}{name}`", *_history(facts)])
            else:
                unknown.append(f"`{prefix}{name}`")
    heads = ["File", "Steps", "Seed", "Trained on", *PARTS, "Talkers held out"]
    told = [table(heads, rows)] if rows else []
    if unknown:
        told.append(f"Not recorded: {', '.join(unknown)}.")
    return "\n\n".join(told)


def _history(facts: Mapping[str, Any]) -> list[str]:
    """Cells of one file: steps, seed, trained on, pieces of each part, held out."""
    data = facts["data"]
    counts = [str(sum(one.get(part, 0) for one in data)) for part in PARTS]
    held_out = sorted({talker for one in data for talker in one["held_out"]})
    firsts = [_cell(facts[fact]) for fact in ("steps", "seed")]
    trained_on = ", ".join(facts["trained_on"])
    return [*firsts, trained_on, *counts, ", ".join(held_out) or "none"]


def _figures(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an evaluation says of itself, its targets, and its tables."""
    about = content.get("about")
    if isinstance(about, Mapping):
        told = [f"{k}: {_cell(v)}" for k, v in about.items() if _is_plain(v)]
        if told:
            yield "; ".join(told) + "."
    wanted = content.get("targets")
    if isinstance(wanted, Sequence) and wanted and isinstance(wanted[0], Mapping):
        heads = list(wanted[0])
        rows = [[_cell(one.get(head)) for head in heads] for one in wanted]
        yield table([head.replace("_", " ") for head in heads], rows)
    legend = content.get("legend")
    labels = legend if isinstance(legend, Mapping) else {}
    for name, value in content.items():
        if name not in ("about", "targets", "legend") and isinstance(value, Mapping):
            yield from _tables(name, value, labels)


def _tables(
    name: str, value: Mapping[str, Any], labels: Mapping[str, str]
) -> Iterator[str]:
    """Yield one table for each mapping of numbers, or of such mappings, within."""
    inner = {key: one for key, one in value.items() if isinstance(one, Mapping)}
    numbers = {key: one for key, one in value.items() if _is_plain(one)}
    if numbers:
        rows = [[_label(key, labels), _cell(one)] for key, one in numbers.items()]
        yield f"**{name}**\n\n" + table(["Figure", "Value"], rows)
    flat = {k: m for k, m in inner.items() if m and all(map(_is_plain, m.values()))}
    if flat:
        figures = list(dict.fromkeys(figure for m in flat.values() for figure in m))
        rows = [
            [_label(figure, labels), *(_cell(m.get(figure)) for m in flat.values())]
            for figure in figures
        ]
        yield f"**{name}**\n\n" + table(["Figure", *flat], rows)
    for key, one in inner.items():
        if key not in flat:
            yield from _tables(f"{name}, {key}", one, labels)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(_safe, line)) + " |" for line in lines)


def _safe(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _label(figure: str, labels: Mapping[str, str]) -> str:
    return str(labels.get(figure, figure)).strip()


def _cell(value: object) -> str:
    if value is None or value != value:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)
