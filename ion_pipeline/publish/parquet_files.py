"""The Parquet files of a publish: one for a table, or a folder with one for each part of a large table.

A file whose rows are those of the previous publish is a link to that publish's file.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from ion_pipeline.counting import OnCount
from ion_pipeline.publish import swap
from ion_pipeline.publish.copy import counted_tables
from ion_pipeline.publish.kept import Entry, Kept, Previous, Relation
from ion_pipeline.publish.names import TARGET, schema_in_file
from ion_pipeline.publish.parts import Divided, Part
from ion_pipeline.publish.whole import WRITING_PARQUET
from ion_pipeline.warehouse.sql import identifier, literal


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A file of a table.

    Attributes:
        path: Its path in the folder of Parquet files.
        part: The part that it has; None if it has the whole table.
        kept: Its entry in the previous `latest.json`, if its rows are those of the previous publish.
    """

    path: str
    part: Part | None
    kept: Entry | None


def files_of(
    previous: Previous, kept: Kept, written: Mapping[Relation, Divided]
) -> dict[Relation, tuple[ParquetFile, ...]]:
    """The files of each table.

    Args:
        previous: The previous publish.
        kept: What is kept of it.
        written: The tables of which at least a part is written.
    """
    found = {
        relation: _named(relation, [(part, entry) for entry in entries for part in [Part.from_json(entry)]])
        if (entries := entry.get("parts"))
        else _named(relation, [(None, entry)])
        for relation, entry in kept.entries.items()
    }
    for relation, divided in written.items():
        entries = {Part.from_json(entry): entry for entry in previous.entries.get(relation, {}).get("parts", ())}
        found[relation] = _named(
            relation, [(part, entries[part] if part in divided.kept else None) for part in divided.parts]
        )
    return found


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    previous: Previous,
    files: Mapping[Relation, Sequence[ParquetFile]],
    written: Mapping[Relation, Divided],
    *,
    fresh: swap.Publish,
    on_count: OnCount,
) -> None:
    """Write or link all files.

    Args:
        connection: A connection that the new database file is attached to.
        previous: The previous publish.
        files: The files of each table.
        written: The tables of which at least a part is written.
        fresh: The new publish.
        on_count: Called before each table that is written.
    """
    for schema, table in counted_tables(written, on_count, WRITING_PARQUET, len(files) - len(written)):
        rows, column = identifier(TARGET, schema_in_file(schema), table), written[schema, table].column
        for file in files[schema, table]:
            if file.kept is None:
                path = fresh.parquet / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                condition = f" as t where {file.part.range.condition(column)}" if file.part else ""
                connection.execute(
                    f"copy (from {rows}{condition}) to {literal(str(path))} (format parquet, compression zstd)"
                )
    for file in (file for each in files.values() for file in each):
        if file.kept is not None:
            _link(previous, file, file.kept, fresh)


def _named(relation: Relation, parts: Iterable[tuple[Part | None, Entry | None]]) -> tuple[ParquetFile, ...]:
    schema, table = relation
    match list(parts):
        case [(_, entry)]:
            return (ParquetFile(f"{schema}/{table}.parquet", None, entry),)
        case several:
            return tuple(
                ParquetFile(f"{schema}/{table}.parquet/{number:05}.parquet", part, entry)
                for number, (part, entry) in enumerate(several)
            )


def _link(previous: Previous, file: ParquetFile, entry: Entry, fresh: swap.Publish) -> None:
    """Link a file of the previous publish, or copy one without the permissions of new files: ION_UMASK has changed."""
    source, target = previous.file(entry), fresh.parquet / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.stat().st_mode == fresh.database.stat().st_mode:
        swap.link_or_copy(source, target)
    else:
        shutil.copyfile(source, target)
