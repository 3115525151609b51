"""Each key column of a public table names the key that it refers to, or is known to refer to no single table."""

from collections import Counter
from pathlib import Path
from typing import Any

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.warehouse import entity_tables
from tests.documents import read_yaml

PROJECT = Path(__file__).parents[2] / "dbt_project"
TARGETS: dict[str, list[str]] = read_yaml(PROJECT / "dbt_project.yml")["vars"]["refers_to"]
MODELS: dict[str, dict[str, Any]] = {
    f"{path.parent.name}.{model['name']}": model
    for path in sorted((PROJECT / "models" / "marts").rglob("*.yml"))
    for model in read_yaml(path)["models"]
}
ENTITIES = entity_tables(known_catalog(), references(known_schema(), known_catalog()))
#: Type of every public column, by schema, table and column.
TYPES = {
    f"{table}.{column['name']}": column["data_type"] for table, model in MODELS.items() for column in model["columns"]
} | {f"ion.{table.name}.{column.name}": column.type.lower() for table in ENTITIES for column in table.columns}
_BY_GENERATION = "a row of one table or another, by the generation of ION's as-built BOM"
#: Columns that are named like a key and refer to no single table, with the reason.
OF_NO_TABLE = {
    "abom_installation_id": _BY_GENERATION,
    "build_requirement_id": _BY_GENERATION,
    "approval_id": "unique only within its kind",
    "approval_request_id": "unique only within its kind",
    "awaited_id": "an order line or a run, as another column says",
    "consumer_id": "a run, a unit or a plan item, as another column says",
    "entered_entity_id": "the handle of a record of any table",
    "file_attachment_id": "a file of whichever table has it",
    "linked_id": "a record of any table, as another column says",
    "member_id": "a user or a team, as another column says; team_id and user_id have it too",
    "owner_id": "a record of any table, as another column says",
    "procedure_family_id": "ION has no table of families",
    "record_id": "a record of any table, as another column says",
    "session_id": "identifies a session only with its run step",
    "step_family_id": "ION has no table of families",
    "subject_id": "a record of any table, as another column says",
}


def keys() -> dict[str, tuple[str, ...]]:
    """The key of every public table: of a model, from its constraints or its test; of an entity, from the catalog."""
    found = {}
    for table, model in MODELS.items():
        tests = [one["unique_combination"] for one in model.get("data_tests", []) if "unique_combination" in one]
        primary = [
            column["name"]
            for column in model["columns"]
            if {"type": "primary_key"} in [{"type": one["type"]} for one in column.get("constraints", [])]
        ]
        of_model = [one["columns"] for one in model.get("constraints", []) if one["type"] == "primary_key"]
        found[table] = tuple(primary or (of_model or [one["arguments"]["columns"] for one in tests])[0])
    for entity in ENTITIES:
        numbers = {column.key_number: column.name for column in entity.columns if column.key_number}
        found[f"ion.{entity.name}"] = tuple(numbers[number] for number in sorted(numbers))
    return found


def referring() -> dict[str, str]:
    """The target of every column that refers to one, by schema, table and column."""
    by_name = {name: target for target, names in TARGETS.items() for name in names}
    found = {
        full: by_name[column["name"]]
        for table, model in MODELS.items()
        for column in model["columns"]
        if column["name"] in by_name and by_name[column["name"]] != (full := f"{table}.{column['name']}")
    }
    return found | {
        f"ion.{entity.name}.{column.name}": column.refers_to
        for entity in ENTITIES
        for column in entity.columns
        if column.refers_to
    }


def test_every_table_has_a_key_of_its_own_columns() -> None:
    found = keys()
    assert len(found) > 150
    assert [
        table for table, names in found.items() if not names or {f"{table}.{n}" for n in names} - TYPES.keys()
    ] == []


def test_each_target_is_the_key_of_its_table_and_of_the_same_type() -> None:
    found = referring()
    of_one_column = {f"{table}.{names[0]}" for table, names in keys().items() if len(names) == 1}
    assert len(found) > 600
    assert set(found.values()) - of_one_column == set()
    assert {column: target for column, target in found.items() if TYPES[column] != TYPES[target]} == {}


def test_every_id_of_a_model_refers_to_a_key_or_is_known_to_refer_to_none() -> None:
    named = {name for names in TARGETS.values() for name in names}
    found = {
        column["name"]
        for table, model in MODELS.items()
        for column in model["columns"]
        # The key of its own table is referred to by others.
        if column["name"].endswith("_id") and keys()[table] != (column["name"],)
    }
    assert found - named == OF_NO_TABLE.keys()
    assert len(found & named) > 70


def test_each_name_is_given_once_and_used() -> None:
    times = Counter(name for names in TARGETS.values() for name in names)
    assert [name for name, count in times.items() if count > 1] == []
    used = {column["name"] for model in MODELS.values() for column in model["columns"]}
    assert times.keys() - used == set()


def test_what_dbt_tests_is_what_is_declared() -> None:
    """A test may look in a staging view or in a history of the same rows, so the columns are compared."""
    declared = referring()
    tested = {
        f"{table}.{column}": target["field"]
        for table, model in MODELS.items()
        for test in model.get("data_tests", [])
        for column, target in test.get("refers_to", {}).get("arguments", {}).get("references", {}).items()
    }
    assert len(tested) > 70
    assert {column: declared[column].rpartition(".")[2] for column in tested} == tested


def test_the_columns_of_entities_refer_where_ion_says() -> None:
    declared = referring()
    expected = {
        "ion.part_inventories.part_id": "ion.parts.part_id",
        "ion.part_inventory_attributes.part_inventory_id": "ion.part_inventories.part_inventory_id",
        "ion.parts.revised_from_part_id": "ion.parts.part_id",
        "ion.run_steps.run_id": "ion.runs.run_id",
        # A text in ION, where the part's id is a number: published as one.
        "ion.part_procedures.part_id": "ion.parts.part_id",
        "ion.comments.entity_id": None,
    }
    assert expected.keys() <= TYPES.keys()
    assert {column: declared.get(column) for column in expected} == expected
