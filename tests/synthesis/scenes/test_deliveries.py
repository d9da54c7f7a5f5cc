"""Choosing what the next version is written as, and reading what a file holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Grant
from lipweb.models import User
from synthesis.delivery import Delivery, dub_tracks
from synthesis.media.languages import bcp_47, iso_639_2
from synthesis.media.probe import Probe, SoundStream, SubtitleStream
from synthesis.models import Deliverable, Dub, Render
from synthesis.scenes.deliveries import file_in_words

SignIn = Callable[[User], Client]
HELD = {
    "format": "prores",
    "codec": "prores",
    "bits": 10,
    "pixels": "yuv422p10le",
    "timecode": "01:00:00;00",
    "sounds": [
        {
            "codec": "pcm_s24le",
            "layout": "5.1",
            "rate_hz": 48_000,
            "language": "spa",
            "title": "Doblaje",
        }
    ],
    "subtitles": [{"language": "ger", "title": ""}],
    "not_kept": ["1 subtitle track of the scene cannot be written as text."],
}


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


def page(client: Client, dub: Dub) -> str:
    url = reverse("synthesis:scene", args=[dub.scene_id])
    return client.get(url).content.decode()


def ask(client: Client, dub: Dub, **form: str) -> Any:
    return client.post(reverse("synthesis:render_new", args=[dub.id]), form)


def facts_change(dub: Dub, **changes: Any) -> None:
    scene = dub.scene
    facts = replace(Probe.from_json(scene.media_facts), **changes)
    scene.media_facts = facts.to_json()
    scene.save()


def sound(number: int, **fields: Any) -> SoundStream:
    usual: dict[str, Any] = {
        "codec": "aac",
        "rate_hz": 48_000,
        "channels": 2,
        "layout": "stereo",
        "start_s": 0,
        "duration_s": 2,
    }
    return SoundStream(number, **(usual | fields))


def test_formats_are_offered_in_plain_words_with_their_size(
    client: Client, dub: Dub, grant: Grant
) -> None:
    words = page(client, dub)
    assert "For review and the web: H.264 in MP4" in words
    assert "For Apple and streaming: HEVC in MP4" in words
    assert "Master for the edit: ProRes 422 HQ" in words
    assert "large files, about 1.3 MB" in words


def test_what_is_chosen_is_rendered_and_is_the_next_default(
    client: Client, dub: Dub, grant: Grant
) -> None:
    ask(client, dub, format="prores", sound="aac")
    render = Render.objects.get()
    assert render.delivery == {
        "format": "prores",
        "sound": "aac",
        "scene_sounds": False,
    }
    dub.refresh_from_db()
    assert dub.delivery == render.delivery
    assert "Written as: Master for the edit: ProRes 422 HQ" in page(client, dub)


def test_a_form_without_the_choice_takes_the_dubs_own(
    client: Client, dub: Dub, grant: Grant
) -> None:
    ask(client, dub, format="hevc", scene_sounds="on")
    ask(client, dub)
    for render in Render.objects.all():
        assert Delivery.from_json(render.delivery).format == "hevc"
        assert Delivery.from_json(render.delivery).scene_sounds


def test_a_format_nobody_offered_is_refused(
    client: Client, dub: Dub, grant: Grant
) -> None:
    answer = ask(client, dub, format="gif")
    assert answer.status_code == 400
    assert b"Choose one of the formats" in answer.content
    assert not Render.objects.exists()


def test_what_a_scene_is_not_fit_for_is_said_and_refused(
    client: Client, dub: Dub, grant: Grant
) -> None:
    facts_change(dub, width=321)
    assert "A 4:2:2 master needs an even width" in page(client, dub)
    answer = ask(client, dub, format="prores")
    assert b"needs an even width" in answer.content
    assert not Render.objects.exists()
    # A draft of it is H.264 whatever is chosen.
    ask(client, dub, format="prores", tier="draft")
    assert Render.objects.get().tier == "draft"


def test_an_hdr_scene_begins_with_hevc(client: Client, dub: Dub, grant: Grant) -> None:
    colour = Probe.from_json(dub.scene.media_facts).colour
    facts_change(dub, bits=10, colour=replace(colour, transfer=16, matrix=9))
    words = page(client, dub)
    assert "Written as: For Apple and streaming: HEVC in MP4" in words
    assert "The scene is HDR" in words
    ask(client, dub)
    assert Render.objects.get().delivery["format"] == "hevc"


def test_further_tracks_are_named_and_what_cannot_be_kept_is_said(
    client: Client, dub: Dub, grant: Grant
) -> None:
    further = sound(1, layout="5.1", language="fra", title="M&E")
    bitmap = SubtitleStream(0, "hdmv_pgs_subtitle", "eng", "", False, False)
    facts_change(dub, sounds=(sound(0), further), subtitles=(bitmap,))
    words = page(client, dub)
    assert "French (fr) “M&amp;E”, 5.1 at 48 kHz (AAC)" in words
    assert "1 subtitle track of the scene (Blu-ray pictures)" in words


def test_a_dubs_first_track_is_in_its_language_the_others_as_they_say() -> None:
    tracks = dub_tracks(
        __file__,  # type: ignore[arg-type]
        [sound(0, language="eng"), sound(1, language="cym", title="Alt")],
        "pt-BR",
    )
    told = [(one.number, one.language, one.title) for one in tracks]
    assert told == [(0, "por", ""), (1, "cym", "Alt")]


@pytest.mark.parametrize(
    ("tag", "three"), [("de", "deu"), ("pt-BR", "por"), ("fil", "fil"), ("x-y", "")]
)
def test_languages_have_their_three_letters(tag: str, three: str) -> None:
    assert iso_639_2(tag) == three


@pytest.mark.parametrize(
    ("three", "tag"), [("deu", "de"), ("ger", "de"), ("und", ""), ("fil", "fil")]
)
def test_and_back(three: str, tag: str) -> None:
    assert bcp_47(three) == tag


def test_a_files_page_says_what_it_holds(
    signed_in: SignIn, reviewer: User, deliverable: Deliverable
) -> None:
    deliverable.media = HELD
    deliverable.save()
    url = reverse("synthesis:deliverable", args=[deliverable.id])
    words = signed_in(reviewer).get(url).content.decode()
    assert "ProRes 422 HQ, 10 bits, 4:2:2" in words
    assert "Spanish (es) “Doblaje”, 5.1 at 48 kHz (PCM)" in words
    assert "German (de)" in words
    assert "01:00:00;00" in words
    assert "1 subtitle track of the scene cannot be written as text." in words


def test_every_row_of_a_file_has_a_name(deliverable: Deliverable) -> None:
    deliverable.media = HELD
    names = [name for name, _ in file_in_words(deliverable)]
    assert names == ["Picture", "Sound", "Subtitles", "Time code", "Not kept"]
    assert asdict(Delivery())["scene_sounds"] is True
