"""Traces of what is under export control in a folder of published files: texts of its rows, and its ids."""
# ruff: noqa: S608 -- names of tables and columns come from the file itself

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from tests.oracle.export_control import Named, named
from tests.oracle.world import World

# Shorter texts (a revision, a status) identify no row.
_SHORTEST = 6
# In compressed bytes, pieces of free texts are next to each other (DuckDB stores pieces of eight bytes) and can spell a
# short text that is in no row.
_SHORTEST_IN_BYTES = 17
_IDS = {
    "part_inventory_id": "partInventories",
    "part_id": "parts",
    "run_id": "runs",
    "run_step_id": "runSteps",
    "run_step_field_id": "runStepFields",
    "step_id": "steps",
    "step_field_id": "fields",
    "procedure_id": "procedures",
    "issue_id": "issues",
    "purchase_order_line_id": "purchaseOrderLines",
    "receipt_item_id": "receiptItems",
    "mbom_id": "mboms",
    "mbom_item_id": "mbomItems",
}
_PATHS = {("genealogy", "abom_hierarchy"): "partInventories", ("genealogy", "mbom_hierarchy"): "parts"}
_ENDING = r"(?:_before|_after)?$"


def telling_texts(world: World, found: set[Named]) -> set[str]:
    """Texts of controlled rows, names, serials and lots among them, that are in no row without export control."""
    own: set[str] = set()
    free: list[str] = []
    for root, rows in world.items():
        for row in rows:
            if ("id" in row or root != "") and _is_in(root, row, found):
                own |= set(_texts(row))
                continue
            attributes = [
                field
                for field in row.get("attributes") or ()
                if (f"{root}.attributes", (row["id"], field["key"])) not in found
            ]
            own |= {text for field in row.get("attributes") or () if field not in attributes for text in _texts(field)}
            free.append("\n".join(_texts({**row, "attributes": attributes})))
    others = "\n".join(free)
    return {text for text in own if len(text) >= _SHORTEST and text not in others}


def traces(folder: Path, texts: Collection[str]) -> Iterator[tuple[str, set[str]]]:
    """In which file or table of a folder which of the texts are; values, comments and names, and every byte."""
    # In bytes, a search takes a third of the time that it takes in a text with one wide character.
    sought = {text: text.encode() for text in texts}
    long = {text: sign for text, sign in sought.items() if len(text) >= _SHORTEST_IN_BYTES}
    assert long, "no text is long enough to be looked for in bytes"
    # A text can only be where all its pieces are, which one pass finds for all texts.
    pieces = {
        text: {sign[at : at + _SHORTEST] for at in range(len(sign) - _SHORTEST + 1)} for text, sign in sought.items()
    }
    search = _Search(set().union(*pieces.values()))
    for name, is_compressed, content in _contents(folder):
        there = search.found(content)
        hits = {
            text
            for text, sign in (long if is_compressed else sought).items()
            if pieces[text] <= there and sign in content
        }
        if hits:
            yield name, hits


class _Search:
    """Finds which of many pieces of `_SHORTEST` bytes are in a content.

    Args:
        pieces: The pieces.
    """

    def __init__(self, pieces: set[bytes]) -> None:
        self._pieces = pieces
        # Of each of the three pairs of bytes of a piece, whether some piece has it there.
        self._pairs = np.zeros((3, 1 << 16), dtype=bool)
        for piece in pieces:
            self._pairs[range(3), np.frombuffer(piece, "<u2")] = True

    def found(self, content: bytes) -> set[bytes]:
        """The pieces that are in the content."""
        found = set[bytes]()
        for start in (0, 1) if len(content) >= _SHORTEST else ():
            pairs = np.frombuffer(content, "<u2", count=(len(content) - start) // 2, offset=start)
            first, second, third = (are[pairs] for are in self._pairs)
            places = 2 * np.flatnonzero(first[:-2] & second[1:-1] & third[2:]) + start
            found |= {content[place : place + _SHORTEST] for place in places.tolist()}
        return found & self._pieces


def ids_found(database: Path, found: set[Named]) -> dict[str, set[int]]:
    """Ids of controlled rows in columns of the published file that hold such ids, lists and paths included."""
    of_root: dict[str, set[Any]] = {}
    for root, key in found:
        of_root.setdefault(root, set()).add(key)
    hits = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for schema, table, column, kind in connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
        ).fetchall():
            root = _PATHS.get((schema, table)) if column == "path_ids" else _root_of(column)
            if root is None:
                continue
            value = f'unnest("{column}")' if kind.endswith("[]") else f'"{column}"'
            values = {row[0] for row in connection.execute(f"select {value} from {schema}.{table}").fetchall()}
            if values & of_root.get(root, set()):
                hits[f"{schema}.{table}.{column}"] = values & of_root[root]
    return hits


def _root_of(column: str) -> str | None:
    for name, root in sorted(_IDS.items(), key=lambda pair: -len(pair[0])):
        if re.search(rf"(?:^|_){name}s?{_ENDING}", column):
            return root
    return None


def _is_in(root: str, row: dict[str, Any], found: set[Named]) -> bool:
    try:
        return named(root, row) in found
    except KeyError:
        return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            # Marks of a write are ION's own, and on no published row.
            if name not in {"_etag", "Etag", "LastSessionId", "__typename"}:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _contents(folder: Path) -> Iterator[tuple[str, bool, bytes]]:
    seen = set[int]()
    for path in sorted(folder.rglob("*")):
        # One file may have two names: that of a publish and the one that readers open.
        if not path.is_file() or path.is_symlink() or path.stat().st_ino in seen:
            continue
        seen.add(path.stat().st_ino)
        name = str(path.relative_to(folder))
        yield name, path.suffix in {".parquet", ".duckdb"}, path.read_bytes()
        if path.suffix == ".parquet":
            yield (
                f"{name} (values)",
                False,
                "\n".join(
                    json.dumps(row, default=str, ensure_ascii=False) for row in pq.read_table(path).to_pylist()
                ).encode(),
            )
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                yield from ((what, False, content.encode()) for what, content in _database(name, connection))


def _database(name: str, connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    for what in ("duckdb_tables()", "duckdb_columns()", "duckdb_functions()", "duckdb_views()"):
        yield f"{name} {what}", str(connection.execute(f"select * from {what}").fetchall())
    for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
        columns = [
            c
            for (c,) in connection.execute(
                "select column_name from duckdb_columns() where schema_name = ? and table_name = ?", [schema, table]
            ).fetchall()
        ]
        texts = ", ".join(f'cast("{column}" as varchar)' for column in columns)
        rows = connection.execute(f"select concat_ws(chr(10), {texts}) from {schema}.{table}").fetchall()
        yield f"{name} {schema}.{table}", "\n".join(row[0] for row in rows)
