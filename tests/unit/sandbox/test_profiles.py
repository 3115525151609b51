"""What the schema of each profile lacks, compared with the complete schema."""

from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, validate_schema

from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.errors import SettingsError
from ion_pipeline.sandbox.profiles import PROFILES, served_schema


def members(profile: str | None) -> set[tuple[str, str]]:
    schema = served_schema(profile) if profile else known_schema()
    found: set[tuple[str, str]] = set()
    for name, kind in schema.type_map.items():
        inner: Any = ()
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            inner = kind.fields
        elif isinstance(kind, GraphQLEnumType):
            inner = kind.values
        found |= {(name, member) for member in inner}
    return found


WHOLE = members(None)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_a_valid_part_of_the_schema(profile: str) -> None:
    assert validate_schema(served_schema(profile)) == []
    if profile != "today":
        assert members(profile) <= WHOLE


def test_today_has_what_ion_has_added_and_no_generation_1() -> None:
    gained = members("today") - WHOLE
    assert {member for name, member in gained if name == "Query"} == {
        "sessions",
        "partInventoryBuildRequirements",
        "supplierParts",
        "furtherActions",
    }
    others = {one for one in gained if one[0] in {name for name, _ in WHOLE} and one[0] != "Query"}
    assert others == {
        ("IssueDispositionType", "autoResolve"),
        ("IssueDispositionType", "inventoryAvailability"),
        ("PurchaseOrderLine", "unitOfMeasureId"),
        ("PurchaseOrderLine", "unitOfMeasure"),
        ("Purchaseorderstatusenum", "IN_REVIEW"),
        ("Purchaseorderstatusenum", "PARTIALLY_RECEIVED"),
    }
    assert missing("today") == missing("generation-2")


def test_a_tenant_names_some_entities_itself() -> None:
    query = served_schema("today", (("furtherActions", "capas"),)).query_type
    assert query is not None
    assert {"capas", "supplierParts"} <= query.fields.keys()
    assert "furtherActions" not in query.fields
    for wrong in (("parts", "pieces"), ("furtherActions", "parts"), ("furtherActions", "supplierParts"), ("capas", "")):
        with pytest.raises(SettingsError, match="furtherActions"):
            served_schema("today", (wrong,))
    renamed = served_schema("today", (("furtherActions", "capas"), ("furtherActions.issues", "findings")))
    assert {"findings", "approvers"} <= renamed.type_map["FurtherAction"].fields.keys()  # type: ignore[attr-defined]
    assert "issues" not in renamed.type_map["FurtherAction"].fields  # type: ignore[attr-defined]
    assert "issues" in served_schema("today").type_map["FurtherAction"].fields  # type: ignore[attr-defined]
    for wrong in (("furtherActions.issues", "title"), ("furtherActions.title", "name"), ("parts.labels", "marks")):
        with pytest.raises(SettingsError, match=wrong[0]):
            served_schema("today", (wrong,))
    with pytest.raises(SettingsError, match="full"):
        served_schema("full", (("furtherActions", "capas"),))


def missing(profile: str) -> set[tuple[str, str]]:
    return WHOLE - members(profile)


def test_the_full_profile_lacks_nothing() -> None:
    assert missing("full") == set()


def test_no_root_abom_lacks_two_root_connections_and_keeps_the_nested_lists() -> None:
    assert missing("no-root-abom") == {("Query", "buildRequirements"), ("Query", "abomInstallations")}
    assert ("PartInventory", "buildRequirements") in members("no-root-abom")


def test_generation_1_knows_nothing_of_generation_2() -> None:
    gone = missing("generation-1")
    elsewhere = {one for one in gone if not one[0].startswith(("BuildRequirement", "ABomInstallation"))}
    assert elsewhere == {
        ("Query", "buildRequirements"),
        ("Query", "abomInstallations"),
        ("PartInventory", "buildRequirements"),
        ("PartInventory", "abomInstallations"),
    }
    assert ("BuildRequirement", "id") in gone
    assert ("ABomItem", "quantity") not in gone


def test_generation_2_knows_nothing_of_generation_1() -> None:
    gone = missing("generation-2")
    assert {("Query", "abomItems"), ("Query", "aBomEdges"), ("Query", "abomItem"), ("ABomItem", "id")} <= gone
    assert {("PartInventory", "abomItems"), ("PartInventory", "_AbomItemsCount"), ("Part", "abomItems")} <= gone
    about = [one for one in members("generation-2") if "abomitem" in one[1].lower() or "abomedge" in one[1].lower()]
    assert {name for name, _ in about} == {"RuleTargetEnum"}  # the enum of a rule's targets still contains them
    assert ("BuildRequirement", "partInventories") not in gone


def test_no_updated_filter_lacks_just_that() -> None:
    gone = missing("no-updated-filter")
    assert {member for _, member in gone} == {"_updated", "_created"}
    assert {name for name, _ in gone if not name.endswith(("Filters",))} == set()
    assert len(gone) > 150
    assert ("Part", "_updated") in members("no-updated-filter")


def test_no_keyset_lacks_filters_and_sorts_by_id() -> None:
    gone = missing("no-keyset")
    assert {member for _, member in gone} == {"id", "ID_ASC", "ID_DESC"}
    assert ("PartsInputFilters", "partId") not in gone
    kept = members("no-keyset")
    assert ("Part", "id") in kept
    assert not [
        name for name, member in kept if member == "id" and name.endswith("Filters") and name != "EntitysInputFilters"
    ]


def test_missing_fields_are_missing_everywhere() -> None:
    assert {("Part", "leadTime"), ("RunStep", "hashCode"), ("PartSortEnum", "LEAD_TIME_ASC")} <= missing(
        "missing-fields"
    )
    assert {("Step", "leadTime"), ("RunStep", "leadTime")} <= members("missing-fields")


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(SettingsError, match="generation-1"):
        served_schema("generation-3")
