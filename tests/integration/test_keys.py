"""The declared keys on published rows: each identifies a row, and what refers to a key finds it."""

import re
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.publish.names import schema_in_file
from ion_pipeline.sandbox.factory.planted_anomalies import MISSING_REQUIREMENT
from ion_pipeline.warehouse.sql import identifier, identifiers
from tests.integration.conftest import Built
from tests.integration.support.warehouse import rows

pytestmark = pytest.mark.slow

DICTIONARY = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
#: Rows that the world lacks: what is reported as data, not as a failure.
MISSING = {"ion.abom_installations.build_requirement_id": {MISSING_REQUIREMENT}}


def quoted(table: str) -> str:
    schema, name = table.split(".")
    return identifier(schema_in_file(schema), name)


def test_keys_identify_rows_and_references_find_theirs(demo_warehouse: Built) -> None:
    dictionary = rows(
        demo_warehouse, "select table_schema || '.' || table_name as full_name, * from ops.data_dictionary"
    )
    keys: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for row in dictionary:
        if row["key_number"]:
            keys[row["full_name"]][row["key_number"]] = row["column_name"]
    assert keys.keys() == {row["full_name"] for row in dictionary}
    referring = [row for row in dictionary if row["refers_to"]]
    # One query for each table is a fifth of the cost of one for each column.
    read: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row in referring:
        read[row["full_name"]][row["column_name"]] = None
        target, _, key = row["refers_to"].rpartition(".")
        read[target][key] = None
    broken = []
    values: dict[str, set[object]] = {}
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        for table, numbered in keys.items():
            assert sorted(numbered) == list(range(1, len(numbered) + 1))
            names = identifiers(numbered.values())
            nulls = " or ".join(f"{identifier(name)} is null" for name in numbered.values())
            lists = [f"list(distinct {identifier(name)})" for name in read[table]]
            counts = f"count(*), count(distinct ({names})), count(*) filter ({nulls})"
            found = connection.execute(f"select {', '.join([counts, *lists])} from {quoted(table)}").fetchone()  # noqa: S608
            assert found
            broken += [table] if found[0] != found[1] or found[2] else []
            for name, one in zip(read[table], found[3:], strict=True):
                values[f"{table}.{name}"] = set(one or ()) - {None}
    missing = {
        column: values[column] - values[row["refers_to"]]
        for row in referring
        if not values[column := f"{row['full_name']}.{row['column_name']}"] <= values[row["refers_to"]]
    }
    assert broken == []
    assert sum(1 for row in referring if values[f"{row['full_name']}.{row['column_name']}"]) > 400
    assert missing == MISSING


def test_the_page_names_the_keys_of_the_published_dictionary(demo_warehouse: Built) -> None:
    expected = {
        f"{row['table_schema']}.{row['table_name']}.{row['column_name']}": row["refers_to"] or ""
        for row in rows(demo_warehouse, "select * from ops.data_dictionary")
    }
    found, keys, table = {}, {}, ""
    for line in DICTIONARY.read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"## `(.+)`", line):
            table = heading[1]
        elif key := re.search(r" Key: (.+)\.$", line):
            keys[table] = re.findall(r"`(\w+)`", key[1])
        elif column := re.match(r"\| `(\w+)` \| [^|]+ \| `?([\w.]*?)`? ?\| ", line):
            found[f"{table}.{column[1]}"] = column[2]
    assert found == expected
    in_order = rows(
        demo_warehouse,
        "select table_schema || '.' || table_name as full_name, list(column_name order by key_number) as names "
        "from ops.data_dictionary where key_number is not null group by all",
    )
    assert keys == {row["full_name"]: row["names"] for row in in_order}
