"""`manage.py verify`: each verdict on a real file, and its exit code."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from synthesis import house_keys
from synthesis.management.commands import verify
from synthesis.models import Deliverable
from synthesis.provenance.mark import Embedder
from synthesis.provenance.verdict import Code
from tests.synthesis.marked import Marked
from tests.synthesis.production import video_bytes
from tests.synthesis.provenance.conftest import (
    MARK_ID,
    changed,
    encode,
    film,
    remuxed,
)

pytestmark = pytest.mark.django_db


def verified(path: Path) -> tuple[Code, int]:
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify", str(path), "--json", stdout=said)
    return Code(json.loads(said.getvalue())["code"]), int(ended.value.code or 0)


def said_of(path: Path, *options: str) -> dict[str, Any]:
    said = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", str(path), "--json", *options, stdout=said)
    return dict(json.loads(said.getvalue().splitlines()[-1]))


def test_what_was_made_here_is_told_apart_by_what_became_of_it(
    recorded: Deliverable,
    marked: Marked,
    signed_film: tuple[Path, str],
    tmp_path: Path,
    revoke: Callable[[], None],
) -> None:
    assert verified(marked.signed) == (Code.UNCHANGED, 0)

    at = marked.signed.read_bytes().rindex(b"Lavf") + 5
    assert verified(changed(marked.signed, at)) == (Code.CHANGED, 3)

    stripped = remuxed(marked.signed, tmp_path / "stripped.mp4")
    assert verified(stripped) == (Code.STRIPPED, 3)

    relabelled = marked.stranger.signed("relabelled.mp4", marked.plain)
    assert verified(relabelled) == (Code.RELABELLED, 3)

    Deliverable.objects.update(fingerprint=bytes(255 - b for b in marked.fingerprint))
    assert verified(stripped) == (Code.PASTED, 6)

    unmarked, manifest_id = signed_film
    Deliverable.objects.update(manifest_id=manifest_id)
    at = unmarked.read_bytes().rindex(b"mdat") + 100
    assert verified(changed(unmarked, at)) == (Code.MISFIT, 6)

    revoke()
    assert verified(marked.signed) == (Code.UNCHANGED, 5)


def test_our_mark_put_on_another_film_is_told(
    recorded: Deliverable, tmp_path: Path
) -> None:
    _, key = house_keys.all_mark_keys()[0]
    embedder = Embedder(key, MARK_ID, 640, 360)
    others = film(6)
    for luma in others:
        embedder.apply(luma)
    pasted = encode(tmp_path / "pasted.mp4", others)
    assert verified(pasted) == (Code.PASTED, 6)


def test_what_was_not_made_here_is_said_fairly(
    db: None, marked: Marked, tmp_path: Path
) -> None:
    assert verified(marked.plain) == (Code.UNRECORDED, 4)

    small = encode(tmp_path / "small.mp4", film(1, width=160, height=96, frames=10))
    foreign = marked.stranger.signed("foreign.mp4", small)
    assert verified(foreign) == (Code.FOREIGN, 4)
    claimed = said_of(foreign)["credential"]
    assert (claimed["title"], claimed["signer"]) == (
        marked.stranger.facts.title,
        "lipweb (test, not vetted)",
    )
    assert "c2pa.dubbed" in claimed["actions"]
    assert claimed["ingredients"]

    at = foreign.read_bytes().rindex(b"mdat") + 100
    assert verified(changed(foreign, at)) == (Code.FOREIGN_BROKEN, 4)

    nothing = tmp_path / "nothing.mp4"
    nothing.write_bytes(video_bytes())
    assert verified(nothing) == (Code.NOTHING, 4)


def test_every_verdict_has_an_exit_code_that_the_help_explains() -> None:
    assert set(verify.EXIT_CODES) == set(Code)
    told = verify.Command().create_parser("manage.py", "verify").format_help()
    for number in {*verify.EXIT_CODES.values(), 1, 2, verify.NOT_STANDING}:
        assert f"\n  {number}  " in told


def test_a_file_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file") as refused:
        call_command("verify", str(tmp_path / "none.mp4"))
    assert refused.value.returncode == 1


def test_without_json_the_sentences_of_the_verdict_are_printed(
    tmp_path: Path, db: None
) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(b"no film")
    said = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", str(path), stdout=said)
    assert said.getvalue().startswith("Neither a Content Credential nor")
