"""A file that is being looked into: in turn, for as long as it is wanted, in secret."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse
from redis import Redis

from synthesis.verification import inquiries, looking
from synthesis.verification.inquiries import DONE, FAILED, Inquiry, Ticket
from synthesis.verification.nameless import NamelessUpload, nameless_file, path_of
from tests.synthesis.production import video_bytes
from tests.synthesis.verification.conftest import JSON, answer_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_test_database")]
URL = "/verify/"
Waiting = Callable[[Callable[[], Any]], Any]


@pytest.fixture(scope="session")
def long_film() -> bytes:
    """Ten minutes without a mark, of the same two seconds: half a minute's work."""
    target, offset = io.BytesIO(), 0
    with av.open(target, "w", format="mp4") as new:
        stream = None
        for _ in range(300):
            with av.open(io.BytesIO(video_bytes())) as old:
                stream = stream or new.add_stream_from_template(old.streams.video[0])
                end = offset
                for packet in old.demux(video=0):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    new.mux(packet)
                offset = end
    return target.getvalue()


def send(content: bytes, name: str = "clip.mp4") -> Any:
    file = SimpleUploadedFile(name, content)
    return Client().post(URL, {"file": file}, headers=JSON)


def lookers() -> list[int]:
    """Processes that this one has started to look into files."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"verify\0/proc/self/fd" in command:
            found.append(int(status.parent.name))
    return found


def all_turns() -> ExitStack:
    """Takes each turn that there is, until it is closed."""
    stack = ExitStack()
    for _ in range(looking.AT_ONCE):
        assert stack.enter_context(looking.a_turn())
    return stack


def test_files_wait_for_their_turn(wait_for: Waiting) -> None:
    with all_turns():
        sent = send(video_bytes())
        time.sleep(2 * looking._TURN_S)
        assert Client().get(sent["Location"], headers=JSON).json()["step"] == "waiting"
        assert lookers() == []
    assert answer_at(Client(), sent["Location"])["code"] == "nothing-found"
    wait_for(lambda: not lookers())


def test_more_files_than_there_is_room_for_are_refused(
    monkeypatch: pytest.MonkeyPatch, wait_for: Waiting
) -> None:
    room = threading.BoundedSemaphore(1)
    monkeypatch.setattr(looking, "_room", room)
    with all_turns():
        assert send(b"one").status_code == 202
        refused = send(b"two")
        assert refused.status_code == 503
        assert refused.json()["code"] == "busy"
    wait_for(lambda: room.acquire(blocking=False))


def test_a_page_that_was_left_ends_the_search_and_one_loaded_anew_does_not(
    long_film: bytes, wait_for: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthesis.verification.pages.LEFT_S", 2)
    sent = send(long_film)
    leave = sent["Location"] + "leave/"
    wait_for(lambda: asking(sent)["step"] == "mark")
    assert Client().post(leave).status_code == 302
    assert asking(sent)["step"] == "mark"  # loaded anew: wanted once more
    time.sleep(2.5)
    assert lookers()
    share = wait_for(lambda: asking(sent)["share"])
    assert 0 < share < 1
    Client().post(leave)
    wait_for(lambda: not lookers())
    wait_for(lambda: looking._room._value == looking.MOST_WAITING)


def asking(sent: Any) -> dict[str, Any]:
    return dict(Client().get(sent["Location"], headers=JSON).json())


def test_a_process_that_is_killed_is_said_to_have_been(
    long_film: bytes, wait_for: Waiting
) -> None:
    sent = send(long_film)
    wait_for(lambda: asking(sent)["step"] == "mark")
    (process,) = lookers()
    os.kill(process, signal.SIGKILL)
    answer = wait_for(lambda: "code" in asking(sent) and asking(sent))
    assert answer["code"] == "failed"
    words = Client().get(sent["Location"]).content.decode()
    assert "Send it again" in words


def test_nothing_of_an_inquiry_can_be_read_without_its_ticket(
    wait_for: Waiting,
) -> None:
    sent = send(video_bytes(), "secret-name.mp4")
    answer_at(Client(), sent["Location"])
    ticket = sent["Location"].split("/")[-2]
    server = Redis.from_url(settings.QUEUE_URL)
    for key in server.scan_iter("*"):
        assert ticket.encode() not in key
        if b"inquiry" in key:
            assert 0 < server.ttl(key) <= inquiries.KEPT_S
        if server.type(key) == b"string":
            content = server.get(key) or b""
            assert b"secret-name" not in content
            assert b"nothing-found" not in content
    assert Ticket(ticket).read() is not None
    other = Ticket.new()
    other._place = Ticket(ticket)._place
    assert other.read() is None


def test_an_inquiry_whose_process_is_gone_has_failed() -> None:
    ticket = Ticket.new()
    ticket.write(Inquiry("clip.mp4", "mark"))
    read = ticket.read()
    assert read is not None
    assert read.step == FAILED
    ticket.beat()
    assert ticket.read() == Inquiry("clip.mp4", "mark")
    ticket.write(Inquiry("clip.mp4", DONE, result={"code": "nothing-found"}))
    cache.delete(f"{ticket._place}:beat")
    assert ticket.read() == Inquiry("clip.mp4", DONE, result={"code": "nothing-found"})


def test_an_uploaded_file_never_has_a_name() -> None:
    before = set(settings.DATA_DIR.iterdir())
    taker = NamelessUpload(RequestFactory().post(URL), 10)
    taker.new_file("file", "clip.mp4", "video/mp4", 4)
    taker.receive_data_chunk(b"film", 0)
    assert set(settings.DATA_DIR.iterdir()) == before
    file = taker.file_complete(4)
    assert file is not None
    assert file.read() == b"film"
    taker.upload_interrupted()
    assert file.closed
    with nameless_file() as nameless:
        nameless.write(b"film")
        nameless.flush()
        assert path_of(nameless).read_bytes() == b"film"


def test_a_full_disk_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("synthesis.verification.nameless.nameless_file", Full)
    refused = send(b"film")
    assert refused.status_code == 503
    assert refused.json()["code"] == "no-room"


def test_the_page_of_an_inquiry_says_when_its_steps_end(wait_for: Waiting) -> None:
    ticket = Ticket.new()
    ticket.beat()
    ticket.write(Inquiry("clip.mp4", "mark", 0.25, 90.0))
    address = reverse("synthesis:verify_answer", args=[ticket.text])
    words = Client().get(address).content.decode()
    assert "Searching the picture for our mark" in words
    assert "about 1 min 30 s left" in words
    assert 'value="0.25"' in words
    german = Client().get(address, headers={"Accept-Language": "de"}).content.decode()
    assert "noch etwa 1 min 30 s" in german
    assert 'value="0.25"' in german
