"""Nothing is learned of a face without a consent that includes training, and nothing
stays when it is withdrawn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_rq
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied
from consent.models import Grant, LedgerEntry, Project
from consent.record import GrantTerms, SceneRef
from consent.seams import seams
from consent.services.grants import grant_propose
from consent.services.software import software_grant_sign
from lipweb.demo_production import Demo, _passkey_path
from lipweb.models import User
from synthesis.adapting import publishing
from synthesis.adapting.publishing import model_publish
from synthesis.adapting.work import part_keep
from synthesis.engines.comparison import SHOWN, Comparison, MouthFigures, Still
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.jobs import adapt_actor
from synthesis.models import ActorModel, Adaptation, Footage, ModelStill, Scene
from synthesis.progress import Stopped
from synthesis.services import adaptation as services
from synthesis.services.consents import model_in_use
from synthesis.services.scenes import track_assign
from synthesis.storage import scratch_dir
from tests.synthesis.adapting.conftest import (
    forget,
    model_made,
    nothing_is_left,
    parts_made,
)

pytestmark = pytest.mark.django_db(transaction=True)

Learn = Callable[..., Adaptation]


@pytest.fixture(autouse=True)
def unlearned(demo: Demo) -> None:
    forget(demo)


@pytest.fixture
def signed(demo: Demo, revoke: Callable[[], None]) -> Callable[..., Grant]:
    """signed(**terms) takes Robin's grant back and has another signed instead."""

    def sign(**terms: Any) -> Grant:
        revoke()
        key = SoftwareAuthenticator.load(_passkey_path().read_text())
        key.sign_count += 1  # the withdrawal counted on a copy of the key
        usual: dict[str, Any] = {
            "languages": ("es",),
            "territories": ("worldwide",),
            "media": ("cinema",),
            "starts_at": timezone.now() - timedelta(minutes=1),
            "ends_at": timezone.now() + timedelta(days=9),
            "inference": True,
        }
        grant = grant_propose(
            project=demo.project,
            actor=demo.grant.actor,
            terms=GrantTerms(**(usual | terms)),
            acting_user=demo.producer,
        )
        return software_grant_sign(
            grant=grant, authenticator=key, acting_user=demo.grant.actor.user
        )

    return sign


def jobs() -> list[str]:
    return list(django_rq.get_queue("default").job_ids)


def kinds() -> list[str]:
    return list(LedgerEntry.objects.values_list("kind", flat=True))


# Before anything is learned


def test_a_grant_for_dubbing_alone_allows_no_learning(
    scene: Scene, learn: Learn, signed: Callable[..., Grant], demo: Demo
) -> None:
    signed(training=False)
    with pytest.raises(ConsentDenied, match="does not allow training"):
        learn(scenes=[scene])
    assert not Adaptation.objects.exists()
    assert jobs() == []


def test_footage_is_not_even_kept_without_consent_to_learn(
    bring: Callable[[Path], Footage], signed: Callable[..., Grant], tmp_path: Path
) -> None:
    signed(training=False)
    (tmp_path / "reel.mp4").write_bytes(b"pictures of a face")
    with pytest.raises(ConsentDenied, match="does not allow training"):
        bring(tmp_path / "reel.mp4")
    assert not Footage.objects.exists()


def test_each_source_is_asked_about_by_itself(
    scene: Scene,
    learn: Learn,
    signed: Callable[..., Grant],
    bring: Callable[[Path], Footage],
    tmp_path: Path,
) -> None:
    (tmp_path / "reel.mp4").write_bytes(b"pictures of a face")
    reel = bring(tmp_path / "reel.mp4")
    Footage.objects.filter(id=reel.id).update(sha256="e" * 64)
    reel.refresh_from_db()
    grant = signed(
        training=True, scenes=(SceneRef(title="Hello", sha256=scene.sha256),)
    )
    # The withdrawal of the grant for everything took the footage with it.
    assert not Footage.objects.exists()
    reel.save(force_insert=True)
    with pytest.raises(ConsentDenied, match="does not cover this scene"):
        learn(scenes=[scene], footage=[reel])
    assert learn(scenes=[scene]).grant == grant


def test_only_scenes_in_which_a_face_is_the_actors_can_be_learned_from(
    scene: Scene, learn: Learn
) -> None:
    scene.shots.get().tracks.update(actor=None)
    with pytest.raises(NotAllowed, match="Assign the face first"):
        learn(scenes=[scene])


def test_nothing_ticked_is_nothing_learned(learn: Learn) -> None:
    with pytest.raises(NotAllowed, match="Choose what"):
        learn()


def test_one_run_at_a_time_and_the_scene_holds_still_meanwhile(
    demo: Demo, scene: Scene, learn: Learn
) -> None:
    run = learn(scenes=[scene])
    assert jobs() == [f"adapt-{run.id}"]
    assert "adaptation-queued" in kinds()
    with pytest.raises(NotAllowed, match="learned already"):
        learn(scenes=[scene])
    with pytest.raises(SynthesisError, match="being learned from this scene"):
        track_assign(
            track=scene.shots.get().tracks.get(), actor=None, acting_user=demo.producer
        )


def test_a_reviewer_can_neither_start_nor_cancel_nor_delete(
    demo: Demo, scene: Scene, learn: Learn, reviewer_of_demo: User
) -> None:
    run = learn(scenes=[scene])
    with pytest.raises(NotAllowed, match="Only a producer"):
        services.adaptation_cancel(adaptation=run, acting_user=reviewer_of_demo)
    with pytest.raises(NotAllowed, match="Only a producer"):
        services.model_delete(model=model_made(run), acting_user=reviewer_of_demo)
    with pytest.raises(NotAllowed, match="Only a producer"):
        services.adaptation_queue(
            project=demo.project,
            actor=demo.grant.actor,
            scenes=[scene],
            acting_user=reviewer_of_demo,
        )


def test_a_job_whose_consent_no_longer_covers_it_ends_in_words(
    scene: Scene, learn: Learn
) -> None:
    run = learn(scenes=[scene])
    Project.objects.update(medium="broadcast")  # which the grant does not name
    adapt_actor(str(run.id))
    run.refresh_from_db()
    assert run.state == Adaptation.State.WITHDRAWN
    assert "does not cover television" in run.error_sentence


# Taking back


def test_a_cancelled_run_leaves_the_queue_and_its_work_is_deleted(
    demo: Demo, scene: Scene, learn: Learn
) -> None:
    run = learn(scenes=[scene])
    parts_made(run)
    services.adaptation_cancel(adaptation=run, acting_user=demo.producer)
    run.refresh_from_db()
    assert run.state == Adaptation.State.CANCELLED
    assert jobs() == []
    assert nothing_is_left()


def test_a_withdrawal_ends_a_run_and_deletes_crops_checkpoints_and_footage(
    scene: Scene,
    learn: Learn,
    bring: Callable[[Path], Footage],
    revoke: Callable[[], None],
    tmp_path: Path,
) -> None:
    (tmp_path / "reel.mp4").write_bytes(b"pictures of a face")
    reel = bring(tmp_path / "reel.mp4")
    storage, name = reel.file.storage, reel.file.name
    run = learn(scenes=[scene], footage=[reel])
    parts_made(run)
    assert storage.exists(name)
    revoke()
    run.refresh_from_db()
    assert run.state == Adaptation.State.WITHDRAWN
    assert "withdrew consent" in run.error_sentence
    assert jobs() == []
    assert nothing_is_left()
    assert not Footage.objects.exists()
    assert not storage.exists(name)


def test_a_withdrawal_deletes_model_and_stills_and_the_ledger_keeps_that_it_did(
    scene: Scene, learn: Learn, revoke: Callable[[], None]
) -> None:
    run = learn(scenes=[scene])
    model = model_made(run)
    stored = [model.file, *(still.file for still in model.stills.all())]
    assert len(stored) == 4
    assert all(file.storage.exists(file.name) for file in stored)
    revoke()
    assert nothing_is_left()
    assert not any(file.storage.exists(file.name) for file in stored)
    run.refresh_from_db()
    assert run.model_deleted_at is not None
    assert "model-deleted" in kinds()


def test_a_grant_of_another_production_does_not_keep_footage(
    demo: Demo, revoke: Callable[[], None], bring: Any, tmp_path: Path
) -> None:
    (tmp_path / "reel.mp4").write_bytes(b"pictures of a face")
    bring(tmp_path / "reel.mp4")
    Project.objects.create(name="Elsewhere", company="Else")
    revoke()
    assert not Footage.objects.exists()


def test_work_that_arrives_after_the_end_is_not_kept(
    demo: Demo, scene: Scene, learn: Learn
) -> None:
    run = learn(scenes=[scene])
    Adaptation.objects.filter(id=run.id).update(state=Adaptation.State.CANCELLED)
    late = scratch_dir() / "late.pt"
    late.write_bytes(b"checkpoint")
    with pytest.raises(Stopped):
        part_keep(run, "renderer.pt", late)
    assert nothing_is_left()


def test_a_newer_checkpoint_takes_the_place_of_the_older(
    scene: Scene, learn: Learn
) -> None:
    run = learn(scenes=[scene])
    Adaptation.objects.filter(id=run.id).update(state=Adaptation.State.RUNNING)
    for content in (b"older", b"newer"):
        file = scratch_dir() / "renderer.pt"
        file.write_bytes(content)
        part_keep(run, "renderer.pt", file)
    part = run.parts.get()
    assert part.file.read() == b"newer"
    assert len(list(Path(part.file.path).parent.iterdir())) == 1
    part.file.close()


def test_a_worker_that_starts_finishes_a_withdrawal_that_was_cut_off(
    scene: Scene,
    learn: Learn,
    revoke: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = learn(scenes=[scene])
    model_made(run)
    with monkeypatch.context() as patched:
        # The web process dies between the signature and its consequences.
        patched.setattr(services, "training_withdraw", lambda **_: None)
        revoke()
    parts_made(run)
    assert ActorModel.objects.exists()
    assert model_in_use(actor=run.actor, project=run.project) is None
    services.adaptations_sweep()
    assert nothing_is_left()


@pytest.mark.parametrize("how", ["by the withdrawal", "when a worker starts"])
def test_weights_that_a_killed_worker_had_put_away_are_gone(
    scene: Scene, learn: Learn, revoke: Callable[[], None], how: str
) -> None:
    run = learn(scenes=[scene])
    Adaptation.objects.filter(id=run.id).update(state=Adaptation.State.RUNNING)
    model = ActorModel(actor=run.actor, grant=run.grant, adaptation=run)
    made: list[ActorModel | ModelStill] = [model, ModelStill(model=model)]

    def put_away() -> None:
        for row in made:
            row.file.save("file.bin", ContentFile(b"a face"), save=False)

    put_away()
    revoke()
    if how == "when a worker starts":
        put_away()  # a machine far away was not done yet
        services.adaptations_sweep()
    for row in made:
        assert not row.file.storage.exists(row.file.name)
    assert nothing_is_left()


# The moment between learned and published


@pytest.fixture
def learned(
    demo: Demo, scene: Scene, learn: Learn, tmp_path: Path
) -> Callable[[], None]:
    """learned() publishes a run whose work is done."""
    run = learn(scenes=[scene])
    Adaptation.objects.filter(id=run.id).update(state=Adaptation.State.RUNNING)
    (tmp_path / "run" / "weights").mkdir(parents=True)
    (tmp_path / "run" / "weights" / "manifest.json").write_text('{"files": {}}')
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "excerpt.npz", times_s=np.arange(20) / 25)
    source = {"name": "Hello", "sha256": scene.sha256, "seconds": 5.2}
    facts = {"sources": [source], "left_out": {}, "excerpt": {"first": 100}}
    picture = np.full((SHOWN.height, SHOWN.width, 3), 110, np.uint8)
    figures = MouthFigures(30.0, 0.5, 0.4)
    compared = Comparison(
        frames=10,
        figures={"general": figures, "adapted": figures},
        stills=[Still(12, dict.fromkeys(ModelStill.Kind.values, picture))],
    )
    return lambda: model_publish(run, facts, compared, tmp_path)


def test_what_is_published_stands_on_the_grant_and_in_the_ledger(
    learned: Callable[[], None], demo: Demo
) -> None:
    learned()
    model = ActorModel.objects.get()
    assert model_in_use(actor=demo.grant.actor, project=demo.project) == model
    entry = LedgerEntry.objects.get(kind="model-adapted").document["payload"]
    assert entry["grant"] == str(demo.grant.id)
    assert entry["model_sha256"] == model.sha256
    assert sorted(entry["marks"]) == sorted(
        model.stills.exclude(mark_id="").values_list("mark_id", flat=True)
    )


def test_the_newest_model_takes_the_place_of_the_older(
    learned: Callable[[], None], scene: Scene, demo: Demo
) -> None:
    older = model_made(
        Adaptation.objects.create(
            project=demo.project,
            actor=demo.grant.actor,
            grant=demo.grant,
            requested_by=demo.producer,
        )
    )
    learned()
    assert ActorModel.objects.get() != older
    assert not older.file.storage.exists(older.file.name)


def test_a_withdrawal_while_the_weights_are_packed_lets_nothing_exist(
    learned: Callable[[], None],
    revoke: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = publishing.keep

    def withdrawn_meanwhile(*args: Any, **kwargs: Any) -> None:
        keep(*args, **kwargs)
        if kwargs["suffix"] == "zip":
            revoke()

    monkeypatch.setattr(publishing, "keep", withdrawn_meanwhile)
    with pytest.raises(Stopped):
        learned()
    assert nothing_is_left()
    assert "model-adapted" not in kinds()


def test_a_withdrawal_in_the_midst_of_publishing_waits_and_then_deletes_all(
    learned: Callable[[], None],
    revoke: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The grant is locked from the last question to the policy to the commit."""
    append = publishing.ledger_append
    began = threading.Event()

    def withdraw() -> None:
        began.set()
        try:
            revoke()
        finally:
            connection.close()

    other = threading.Thread(target=withdraw)

    def append_slowly(**entry: Any) -> Any:
        other.start()
        began.wait(timeout=20)
        return append(**entry)

    monkeypatch.setattr(publishing, "ledger_append", append_slowly)
    learned()
    other.join(timeout=60)
    assert not other.is_alive()
    assert nothing_is_left()
    assert {"model-adapted", "model-deleted"} <= set(kinds())


# What a model may be used for


def test_a_model_is_used_in_its_own_production_only(
    scene: Scene, learn: Learn, demo: Demo
) -> None:
    model = model_made(learn(scenes=[scene]))
    elsewhere = Project.objects.create(name="Elsewhere", company="Else")
    assert model_in_use(actor=model.actor, project=demo.project) == model
    assert model_in_use(actor=model.actor, project=elsewhere) is None


def test_a_model_is_not_used_once_its_grant_no_longer_covers_what_it_was_made_of(
    scene: Scene, learn: Learn, demo: Demo, signed: Callable[..., Grant]
) -> None:
    model = model_made(learn(scenes=[scene]))
    ActorModel.objects.update(sources=[{"name": "x", "sha256": "e" * 64}])
    other = signed(
        training=True, scenes=(SceneRef(title="Hello", sha256=scene.sha256),)
    )
    assert not ActorModel.objects.exists()  # went with the first grant
    model.grant, model.adaptation = other, None
    model.sources = [{"name": "x", "sha256": "e" * 64, "seconds": 1}]
    model.save(force_insert=True)
    assert model_in_use(actor=model.actor, project=demo.project) is None


def test_the_actor_reads_what_was_learned_by_whom_and_when_it_was_deleted(
    scene: Scene, learn: Learn, demo: Demo, revoke: Callable[[], None]
) -> None:
    run = learn(scenes=[scene])
    assert "Queued" in [made.state for made in seams.made_with(demo.grant.actor)]
    model_made(run)
    (made,) = seams.made_with(demo.grant.actor)
    assert made.state == "Learned, in use"
    assert "by Paula Producer" in made.title
    assert demo.project.name in made.title
    revoke()
    (made,) = seams.made_with(demo.grant.actor)
    assert made.state.startswith("Deleted on")
