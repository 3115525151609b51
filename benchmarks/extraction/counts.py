"""Counts the rows that a contender has written, with DuckDB over its output.

    python -m benchmarks.extraction.counts KIND FOLDER ENTITY...

Prints rows and distinct ids by entity, and the rows of the attributes' tables where there are any.
"""

import json
import sys
from pathlib import Path

import duckdb


def main() -> None:
    kind, folder, *entities = sys.argv[1:]
    kind = kind.partition("-")[0]
    database = {"dlt": "dlt.duckdb", "singer": "singer.duckdb"}.get(kind)
    counts = {}
    with duckdb.connect(str(Path(folder) / database) if database else ":memory:") as connection:
        for entity in entities:
            counts[entity] = connection.execute(
                f"select count(*), count(distinct id) from {source(kind, folder, entity)}"  # noqa: S608
            ).fetchone()
            attributes = attributes_source(kind, folder, entity)
            if attributes:
                row = connection.execute(f"select count(*) from {attributes}").fetchone()  # noqa: S608
                counts[f"{entity}.attributes"] = row
    print(json.dumps(counts))


def source(kind: str, folder: str, table: str) -> str:
    """Return the SQL source of a table's rows."""
    match kind:
        case "ours":
            return f"read_parquet('{folder}/lake/{table}/load=*/*.parquet')"
        case "plain":
            return f"read_parquet('{folder}/{table}.parquet')"
        case _:
            return f'ion."{table}"'


def attributes_source(kind: str, folder: str, entity: str) -> str | None:
    """Return the SQL source of an entity's attributes; None where the contender has no table of them."""
    from ion_pipeline.catalog import known_catalog  # noqa: PLC0415

    children = [child.table for child in known_catalog().entities[entity].children if child.field == "attributes"]
    if not children:
        return None
    return {"ours": source("ours", folder, children[0]), "dlt": f'ion."{entity}__attributes"'}.get(kind)


if __name__ == "__main__":
    main()
