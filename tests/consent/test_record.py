"""A record says everything, and takes nothing foreign in."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from consent.canonical import canonical_bytes
from consent.errors import RecordRefused
from consent.record import (
    Grantee,
    Grantor,
    GrantRecord,
    GrantTerms,
    SceneRef,
    instant,
    moment_of,
)

TERMS: dict[str, Any] = {
    "languages": ("es", "pt-BR"),
    "territories": ("DE", "AT"),
    "media": ("cinema",),
    "starts_at": datetime(2026, 11, 21, tzinfo=UTC),
    "ends_at": datetime(2027, 6, 1, tzinfo=UTC),
    "inference": True,
    "scenes": (SceneRef(title="The pier", sha256="5c" * 32),),
    "excluded_content": ("advertising",),
}


def record(**changes: Any) -> GrantRecord:
    return GrantRecord(
        grant_id="7d3c0f52-7a60-4a3e-9d0a-0d8f6a2f8a11",
        grantor=Grantor(
            actor_id="0b0f7a35-91f4-4b35-9a0e-56c0a0cbb6f1",
            legal_name="Robin Valentine",
            stage_name="Robin Vale",
        ),
        grantee=Grantee(
            project_id="a3a1f0b6-8f4c-4f0e-8a70-0b7f0d9d1c22",
            company="Meridian Pictures",
            production="Harbour Lights",
        ),
        terms=GrantTerms(**(TERMS | changes)),
        proposed_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    )


def test_a_document_reads_back_as_the_same_record() -> None:
    for changes in ({}, {"scenes": None}, {"training": True, "counsel": "A. Union"}):
        made = record(**changes)
        assert GrantRecord.from_document(made.document()) == made


def test_nothing_is_allowed_by_default() -> None:
    assert not GrantTerms.__dataclass_fields__["inference"].default
    assert not GrantTerms.__dataclass_fields__["training"].default
    with pytest.raises(RecordRefused, match="Say what the grant allows"):
        record(inference=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"languages": ()},
        {"languages": ("Spanish, please",)},
        {"languages": ("e",)},
        {"territories": ()},
        {"territories": ("Germany",)},
        {"territories": ("de",)},
        {"media": ()},
        {"media": ("radio",)},
        {"scenes": ()},
        {"ends_at": TERMS["starts_at"]},
        {"starts_at": datetime(2026, 11, 21)},
        {"inference": 1},
        {"training": "yes"},
        {"compensation_commitment": "much"},
    ],
)
def test_terms_that_mean_nothing_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RecordRefused):
        record(**changes)


@pytest.mark.parametrize("fields", [("", "5c" * 32), ("A", "5C" * 32), ("A", "5c")])
def test_a_scene_is_named_by_title_and_hash(fields: tuple[str, str]) -> None:
    with pytest.raises(RecordRefused):
        SceneRef(title=fields[0], sha256=fields[1])


def all_places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    places = []
    if isinstance(document, dict):
        for key, value in document.items():
            places += [(*path, key), *all_places(value, (*path, key))]
    return places


@pytest.mark.parametrize("path", all_places(record().document()))
def test_no_field_may_be_missing(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(record().document())
    part = document
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    # The text's fields have defaults, so their absence shows as a difference.
    with pytest.raises(RecordRefused):
        GrantRecord.from_document(document)


@pytest.mark.parametrize(
    "path",
    [(), ("grantor",), ("grantee",), ("scope",), ("purposes",), ("basis",), ("text",)],
)
def test_no_foreign_field_is_taken_in(path: tuple[str, ...]) -> None:
    document = copy.deepcopy(record().document())
    part = document
    for key in path:
        part = part[key]
    part["mining"] = True
    with pytest.raises(RecordRefused):
        GrantRecord.from_document(document)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "lipweb-grant-v1"),
        ("proposed_at", "yesterday"),
        ("grantor", None),
        ("scope", []),
        ("withdrawal", {}),
    ],
)
def test_no_other_form_is_taken_in(key: str, value: Any) -> None:
    with pytest.raises(RecordRefused):
        GrantRecord.from_document(record().document() | {key: value})


def test_moments_are_utc_to_the_second() -> None:
    text = instant(datetime.fromisoformat("2026-11-21T05:30:00.9+02:00"))
    assert text == "2026-11-21T03:30:00Z"
    assert moment_of(text) == datetime(2026, 11, 21, 3, 30, tzinfo=UTC)


def test_a_record_is_made_of_what_canonical_bytes_take() -> None:
    assert canonical_bytes(record().document()).startswith(b'{"basis":')
