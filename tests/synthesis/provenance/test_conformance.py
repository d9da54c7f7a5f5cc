"""The C2PA conformance task force's asset rubric 0.2 for spec 2.4, rule by rule.

The rules are those of asset-rubric-conformance0.2-spec2.4.yml (github.com/c2pa-org/
conformance-public); each test is one of them, asked of a first manifest, a release and
a withdrawal as the native library reports them (crJSON). What cannot be asked offline:
whether the certificate is on the C2PA trust list.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import c2pa
import cv2
import pytest

from synthesis.provenance.container import C2PA_BOX
from synthesis.provenance.manifest import SPEC_VERSION
from synthesis.provenance.native import settings
from tests.synthesis.provenance.conftest import Studio, decode, studio_in
from tests.synthesis.provenance.test_update import updated, written

Json = dict[str, Any]

INCEPTION = {"c2pa.created", "c2pa.opened"}
NOT_EDITORIAL = {
    "c2pa.published",
    "c2pa.edited.metadata",
    "c2pa.watermarked.bound",
    "c2pa.placed",
}
ASSERTIONS = {
    "c2pa.actions.v2",
    "c2pa.ingredient.v3",
    "c2pa.hash.bmff.v3",
    "c2pa.soft-binding",
    "c2pa.thumbnail.claim",
    "c2pa.ai-disclosure",
}
ACTIONS = {
    "c2pa.opened",
    "c2pa.placed",
    "c2pa.dubbed",
    "c2pa.translated",
    "c2pa.edited",
    "c2pa.edited.metadata",
    "c2pa.published",
    "c2pa.watermarked.bound",
}
PARAMETERS = {"ingredients", "sourceLanguage", "targetLanguage"}


def reported(path: Path, anchors: bytes) -> Json:
    context = c2pa.Context.from_dict(settings(anchors))
    with (
        path.open("rb") as file,
        c2pa.Reader("video/mp4", file, context=context) as reader,
    ):
        return dict(json.loads(reader.crjson()))


def made_with_all(studio: Studio, scene: Path) -> Path:
    """A file whose scene has a credential of its own, with a thumbnail."""
    picture = jpeg_of(scene)
    first = studio.signed("first.mp4", scene)
    return studio.signed("made.mp4", scene, scene_path=first, thumbnail=picture)


def jpeg_of(scene: Path) -> bytes:
    y, _, _ = next(decode(scene))
    _, jpeg = cv2.imencode(".jpg", y)
    return bytes(jpeg)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, scene: Path) -> dict[str, Json]:
    """The three files' reports; made once, since nothing changes them."""
    studio = studio_in(tmp_path_factory.mktemp("studio"), scene)
    made = made_with_all(studio, scene)
    release = updated(studio, made, "published")
    withdrawal = updated(studio, made, "withdrawn", release)
    files = {
        "made": made,
        "released": written(made, release, "released.mp4"),
        "withdrawn": written(made, withdrawal, "withdrawn.mp4"),
    }
    return {name: reported(path, studio.anchors) for name, path in files.items()}


@pytest.fixture(params=["made", "released", "withdrawn"])
def manifest(reports: dict[str, Json], request: pytest.FixtureRequest) -> Json:
    """The active manifest of each."""
    return dict(reports[request.param]["manifests"][0])


def actions(manifest: Json) -> list[Json]:
    return list(manifest["assertions"]["c2pa.actions.v2"]["actions"])


def ingredients(manifest: Json) -> Iterator[Json]:
    for data in manifest["assertions"].values():
        if "relationship" in data:
            yield data


def test_every_perceptible_change_names_its_digital_source(manifest: Json) -> None:
    for one in actions(manifest):
        if one["action"] not in INCEPTION | NOT_EDITORIAL:
            assert one["digitalSourceType"].endswith("AlgorithmicMedia"), one["action"]


def test_the_generator_names_the_version_of_the_specification(manifest: Json) -> None:
    generator = manifest["claim.v2"]["claim_generator_info"]
    assert generator["specVersion"] == SPEC_VERSION == "2.4.0"
    assert "specVersion" not in manifest["claim.v2"]


def test_every_list_of_actions_says_whether_it_is_whole(manifest: Json) -> None:
    assert manifest["assertions"]["c2pa.actions.v2"]["allActionsIncluded"] is True


def test_opening_names_no_digital_source(manifest: Json) -> None:
    opened = [one for one in actions(manifest) if one["action"] == "c2pa.opened"]
    assert opened
    assert all("digitalSourceType" not in one for one in opened)


def test_the_file_is_well_formed_and_valid(manifest: Json) -> None:
    assert manifest["validationResults"]["success"]
    assert manifest["validationResults"]["failure"] == []


def test_opening_comes_first_among_actions_of_our_own(manifest: Json) -> None:
    created = [one["url"] for one in manifest["claim.v2"]["created_assertions"]]
    listed = [url for url in created if "c2pa.actions" in url]
    assert len(listed) == 1
    assert listed[0].endswith("c2pa.actions.v2")
    assert actions(manifest)[0]["action"] == "c2pa.opened"


def test_every_assertion_is_ours_and_none_was_only_gathered(manifest: Json) -> None:
    assert manifest["claim.v2"]["gathered_assertions"] == []


def test_no_assertion_is_deprecated_or_unknown(manifest: Json) -> None:
    for label in manifest["assertions"]:
        standard = label.partition("__")[0]
        assert standard in ASSERTIONS if label.startswith("c2pa.") else "." in label
        assert not label.startswith("stds.")


def test_no_action_is_deprecated_or_unknown(manifest: Json) -> None:
    assert {one["action"] for one in actions(manifest)} <= ACTIONS


def test_no_action_has_parameters_of_its_own(manifest: Json) -> None:
    for one in actions(manifest):
        assert set(one.get("parameters", ())) <= PARAMETERS


def test_the_manifest_is_named_by_a_c2pa_urn(manifest: Json) -> None:
    assert manifest["label"].startswith("urn:c2pa:")


def test_only_an_ingredient_with_a_manifest_has_validation_results(
    manifest: Json,
) -> None:
    assert list(ingredients(manifest))
    for one in ingredients(manifest):
        assert ("activeManifest" in one) == ("validationResults" in one)
        assert not {"activeManifest", "digitalSourceType"} <= set(one)


def test_every_ingredient_says_what_it_was_to_the_file(manifest: Json) -> None:
    relations = {one["relationship"] for one in ingredients(manifest)}
    assert relations <= {"parentOf", "componentOf", "inputTo"}


def test_nothing_is_said_to_be_created_here(manifest: Json) -> None:
    assert all(one["action"] != "c2pa.created" for one in actions(manifest))


def test_no_rating_is_given_and_nothing_external_referred_to(manifest: Json) -> None:
    for data in manifest["assertions"].values():
        assert not {"reviewRatings", "url"} & set(data)


def test_opening_refers_to_exactly_the_parent(manifest: Json) -> None:
    (opened,) = (one for one in actions(manifest) if one["action"] == "c2pa.opened")
    (reference,) = opened["parameters"]["ingredients"]
    label = reference["url"].rpartition("/")[2]
    assert manifest["assertions"][label]["relationship"] == "parentOf"


def test_the_first_manifest_has_one_parent_one_sound_and_one_model(
    reports: dict[str, Json],
) -> None:
    made = reports["made"]["manifests"][0]
    relations = sorted(one["relationship"] for one in ingredients(made))
    assert relations == ["componentOf", "inputTo", "parentOf"]
    assert "c2pa.thumbnail.claim" in made["assertions"]
    assert "c2pa.hash.bmff.v3" in made["assertions"]
    assert made["isUpdateManifest"] is False


@pytest.mark.parametrize("name", ["released", "withdrawn"])
def test_an_update_is_one_and_has_one_parent_no_hash_and_no_thumbnail(
    reports: dict[str, Json], name: str
) -> None:
    """Spec 2.4, 11.2.3."""
    update = reports[name]["manifests"][0]
    assert update["isUpdateManifest"] is True
    assert [one["relationship"] for one in ingredients(update)] == ["parentOf"]
    for label in update["assertions"]:
        assert not label.startswith(("c2pa.hash", "c2pa.thumbnail"))
    done = [one["action"] for one in actions(update)]
    assert set(done) <= {"c2pa.opened", "c2pa.published", "c2pa.edited.metadata"}


def test_only_a_release_says_that_a_person_validated_the_result(
    reports: dict[str, Json],
) -> None:
    said = {
        name: report["manifests"][0]["assertions"].get("c2pa.ai-disclosure")
        for name, report in reports.items()
    }
    level = "humanOversightLevel"
    assert said["made"]["contentProfile"][level] == "prompt_guided"
    assert said["released"]["contentProfile"][level] == "human_validated"
    assert said["withdrawn"] is None


def test_the_scenes_own_credential_is_kept_in_all_three(
    reports: dict[str, Json],
) -> None:
    counts = {name: len(one["manifests"]) for name, one in reports.items()}
    assert counts == {"made": 2, "released": 3, "withdrawn": 4}


# What the specification itself asks, beyond the rubric, and no validator tells


def first_manifest(reports: dict[str, Json]) -> Json:
    return dict(reports["made"]["manifests"][0])


def test_the_hard_binding_is_one_is_ours_and_leaves_out_what_it_must(
    reports: dict[str, Json],
) -> None:
    """Spec 2.4, BMFF-based hash: the manifest's own boxes, ftyp and mfra, and of the
    media data what is in blocks, by sizes that are whole kilobytes."""
    made = first_manifest(reports)
    bindings = [one for one in made["assertions"] if one.startswith("c2pa.hash.")]
    assert bindings == ["c2pa.hash.bmff.v3"]
    created = [one["url"] for one in made["claim.v2"]["created_assertions"]]
    assert sum("c2pa.hash." in url for url in created) == 1
    data = made["assertions"]["c2pa.hash.bmff.v3"]
    paths = [one["xpath"] for one in data["exclusions"]]
    assert paths == ["/uuid", "/ftyp", "/mfra", "/mdat"]
    uuid, ftyp, mfra, mdat = data["exclusions"]
    assert uuid["data"] == [{"offset": 8, "value": list(C2PA_BOX)}]
    assert set(ftyp) == set(mfra) == {"xpath"}
    assert mdat["subset"] == [{"offset": 16, "length": 0}]
    (tree,) = data["merkle"]
    assert tree["count"] == len(tree["hashes"])
    assert {len(one) for one in tree["hashes"]} == {32}
    assert tree["fixedBlockSize"] % 1024 == 0
    assert {data["alg"], tree["alg"]} == {"sha256"}


def test_the_claim_is_of_the_second_version_and_nothing_of_the_first(
    manifest: Json,
) -> None:
    claim = manifest["claim.v2"]
    assert "claim" not in manifest
    assert not {"claim_generator", "dc:format", "assertions"} & set(claim)
    assert isinstance(claim["claim_generator_info"], dict)
    assert {"name", "version"} <= set(claim["claim_generator_info"])
    assert claim["instanceID"]
    assert claim["alg"] == "sha256"
    assert claim["redacted_assertions"] == []


def test_every_reference_stays_in_the_file_and_has_a_sha256(manifest: Json) -> None:
    def references(value: object) -> Iterator[Json]:
        if isinstance(value, dict):
            if {"url", "hash"} <= set(value):
                yield value
            for inner in value.values():
                yield from references(inner)
        if isinstance(value, list):
            for inner in value:
                yield from references(inner)

    found = [
        *references(manifest["claim.v2"]["created_assertions"]),
        *references(manifest["assertions"]),
    ]
    assert len(found) > 5
    for one in found:
        assert one["url"].startswith("self#jumbf=")
        assert len(base64.b64decode(one["hash"][len("b64'") : -1])) == 32
        assert one.get("alg", "sha256") == "sha256"


def test_created_assertions_are_all_there_are_and_each_is_named_once(
    manifest: Json,
) -> None:
    created = [
        one["url"].rpartition("/")[2]
        for one in manifest["claim.v2"]["created_assertions"]
    ]
    assert sorted(created) == sorted(manifest["assertions"])


def test_an_ingredient_with_a_manifest_names_its_signature_as_well(
    reports: dict[str, Json],
) -> None:
    """Ingredient v3: what was checked is pinned, claim and signature."""
    having = 0
    for report in reports.values():
        for one in ingredients(report["manifests"][0]):
            assert ("activeManifest" in one) == ("claimSignature" in one)
            assert one["dc:title"]
            having += "activeManifest" in one
    assert having == 3


def test_every_act_says_when_and_by_which_software(manifest: Json) -> None:
    for one in actions(manifest):
        if one["action"] in INCEPTION:
            continue
        assert one["softwareAgent"]["name"] == "lipweb"
        assert datetime.fromisoformat(one["when"]).utcoffset() == timedelta(0)


def test_what_was_placed_and_what_drew_are_the_ingredients_named(
    reports: dict[str, Json],
) -> None:
    made = first_manifest(reports)
    wanted = {"c2pa.placed": "componentOf", "c2pa.edited": "inputTo"}
    for one in actions(made):
        if one["action"] in wanted:
            (reference,) = one["parameters"]["ingredients"]
            label = reference["url"].rpartition("/")[2]
            named = made["assertions"][label]["relationship"]
            assert named == wanted[one["action"]]


def test_a_bound_watermark_is_described_by_a_soft_binding(
    reports: dict[str, Json],
) -> None:
    made = first_manifest(reports)
    assert "c2pa.watermarked.bound" in {one["action"] for one in actions(made)}
    binding = made["assertions"]["c2pa.soft-binding"]
    assert binding["alg"].startswith("org.lipweb.")
    assert [set(block) for block in binding["blocks"]] == [{"scope", "value"}]


def test_the_label_is_a_uuid_of_its_own_in_each(reports: dict[str, Json]) -> None:
    labels = [one["label"] for one in reports["withdrawn"]["manifests"]]
    assert len(set(labels)) == len(labels) == 4
    for label in labels:
        assert UUID(label.removeprefix("urn:c2pa:")).version == 4


def test_the_signature_is_of_an_allowed_kind_by_a_certificate_in_its_time(
    manifest: Json,
) -> None:
    signature = manifest["signature"]
    assert signature["algorithm"] == "es256"
    validity = signature["certificateInfo"]["validity"]
    begins, ends = (
        datetime.fromisoformat(validity[one]) for one in ("notBefore", "notAfter")
    )
    assert begins < datetime.now(UTC) < ends
