"""The actor's performance leaves only by a producer's hand, while consent stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied
from consent.models import LedgerEntry
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis.errors import NotAllowed
from synthesis.models import Deliverable, Render, Track, TrackRender
from synthesis.performance.kept import PerformanceError, codes_pack
from synthesis.services.performances import performance_export


@pytest.fixture
def render(deliverable: Deliverable) -> Render:
    """A finished render with the codes of its one face."""
    codes = np.zeros((153, 12))
    codes[10:20, 0] = 3.0
    TrackRender.objects.create(
        render=deliverable.render,
        track=Track.objects.get(),
        patches="none.mouths",
        weights_sha256="0" * 64,
        codes=codes_pack(codes),
    )
    return deliverable.render


def exports() -> int:
    return LedgerEntry.objects.filter(kind="performance-exported").count()


def test_a_producer_takes_it_and_the_ledger_knows(demo: Demo, render: Render) -> None:
    file = performance_export(
        render=render, form="arkit-json", acting_user=demo.producer
    )
    assert file.name == "hello_es_v1_arkit-json.json"
    document = json.loads(file.content)
    assert document["rate"] == "25/1"
    (track,) = document["tracks"]
    assert len(track["frames"]) == 153
    assert track["frames"][26]["timecode"] == "00:00:01:01"
    jaw = document["names"].index("jawOpen")
    assert track["frames"][15]["values"][jaw] > 0.2
    assert track["frames"][30]["values"][jaw] == 0
    assert demo.grant.canonical_sha256 in document["consent_records"]
    entry = LedgerEntry.objects.filter(kind="performance-exported").last()
    assert entry is not None
    payload = entry.document["payload"]
    assert (payload["render"], payload["format"]) == (str(render.id), "arkit-json")
    assert payload["grants"] == [str(demo.grant.id)]


def test_where_the_actor_approves_each_file_their_performance_waits_too(
    demo: Demo, render: Render, asks_for_approval: SoftwareAuthenticator
) -> None:
    with pytest.raises(ConsentDenied, match="has not approved this very file"):
        performance_export(render=render, form="glb", acting_user=demo.producer)
    assert exports() == 0


def test_nothing_in_the_file_names_the_actor(demo: Demo, render: Render) -> None:
    for form in ("arkit-json", "arkit-csv", "ovr-csv", "glb"):
        file = performance_export(render=render, form=form, acting_user=demo.producer)
        assert b"Robin" not in file.content
        assert b"robin" not in file.content


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("arkit-csv", b"# made_by: lipweb"),
        ("ovr-csv", b"# made_by: lipweb"),
        ("glb", b"glTF"),
    ],
)
def test_every_format_is_made(
    demo: Demo, render: Render, form: str, begins: bytes
) -> None:
    file = performance_export(render=render, form=form, acting_user=demo.producer)
    assert file.content.startswith(begins)


def test_after_a_withdrawal_nobody_takes_it(
    demo: Demo, render: Render, revoke: Callable[[], None]
) -> None:
    revoke()
    with pytest.raises(ConsentDenied):
        performance_export(render=render, form="glb", acting_user=demo.producer)
    assert exports() == 0


def test_a_reviewer_may_look_but_not_take(
    render: Render, reviewer_of_demo: User
) -> None:
    with pytest.raises(NotAllowed, match="Only a producer"):
        performance_export(render=render, form="glb", acting_user=reviewer_of_demo)
    assert exports() == 0


def test_a_render_that_has_not_ended_has_none(demo: Demo, render: Render) -> None:
    Render.objects.update(state=Render.State.RUNNING)
    render.refresh_from_db()
    with pytest.raises(NotAllowed, match="once the render has ended"):
        performance_export(render=render, form="glb", acting_user=demo.producer)


def test_a_version_made_before_codes_were_kept_says_so(
    demo: Demo, render: Render
) -> None:
    TrackRender.objects.update(codes=b"")
    with pytest.raises(PerformanceError, match="Render a new version"):
        performance_export(render=render, form="glb", acting_user=demo.producer)
    assert exports() == 0


def test_a_format_nobody_knows_is_refused(demo: Demo, render: Render) -> None:
    with pytest.raises(PerformanceError, match="arkit-json"):
        performance_export(render=render, form="fbx", acting_user=demo.producer)


def test_a_pipeline_writes_it_to_a_file(render: Render, tmp_path: Path) -> None:
    out = StringIO()
    target = tmp_path / "face.glb"
    call_command(
        "performance", str(render.id), "--format", "glb", "--out", target, stdout=out
    )
    assert target.read_bytes().startswith(b"glTF")
    assert str(target) in out.getvalue()
    assert exports() == 1


def test_a_pipeline_is_refused_in_words(
    render: Render, tmp_path: Path, revoke: Callable[[], None]
) -> None:
    with pytest.raises(CommandError, match="There is no render"):
        call_command("performance", "not-an-id", "--out", tmp_path / "a.json")
    revoke()
    with pytest.raises(CommandError, match="consent-denied"):
        call_command("performance", str(render.id), "--out", tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()
