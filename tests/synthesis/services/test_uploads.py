"""Files arrive in chunks; what is broken off goes on where it stopped."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis.errors import MediaRefused, NotAllowed, SynthesisError
from synthesis.models import Upload
from synthesis.services.uploads import (
    upload_abort,
    upload_append,
    upload_begin,
    upload_path,
    upload_take,
    uploads_sweep,
)


def begun(demo: Demo, size_bytes: int = 6, name: str = "scene.mp4") -> Upload:
    return upload_begin(
        project=demo.project,
        name=name,
        size_bytes=size_bytes,
        acting_user=demo.producer,
    )


def append(demo: Demo, upload: Upload, offset: int, chunk: bytes) -> int:
    return upload_append(
        upload=upload, offset_bytes=offset, chunk=chunk, acting_user=demo.producer
    )


def test_chunks_in_order_become_the_file(demo: Demo) -> None:
    upload = begun(demo)
    assert append(demo, upload, 0, b"abc") == 3
    assert append(demo, upload, 3, b"def") == 6
    path = upload_take(upload=upload, acting_user=demo.producer)
    assert path.read_bytes() == b"abcdef"


def test_a_chunk_sent_twice_counts_once_and_tells_where_to_go_on(demo: Demo) -> None:
    upload = begun(demo)
    append(demo, upload, 0, b"abc")
    with pytest.raises(SynthesisError, match="next byte expected is 3") as refusal:
        append(demo, upload, 0, b"abc")
    assert refusal.value.code == "wrong-offset"


def test_a_chunk_from_an_outdated_tab_does_not_move_the_upload_back(
    demo: Demo,
) -> None:
    upload = begun(demo)
    other_tab = Upload.objects.get(id=upload.id)
    append(demo, upload, 0, b"abc")
    with pytest.raises(SynthesisError, match="next byte expected is 3"):
        append(demo, other_tab, 0, b"abcd")


def test_more_bytes_than_announced_are_refused(demo: Demo) -> None:
    upload = begun(demo, size_bytes=3)
    with pytest.raises(SynthesisError) as refusal:
        append(demo, upload, 0, b"abcd")
    assert refusal.value.code == "too-many-bytes"


def test_an_empty_file_is_refused_before_it_travels(demo: Demo) -> None:
    with pytest.raises(MediaRefused, match="0 bytes"):
        begun(demo, size_bytes=0)


def test_a_file_over_the_limit_is_refused_before_it_travels(
    demo: Demo, settings: object
) -> None:
    settings.UPLOAD_MAX_BYTES = 5  # type: ignore[attr-defined]
    with pytest.raises(MediaRefused) as refusal:
        begun(demo, size_bytes=6)
    assert refusal.value.code == "too-large"


def test_an_unfinished_upload_cannot_be_used(demo: Demo) -> None:
    upload = begun(demo)
    append(demo, upload, 0, b"abc")
    with pytest.raises(SynthesisError, match="Only 3 of 6 bytes"):
        upload_take(upload=upload, acting_user=demo.producer)


def test_somebody_elses_upload_cannot_be_touched(
    demo: Demo, reviewer_of_demo: User
) -> None:
    upload = begun(demo)
    with pytest.raises(NotAllowed):
        upload_append(
            upload=upload, offset_bytes=0, chunk=b"x", acting_user=reviewer_of_demo
        )


def test_a_reviewer_cannot_begin_an_upload(demo: Demo, reviewer_of_demo: User) -> None:
    with pytest.raises(NotAllowed, match="Only a producer"):
        upload_begin(
            project=demo.project,
            name="scene.mp4",
            size_bytes=1,
            acting_user=reviewer_of_demo,
        )


def test_an_abandoned_upload_leaves_nothing(demo: Demo) -> None:
    upload = begun(demo)
    append(demo, upload, 0, b"abc")
    path = upload_path(upload)
    upload_abort(upload=upload, acting_user=demo.producer)
    assert not path.exists()
    assert not Upload.objects.exists()


def test_a_name_with_dots_and_emoji_never_becomes_a_path(demo: Demo) -> None:
    upload = begun(demo, name="../../étoile 🎬.mp4")
    assert upload.name == "../../étoile 🎬.mp4"
    assert upload_path(upload).name == f"{upload.id}.part"


def test_an_upload_nobody_went_on_with_is_forgotten_after_a_week(demo: Demo) -> None:
    old, fresh = begun(demo), begun(demo)
    append(demo, old, 0, b"abc")
    week = timezone.now() - timedelta(days=8)
    Upload.objects.filter(id=old.id).update(created_at=week)
    uploads_sweep()
    assert list(Upload.objects.all()) == [fresh]
    assert not upload_path(old).exists()
