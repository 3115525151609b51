"""No two published tables disagree: rows with the same key have the same value in every column of the same name."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import duckdb
import pytest

from ion_pipeline.publish.names import schema_in_file
from ion_pipeline.warehouse.sql import identifier
from tests.integration.conftest import Built
from tests.integration.support.warehouse import rows

pytestmark = pytest.mark.slow

_TREE = "the flag of a unit with all that is in it, or that it is in"
_RICH = "ION's rich text, of which the mart has the plain text"
_ENTERED = "ION names what was entered in the field; the mart the unit that was measured"
#: Columns that mean something else than in the other tables with their key, with the reason.
OTHER = {
    "genealogy.abom_configurations.is_export_controlled": _TREE,
    "genealogy.unit_conformance.is_export_controlled": _TREE,
    "production.serialized_units.is_export_controlled": _TREE,
    "quality.issues.disposition": _RICH,
    "supply.purchase_orders.supplier_instructions": _RICH,
    "quality.measurements.part_id": _ENTERED,
    "quality.measurements.part_inventory_id": _ENTERED,
    "reference.procedure_steps.upstream_step_ids": "an empty list where ION has none",
}
#: Tables of longer periods, whose key may be the beginning of a period of another length.
PERIODS = ("_by_week", "_by_month")

Table = dict[str, str]


def tables(built: Built) -> dict[str, tuple[tuple[str, ...], Table]]:
    """Key, and types by column, of each published table."""
    keys: defaultdict[str, dict[int, str]] = defaultdict(dict)
    columns: defaultdict[str, Table] = defaultdict(dict)
    for row in rows(built, "select * from ops.data_dictionary"):
        name = f"{row['table_schema']}.{row['table_name']}"
        columns[name][row["column_name"]] = row["data_type"]
        if row["key_number"]:
            keys[name][row["key_number"]] = row["column_name"]
    return {name: (tuple(sorted(key.values())), columns[name]) for name, key in keys.items()}


def pairs(found: dict[str, tuple[tuple[str, ...], Table]]) -> Iterator[tuple[str, str, tuple[str, ...], list[str]]]:
    """Tables with one key, and the columns that they share."""
    for (one, (key, columns)), (other, (same, more)) in combinations(found.items(), 2):
        ends = {next((end for end in PERIODS if name.endswith(end)), "") for name in (one, other)}
        shared = [name for name in columns if name in more and name not in key]
        if key == same and len(ends) == 1 and shared:
            yield one, other, key, shared


def quoted(table: str) -> str:
    schema, name = table.split(".")
    return identifier(schema_in_file(schema), name)


def test_tables_with_one_key_agree(demo_warehouse: Built) -> None:
    compared, differing = 0, set()
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        for one, other, key, shared in pairs(tables(demo_warehouse)):
            unlike = [f"count(*) filter (a.{identifier(c)} is distinct from b.{identifier(c)})" for c in shared]
            tables_read = f"{quoted(one)} as a join {quoted(other)} as b using ({', '.join(map(identifier, key))})"
            counted = connection.execute(f"select count(*), {', '.join(unlike)} from {tables_read}").fetchone()  # noqa: S608
            assert counted
            compared += len(shared) if counted[0] else 0
            for column, count in zip(shared, counted[1:], strict=True):
                both = {f"{one}.{column}", f"{other}.{column}"}
                if count:
                    differing |= {name for name in both if name in OTHER} or {" and ".join(sorted(both))}
    assert differing == OTHER.keys()
    assert compared > 400


def test_a_mart_has_no_row_that_its_entity_lacks(demo_warehouse: Built) -> None:
    compared, beyond = set(), {}
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        for one, other, key, _ in pairs(tables(demo_warehouse)):
            entity, mart = sorted((one, other), key=lambda name: not name.startswith("ion."))
            if len(key) > 1 or not entity.startswith("ion.") or mart.startswith("ion."):
                continue
            name = identifier(*key)
            rows_beyond = f"select {name} from {quoted(mart)} except select {name} from {quoted(entity)}"  # noqa: S608
            ((count,),) = connection.execute(f"select count(*) from ({rows_beyond})").fetchall()  # noqa: S608
            compared.add(mart)
            beyond |= {mart: count} if count else {}
    assert beyond == {}
    assert len(compared) > 20
