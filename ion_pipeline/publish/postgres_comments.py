"""Comments of tables and columns in PostgreSQL: only those that differ are written, for there are thousands."""

from collections.abc import Collection, Mapping
from typing import Any

from ion_pipeline.warehouse.sql import identifier, literal


def existing_comments(cursor: Any) -> set[tuple[str, str]]:
    """Return what has which comment: `table` or `column` with its quoted name, and the comment."""
    cursor.execute(
        "select n.nspname, c.relname, a.attname, d.description from pg_description d "
        "join pg_class c on d.classoid = 'pg_class'::regclass and d.objoid = c.oid "
        "join pg_namespace n on n.oid = c.relnamespace "
        "left join pg_attribute a on a.attrelid = c.oid and d.objsubid > 0 and a.attnum = d.objsubid"
    )
    return {
        (f"table {identifier(schema, table)}", comment)
        if column is None
        else (f"column {identifier(schema, table, column)}", comment)
        for schema, table, column, comment in cursor.fetchall()
    }


def write_comments(cursor: Any, wanted: Mapping[str, str | None], existing: Collection[tuple[str, str]]) -> None:
    """Write the comments that are not there yet, in one statement.

    Args:
        cursor: A cursor of the transaction.
        wanted: The comment of each table and column, named as in `existing`; None leaves what is there.
        existing: From `existing_comments`.
    """
    statements = [
        f"comment on {place} is {literal(comment)};"
        for place, comment in wanted.items()
        if comment and (place, comment) not in existing
    ]
    if statements:
        cursor.execute(f"do {literal(' '.join(['begin', *statements, 'end']))}")
