"""The fingerprint of the rows of a table: tables with the same rows, in any order, have the same one."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`

from dataclasses import dataclass

import duckdb

from ion_pipeline.warehouse.sql import identifier

#: SQL of the fingerprint of a table with the alias `t`.
FINGERPRINT = "count(*), coalesce(sum(hash(t)::hugeint), 0)"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Row count and the sum of all row hashes, which do not depend on the order of the rows."""

    rows: int
    hash_sum: int


def fingerprint(connection: duckdb.DuckDBPyConnection, *name: str) -> Fingerprint:
    """Read a whole table and return its fingerprint.

    Args:
        connection: A connection to the database, or one that it is attached to.
        name: Catalog (if it is attached), schema and table.
    """
    [(rows, hash_sum)] = connection.execute(f"select {FINGERPRINT} from {identifier(*name)} as t").fetchall()
    return Fingerprint(rows, hash_sum)
