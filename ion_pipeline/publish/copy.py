"""Copies tables from the attached warehouse to an attached new file, and checks what is there then."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Collection, Iterator, Mapping, Sequence

import duckdb

from ion_pipeline.counting import OnCount, counted
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.names import SOURCE, TARGET, schema_in_file
from ion_pipeline.publish.parts import Divided
from ion_pipeline.publish.whole import CHECKING, COPYING, work_of
from ion_pipeline.warehouse import Fingerprint, fingerprint
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.sql import identifier, literal


def counted_tables(
    tables: Mapping[tuple[str, str], Divided], on_count: OnCount, doing: str, kept: int = 0
) -> Iterator[tuple[str, str]]:
    """Yield (schema, name) of tables, and count them; a table is as much work as rows of it are written.

    Args:
        tables: The tables.
        on_count: As for `counted`.
        doing: As for `counted`.
        kept: Tables of the publish that are kept from the previous one, with which nothing is done.
    """
    return counted(
        list(tables),
        on_count,
        unit="tables",
        doing=doing,
        name=".".join,
        work=[work_of(one.rows_to_write) for one in tables.values()],
        before=kept,
    )


def public_relations(connection: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[tuple[str, str]]:
    """(schema, name) of every table and view of some schemas of the warehouse, in their order, then by name."""
    return connection.execute(
        """
        select schema_name, name
        from (
            select database_name, schema_name, table_name as name from duckdb_tables()
            union all
            select database_name, schema_name, view_name from duckdb_views() where not internal
        )
        where database_name = $source and list_contains($schemas::varchar[], schema_name)
        order by list_position($schemas::varchar[], schema_name), name
        """,
        {"source": SOURCE, "schemas": list(schemas)},
    ).fetchall()


def copy_relations(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[tuple[str, str], Divided],
    on_count: OnCount,
    kept: int,
) -> None:
    """Copy tables and views, with the order of their rows and their comments.

    Where the new file has parts of a table already, the others are replaced.

    Args:
        connection: A connection that the warehouse and the new file are attached to.
        tables: The tables and views.
        on_count: Called before each table.
        kept: As for `counted_tables`.
    """
    for relation in counted_tables(tables, on_count, COPYING, kept):
        if tables[relation].kept:
            replace_parts(connection, identifier(SOURCE, *relation), tables[relation])
        else:
            connection.execute(f"create schema if not exists {identifier(TARGET, relation[0])}")
            connection.execute(
                f"create table {identifier(TARGET, *relation)} as select * from {identifier(SOURCE, *relation)}"
            )
    _copy_comments(connection, {relation for relation, divided in tables.items() if not divided.kept})


def replace_parts(connection: duckdb.DuckDBPyConnection, source: str, divided: Divided, *, order: str = "") -> None:
    """Replace the fresh parts of a table of the new file; their rows come after those of the parts that stay.

    Args:
        connection: A connection that the new file is attached to.
        source: SQL of what has the rows: a quoted name, or a query in brackets.
        divided: The table.
        order: The columns by which the rows are ordered; by default they have the order of the source.
    """
    target = identifier(TARGET, schema_in_file(divided.table.schema), divided.table.table)
    in_order = f" order by {order}" if order else ""
    with transaction(connection):
        connection.execute(f"delete from {target} as t where {divided.is_fresh}")
        connection.execute(f"insert into {target} select * from {source} as t where {divided.is_fresh}{in_order}")


def verify(
    connection: duckdb.DuckDBPyConnection,
    expected: Mapping[tuple[str, str], Fingerprint],
    on_count: OnCount,
    kept: int,
) -> None:
    """Check that tables of the new file have the rows that they should have.

    Args:
        connection: A connection that the new file is attached to.
        expected: The fingerprints of the tables.
        on_count: Called before each table.
        kept: As for `counted_tables`.

    Raises:
        PublishError: One has not.
    """
    work = [work_of(one.rows) for one in expected.values()]
    for relation in counted(
        list(expected), on_count, unit="tables", doing=CHECKING, name=".".join, work=work, before=kept
    ):
        wanted, (schema, table) = expected[relation], relation
        found = fingerprint(connection, TARGET, schema_in_file(schema), table)
        if found != wanted:
            raise PublishError(
                f"{'.'.join(relation)} has {found.rows} rows in the new file and {wanted.rows} in the warehouse, "
                "or its values differ.",
                remedy="Publish again when nothing else writes to the warehouse. The published files are unchanged.",
            )


def _copy_comments(connection: duckdb.DuckDBPyConnection, relations: Collection[tuple[str, str]]) -> None:
    comments = connection.execute(
        """
        select 'table', schema_name, table_name, null, comment from duckdb_tables()
        where database_name = $source and comment is not null
        union all
        select 'table', schema_name, view_name, null, comment from duckdb_views()
        where database_name = $source and comment is not null
        union all
        select 'column', schema_name, table_name, column_name, comment from duckdb_columns()
        where database_name = $source and comment is not null
        """,
        {"source": SOURCE},
    ).fetchall()
    # One transaction: each commit syncs to disk, and there are more than a thousand comments.
    with transaction(connection):
        for kind, schema, table, column, comment in comments:
            if (schema, table) in relations:
                name = identifier(TARGET, schema, table, *([column] if column else []))
                connection.execute(f"comment on {kind} {name} is {literal(comment)}")
