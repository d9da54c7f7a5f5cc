"""The label's page: what a producer chooses is shown first, then kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import cv2
import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from consent.models import LedgerEntry, Project
from lipweb.models import User
from synthesis.models import Deliverable, Dub, LabelPolicy, Scene
from synthesis.services.labels import label_policy

SignIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


def page_of(project: Project) -> str:
    return reverse("synthesis:label", args=[project.id])


def sent(do: str = "save", /, **wishes: Any) -> dict[str, Any]:
    """The form with Spanish words and one spare row, as a browser sends it."""
    words = wishes.pop("words", "")
    return {
        "do": do,
        "corner": "",
        "duration": "whole",
        "opening_s": "5",
        "every_minutes": "",
        "wording-TOTAL_FORMS": "2",
        "wording-INITIAL_FORMS": "1",
        "wording-0-language": "es",
        "wording-0-text": words,
        "wording-1-language": "",
        "wording-1-text": "",
    } | wishes


def text_of(answer: Any) -> str:
    return unescape(" ".join(answer.content.decode().split()))


def pictures_of(answer: Any) -> list[str]:
    sources = re.findall(
        r'<img src="([^"]*preview\.png[^"]*)"', answer.content.decode()
    )
    return [unescape(one) for one in sources]


def seen_at(client: Client, address: str) -> np.ndarray:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"].startswith("private")
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), 0)


def test_the_page_shows_our_words_in_the_languages_of_the_dubs(
    client: Client, project: Project, dub: Dub
) -> None:
    page = client.get(page_of(project))
    assert 'placeholder="MODIFICADO CON IA"' in text_of(page)
    assert "Wherever no face is" in text_of(page)
    pictures = [seen_at(client, one) for one in pictures_of(page)]
    assert [one[-1, -1] for one in pictures] == [0, 109, 255]
    for picture in pictures:
        assert picture[:80, :320].max() > 220
        assert picture[:80, :320].min() < 80


def test_what_is_chosen_is_kept_and_told_to_the_ledger(
    client: Client, project: Project, dub: Dub, producer: User
) -> None:
    wishes = sent(
        words="Hecho con IA",
        corner="bottom-left",
        duration="opening",
        opening_s="6",
        every_minutes="15",
    )
    answer = client.post(page_of(project), wishes, follow=True)
    assert "Files that are made from now on follow it" in text_of(answer)
    policy = label_policy(project)
    assert policy.wordings == {"es": "Hecho con IA"}
    assert (policy.corner, policy.opening_s, policy.every_minutes) == (
        "bottom-left",
        6,
        15,
    )
    entry = LedgerEntry.objects.get(kind="label-policy-changed")
    assert entry.document["by"] == producer.pk
    assert 'value="Hecho con IA"' in text_of(client.get(page_of(project)))


def test_a_preview_shows_what_was_typed_and_keeps_nothing(
    client: Client, project: Project, dub: Dub
) -> None:
    page = client.post(
        page_of(project), sent("preview", words="Hecho con IA", corner="bottom-right")
    )
    assert page.status_code == 200
    assert not LabelPolicy.objects.exists()
    picture = seen_at(client, pictures_of(page)[2])
    assert picture[-80:, 320:].min() < 80
    assert (picture[:80] == 255).all()
    assert "“Hecho con IA” on white" in text_of(page)


def test_a_button_shows_the_label_in_another_language(
    client: Client, project: Project, dub: Dub
) -> None:
    wishes = sent("", shown=["es", "sv"]) | {
        "wording-1-language": "sv",
        "wording-1-text": "Med AI",
    }
    del wishes["do"]  # the button has the language's name instead
    page = client.post(page_of(project), wishes)
    assert "“Med AI” on grey" in text_of(page)
    assert not LabelPolicy.objects.exists()


def test_while_one_types_the_preview_alone_comes_back(
    client: Client, project: Project, dub: Dub
) -> None:
    part = client.post(
        page_of(project),
        sent("preview", words="Hecho con IA"),
        headers={"HX-Request": "true"},
    )
    assert part.content.strip().startswith(b'<section id="preview"')
    assert len(pictures_of(part)) == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("Doblado", "must say that AI was used"),
        ("Sin IA", "not that it was not"),
        ("IA 合成", "LIPWEB_LABEL_FONT"),
        ("IA " + "x" * 60, "at most 40"),
    ],
)
@pytest.mark.parametrize("do", ["save", "preview"])
def test_words_that_cannot_stand_there_come_back_with_the_reason(
    client: Client, project: Project, dub: Dub, do: str, words: str, sentence: str
) -> None:
    page = client.post(page_of(project), sent(do, words=words))
    assert page.status_code == 422
    assert sentence in text_of(page)
    assert words in text_of(page)
    assert not LabelPolicy.objects.exists()


@pytest.mark.parametrize(
    "wishes",
    [
        {"duration": "opening", "opening_s": "1"},
        {"duration": "opening", "opening_s": "600"},
        {"duration": "opening", "every_minutes": "0"},
        {"duration": "never"},
        {"corner": "middle"},
        {"wording-1-language": "not a tag", "wording-1-text": "AI"},
        {"wording-1-text": "AI"},
    ],
)
def test_what_cannot_be_chosen_is_refused(
    client: Client, project: Project, dub: Dub, wishes: dict[str, str]
) -> None:
    assert client.post(page_of(project), sent(**wishes)).status_code == 422
    assert not LabelPolicy.objects.exists()


def test_words_for_a_language_without_a_dub_yet_can_be_kept(
    client: Client, project: Project, dub: Dub
) -> None:
    wishes = {"wording-1-language": "sv", "wording-1-text": "Med AI"}
    client.post(page_of(project), sent(**wishes))
    assert label_policy(project).wordings == {"sv": "Med AI"}
    assert 'value="Med AI"' in text_of(client.get(page_of(project)))


def test_an_opening_without_a_number_lasts_five_seconds(
    client: Client, project: Project, dub: Dub
) -> None:
    client.post(page_of(project), sent(duration="opening", opening_s=""))
    assert label_policy(project).opening_s == 5


def test_reviewers_see_it_and_cannot_change_it(
    signed_in: SignIn, reviewer: User, project: Project, dub: Dub
) -> None:
    client = signed_in(reviewer)
    page = client.get(page_of(project))
    assert len(pictures_of(page)) == 3
    assert "<form" not in page.content.decode().partition('id="content"')[2]
    assert client.post(page_of(project), sent(corner="top-left")).status_code == 403
    assert not LabelPolicy.objects.exists()


def test_strangers_see_neither_page_nor_picture(
    signed_in: SignIn, client: Client, stranger: User, project: Project, dub: Dub
) -> None:
    addresses = [page_of(project), pictures_of(client.get(page_of(project)))[0]]
    for address in addresses:
        assert signed_in(stranger).get(address).status_code == 404
        assert Client().get(address).status_code == 302


@pytest.mark.parametrize("text", ["", "hello", "AI " * 200, "AI \u202e"])
def test_a_picture_of_words_that_are_no_label_is_refused(
    client: Client, project: Project, text: str
) -> None:
    place = reverse("synthesis:label_preview", args=[project.id])
    assert client.get(place, {"text": text, "language": "en"}).status_code == 400


def breaks(client: Client, scene: Scene, text: str) -> str:
    place = reverse("synthesis:scene_breaks", args=[scene.id])
    return text_of(client.post(place, {"breaks": text}, follow=True))


def test_a_producer_marks_breaks_by_time_code_or_frame(
    client: Client, scene: Scene
) -> None:
    page = breaks(client, scene, "00:00:01:05\n12")
    scene.refresh_from_db()
    assert scene.breaks == [12, 30]
    assert "goes on after a break at 00:00:00:12, 00:00:01:05" in page
    breaks(client, scene, "")
    scene.refresh_from_db()
    assert scene.breaks == []


@pytest.mark.parametrize("text", ["00:00:99:00", "00:01:00:00", "soon", "-3"])
def test_a_break_that_is_none_is_refused_in_words(
    client: Client, scene: Scene, text: str
) -> None:
    assert 'class="notice bad"' in breaks(client, scene, text)
    scene.refresh_from_db()
    assert scene.breaks == []


def test_only_producers_mark_breaks(
    signed_in: SignIn, reviewer: User, stranger: User, scene: Scene
) -> None:
    place = reverse("synthesis:scene_breaks", args=[scene.id])
    assert signed_in(reviewer).post(place, {"breaks": "12"}).status_code == 403
    assert signed_in(stranger).post(place, {"breaks": "12"}).status_code == 404


def test_a_dub_whose_label_cannot_be_drawn_says_so_before_it_is_rendered(
    client: Client, project: Project, dub: Dub, producer: User
) -> None:
    LabelPolicy.objects.create(
        project=project, wordings={"es": "IA 合成"}, changed_by=producer
    )
    page = text_of(client.get(reverse("synthesis:scene", args=[dub.scene_id])))
    assert "let LIPWEB_LABEL_FONT name a font file" in page
    assert f'href="{page_of(project)}"' in page
    assert "cannot be drawn" in text_of(client.get(page_of(project)))


def test_the_review_page_says_what_became_of_the_label(
    client: Client, deliverable: Deliverable
) -> None:
    at = {"first_frame": 0, "end_frame": 30, "place": "top-left", "smaller": False}
    deliverable.label = {
        "wording": "MODIFICADO CON IA",
        "language": "es",
        "corner": "top-left",
        "opening_s": 5,
        "every_minutes": 10,
        "breaks": [30],
        "shown": [
            at | {"moved": False, "over_mouth": False},
            at | {"place": "top-right", "moved": True, "over_mouth": False},
            at
            | {"first_frame": 40, "end_frame": 50}
            | {"moved": True, "over_mouth": True},
        ],
        "unmeasured_faces": [2],
    }
    deliverable.save()
    place = reverse("synthesis:deliverable", args=[deliverable.id])
    page = text_of(client.get(place))
    assert (
        "“MODIFICADO CON IA” for 5 s at the beginning and after breaks, every 10 min,"
        " top left, top right" in page
    )
    assert "00:00:00:00 to 00:00:01:04: the label is at the top right" in page
    assert "00:00:01:15 to 00:00:01:24: the label covers a part of a mouth" in page
    assert "Face 2: its place is not known any more" in page
    scene = reverse("synthesis:scene", args=[deliverable.render.dub.scene_id])
    assert "About the label (3)" in text_of(client.get(scene))


def test_a_file_from_before_labels_were_recorded_shows_no_label_row(
    client: Client, deliverable: Deliverable
) -> None:
    place = reverse("synthesis:deliverable", args=[deliverable.id])
    assert "<dt>Label</dt>" not in text_of(client.get(place))
