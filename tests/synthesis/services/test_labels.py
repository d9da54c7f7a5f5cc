"""Who may change what the label says, and what is refused before hours are spent."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from consent.fonts import REGULAR
from consent.models import LedgerEntry, Project
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.media.probe import Probe
from synthesis.models import Dub, LabelPolicy, Render, Scene
from synthesis.services import labels
from synthesis.services.labels import (
    label_policy,
    label_policy_set,
    label_verify,
    scene_breaks_set,
    sign_for,
    wording_for,
)
from synthesis.services.renders import render_queue
from synthesis.services.scenes import dub_create

pytestmark = pytest.mark.django_db


def policy_set(project: Project, user: User, **wishes: Any) -> LabelPolicy:
    usual: dict[str, Any] = {
        "wordings": {},
        "corner": "",
        "opening_s": None,
        "every_minutes": None,
    }
    return label_policy_set(project=project, acting_user=user, **(usual | wishes))


def logged() -> list[dict[str, Any]]:
    entries = LedgerEntry.objects.filter(kind="label-policy-changed").order_by("index")
    return [entry.document for entry in entries]


def test_without_a_policy_the_label_is_ours_throughout(project: Project) -> None:
    policy = label_policy(project)
    assert (policy.corner, policy.opening_s, policy.every_minutes) == ("", None, None)
    assert wording_for(policy, "de-CH").text == "KI-VERÄNDERT"
    assert wording_for(policy, "el").text == "ΤΡΟΠΟΠΟΙΗΜΕΝΟ ΜΕ ΤΝ"
    assert wording_for(policy, "sw").text == "AI MODIFIED"


def test_a_producer_changes_it_and_the_ledger_says_who_and_what(
    project: Project, producer: User
) -> None:
    policy_set(
        project,
        producer,
        wordings={"de": " Mit KI bearbeitet "},
        corner="top-right",
        opening_s=5,
        every_minutes=10,
    )
    policy = LabelPolicy.objects.get(project=project)
    assert policy.wordings == {"de": "Mit KI bearbeitet"}
    assert policy.changed_by == producer
    (entry,) = logged()
    assert entry["by"] == producer.pk
    told, before = entry["payload"]["label"], entry["payload"]["before"]
    assert (told["corner"], told["opening_s"]) == ("top-right", 5)
    assert before["corner"] == ""
    # A house's own words might name somebody: the ledger cannot forget.
    assert "bearbeitet" not in str(entry)
    assert len(told["wordings"]["de"]) == 64


def test_what_does_not_change_is_not_told(project: Project, producer: User) -> None:
    for _ in range(2):
        policy_set(project, producer, corner="top-left")
    policy_set(project, producer)
    assert [one["payload"]["label"]["corner"] for one in logged()] == ["top-left", ""]


def test_reviewers_and_strangers_may_not_change_it(
    project: Project, reviewer: User, stranger: User, other_producer: User
) -> None:
    for user in (reviewer, stranger, other_producer):
        with pytest.raises(NotAllowed):
            policy_set(project, user, corner="top-left")
    assert not LabelPolicy.objects.exists()
    assert logged() == []


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"wordings": {"en": "DUBBED"}}, "label-wording-hides-ai"),
        ({"wordings": {"zh": "AI合成"}}, "label-letters-missing"),
        ({"corner": "middle"}, "label-corner"),
        ({"opening_s": 1}, "label-duration"),
        ({"opening_s": 61}, "label-duration"),
        ({"opening_s": 5, "every_minutes": 0}, "label-duration"),
    ],
)
def test_what_the_law_or_the_font_forbids_is_refused_and_nothing_kept(
    project: Project, producer: User, wishes: dict[str, Any], code: str
) -> None:
    with pytest.raises(SynthesisError) as refused:
        policy_set(project, producer, **wishes)
    assert refused.value.code == code
    assert not LabelPolicy.objects.exists()
    assert logged() == []


def test_own_words_go_by_the_whole_tag_first_and_then_by_the_language(
    project: Project, producer: User
) -> None:
    policy_set(project, producer, wordings={"pt": "IA (PT)", "pt-BR": "IA (BR)"})
    policy = label_policy(project)
    assert wording_for(policy, "pt-BR").text == "IA (BR)"
    assert wording_for(policy, "pt-AO").text == "IA (PT)"


def test_where_the_font_lacks_our_words_they_are_english_until_one_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = wording_for(label_policy(project), "ja")
    assert (plain.text, plain.language) == ("AI MODIFIED", "en")
    monkeypatch.setattr(labels.Fonts, "can_write", lambda fonts, text: True)
    found = wording_for(label_policy(project), "ja")
    assert (found.text, found.language) == ("AI改変映像", "ja")


def test_a_wording_whose_font_has_gone_stops_a_render_before_it_begins(
    demo: Demo, dub: Dub
) -> None:
    LabelPolicy.objects.create(
        project=demo.project, wordings={"es": "IA 合成"}, changed_by=demo.producer
    )
    with pytest.raises(SynthesisError) as refused:
        label_verify(dub)
    assert refused.value.code == "label-letters-missing"
    assert "LIPWEB_LABEL_FONT" in refused.value.sentence


def test_a_render_asks_for_the_label_first(
    demo: Demo, dub: Dub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthesis.services.renders.dub_verify", lambda _: [demo.grant])
    monkeypatch.setattr("synthesis.services.renders.faces_refuse_known", lambda _: None)
    LabelPolicy.objects.create(
        project=demo.project, wordings={"es": "IA 合成"}, changed_by=demo.producer
    )
    with pytest.raises(SynthesisError) as refused:
        render_queue(dub=dub, acting_user=demo.producer)
    assert refused.value.code == "label-letters-missing"
    assert not Render.objects.exists()


def test_the_operators_font_is_taken_where_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "LABEL_FONT", str(REGULAR))
    assert labels.fonts_at_hand().paths[-1] == str(REGULAR)


def test_the_label_stands_between_bars_unless_that_is_too_narrow(
    project: Project, demo_facts: Probe
) -> None:
    wording = wording_for(label_policy(project), "en")
    scope = sign_for(wording, demo_facts, [0, 90, 1280, 630])
    assert scope.box("top-left").top >= 90 + 27
    slit = sign_for(wording, demo_facts, [600, 0, 680, 720])
    assert slit.active is None


def test_breaks_are_said_by_a_producer_and_kept_in_order(
    demo: Demo, scene: Scene, reviewer_of_demo: User
) -> None:
    scene_breaks_set(scene=scene, frames=[90, 30, 30], acting_user=demo.producer)
    scene.refresh_from_db()
    assert scene.breaks == [30, 90]
    entry = LedgerEntry.objects.get(kind="scene-breaks-said").document
    assert entry["payload"]["breaks"] == [30, 90]
    with pytest.raises(NotAllowed):
        scene_breaks_set(scene=scene, frames=[], acting_user=reviewer_of_demo)


@pytest.mark.parametrize("frame", [0, -1, 153, 10_000])
def test_a_break_outside_the_scene_is_refused(
    demo: Demo, scene: Scene, frame: int
) -> None:
    with pytest.raises(SynthesisError) as refused:
        scene_breaks_set(scene=scene, frames=[frame], acting_user=demo.producer)
    assert refused.value.code == "break-outside-scene"


def test_breaks_stay_as_they_are_while_a_render_is_under_way(
    demo: Demo, scene: Scene
) -> None:
    dub = dub_create(scene=scene, language="es", acting_user=demo.producer)
    Render.objects.create(dub=dub, version=1, requested_by=demo.producer)
    with pytest.raises(SynthesisError) as refused:
        scene_breaks_set(scene=scene, frames=[30], acting_user=demo.producer)
    assert refused.value.code == "render-under-way"
