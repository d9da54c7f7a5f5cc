"""Reading what strangers send: an answer within limits, never an exception."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from synthesis.provenance.native import media_type
from synthesis.provenance.read import read_credential
from synthesis.provenance.read_child import summary
from tests.synthesis.provenance.conftest import Studio


def answer(path: Path) -> tuple[str, tuple[str, ...]]:
    credential = read_credential(path, anchors=b"", time_limit_s=20)
    return credential.state, credential.problems


@pytest.mark.parametrize(
    "content", [b"", b"a text, not a film\n" * 50, b"\0" * 5000, b"#EXTM3U\nhttp://x/"]
)
def test_what_is_no_film_has_no_credential(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    assert answer(path) == ("absent", ("reader-format-unknown",))


def test_a_missing_file_is_an_answer_too(tmp_path: Path) -> None:
    assert answer(tmp_path / "none.mp4") == ("absent", ("reader-file-broken",))


def test_an_unsigned_film_has_no_credential_and_no_problem(scene: Path) -> None:
    assert answer(scene) == ("absent", ())


def test_a_signed_film_cut_off_anywhere_is_answered(
    studio: Studio, scene: Path
) -> None:
    whole = studio.signed("whole.mp4", scene).read_bytes()
    path = studio.folder / "cut.mp4"
    box_end = whole.index(b"moov")
    for length in (30, 60, 1000, box_end, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        credential = read_credential(path, anchors=studio.anchors)
        assert credential.state in ("invalid", "absent")
        assert credential.state == "invalid" or length <= 60


@pytest.mark.slow
def test_random_damage_is_answered_and_never_trusted(
    studio: Studio, scene: Path
) -> None:
    whole = studio.signed("whole.mp4", scene).read_bytes()
    path = studio.folder / "damaged.mp4"
    manifest = whole.index(b"uuid")
    for at in range(manifest - 4, manifest + 3000, 150):
        path.write_bytes(whole[:at] + b"\xff" * 8 + whole[at + 8 :])
        credential = read_credential(path, anchors=studio.anchors)
        assert not credential.holds


@pytest.mark.parametrize(
    "box",
    [
        b"\xff\xff\xff\xffuuid",
        b"\0\0\0\1uuid\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\0\0\0moov",
        b"\0\0\0\x08moov" * 20_000,
        b"".join((80_008 - 8 * i).to_bytes(4, "big") + b"moov" for i in range(10_000)),
    ],
    ids=["too long", "huge", "to the end", "many", "nested"],
)
def test_hostile_boxes_are_answered(tmp_path: Path, box: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + box)
    state, _ = answer(path)
    assert state in ("absent", "invalid")


def test_a_remote_manifest_is_never_fetched(studio: Studio, scene: Path) -> None:
    """The reference is XMP in a uuid box; a server listens and must hear nothing.

    (With the library's default settings this very file makes it call the server.)
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
        xmp = (
            '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
            'rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
            f'dcterms:provenance="{url}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        ).encode()
        body = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + xmp
        whole = scene.read_bytes()
        path = studio.folder / "remote.mp4"
        path.write_bytes(whole + (8 + len(body)).to_bytes(4, "big") + b"uuid" + body)
        credential = read_credential(path, anchors=b"")
        assert credential.state == "absent"
        assert credential.problems == ("reader-remote-not-fetched",)
        signed = studio.signed("out.mp4", scene, scene_path=path)
        assert read_credential(signed, anchors=studio.anchors).state == "trusted"
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody writes to it: opening it as a file would block for ever."""
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    assert answer(path) == ("absent", ("reader-file-broken",))


def test_the_environment_of_the_server_does_not_reach_the_reader(
    scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("LD_PRELOAD", "/nowhere.so")
    assert answer(scene) == ("absent", ())


def test_types_are_told_by_content(tmp_path: Path) -> None:
    samples = {
        b"\0\0\0\x18ftypisom": "video/mp4",
        b"\0\0\0\x18ftypqt  ": "video/quicktime",
        b"\0\0\0\x18ftypM4A ": "audio/mp4",
        b"RIFF\0\0\0\0WAVE": "audio/wav",
        b"RIFF\0\0\0\0AVI ": "video/avi",
        b"RIFF\0\0\0\0WEBP": "image/webp",
        b"\0\0\0\x18ftypavif": "image/avif",
        b"\xff\xd8\xff\xe0": "image/jpeg",
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"fLaC": "audio/flac",
        b"ID3\4": "audio/mpeg",
        b"\xff\xfb\x90": "audio/mpeg",
        b"<svg": None,
        b"": None,
    }
    path = tmp_path / "file"
    for content, kind in samples.items():
        path.write_bytes(content)
        assert media_type(path) == kind, content


def hostile_store() -> dict[str, object]:
    return {
        "active_manifest": "m",
        "validation_state": "Valid",
        "manifests": {
            "m": {
                "title": "\x1b[31m<script>" + "x" * 5000,
                "claim_generator_info": [{"name": ["not", "text"]}],
                "assertions": [
                    {
                        "label": "c2pa.actions.v2",
                        "data": {"actions": [{"action": "c2pa.edited"}] * 5000},
                    },
                    {"label": "c2pa.soft-binding", "data": "not an object"},
                    {"label": "org.lipweb.consent", "data": {"records": "no list"}},
                ],
                "ingredients": [{"title": 7}],
            }
        },
    }


def test_what_a_manifest_says_is_cut_short_and_made_printable() -> None:
    said = summary(hostile_store(), {})
    assert len(said["title"]) < 300
    assert "\x1b" not in said["title"]
    assert said["generator"] == ""
    assert len(said["actions"]) == 100
    assert said["soft_bindings"] == said["consent_records"] == []
    assert said["ingredients"][0]["title"] == ""


def test_the_librarys_invalid_always_wins() -> None:
    store = hostile_store() | {"validation_state": "Invalid"}
    assert summary(store, {})["state"] == "invalid"
