"""Comparison of rows in both directions, and the readers of the published file for it.

It does not know the expected rows.
"""

import math
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from numbers import Real
from pathlib import Path

import duckdb

from tests.oracle.world import Row

RELATIVE_TOLERANCE = 1e-9
_SHOWN = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

INSTALLATION_KEY = ("abom_generation", "abom_installation_id", "parent_part_inventory_id")
HIERARCHY_KEY = ("root_part_inventory_id", "path")
WHERE_USED_KEY = ("component_part_inventory_id", "ancestor_part_inventory_id")


def assert_same(expected: Sequence[Row], actual: Sequence[Row], *, key: Sequence[str]) -> None:
    """Assert that both sides hold the same rows: none missing, none extra, no column of ``expected`` different.

    Numbers agree within a relative 1e-9; columns that only ``actual`` has are ignored.

    Raises:
        AssertionError: with the differences of each kind, the first few in full; also if there is nothing to compare
            or a key occurs twice on one side.
    """
    assert expected, "nothing to compare: the expected set is empty"
    wanted, found = _keyed(expected, key, "expected"), _keyed(actual, key, "actual")
    missing = [wanted[k] for k in wanted if k not in found]
    extra = [found[k] for k in found if k not in wanted]
    different = [
        f"{dict(zip(key, k, strict=True))}: {unlike}"
        for k, row in wanted.items()
        if k in found and (unlike := _unlike(row, found[k]))
    ]
    report = [*_listed("missing", missing), *_listed("extra", extra), *_listed("different", different)]
    heading = f"{len(wanted)} rows expected, {len(found)} found, key {tuple(key)}"
    assert not report, "\n".join([heading, *report])


def warehouse_installations(path: Path | str) -> list[Row]:
    """Read ``genealogy.abom_installations`` of a published file; ``installed_at`` as an aware UTC datetime."""
    found = _select(path, "select *, epoch_us(installed_at) as microseconds from genealogy.abom_installations")
    for row in found:
        us = row.pop("microseconds")
        row["installed_at"] = None if us is None else _EPOCH + timedelta(microseconds=us)
    return found


def warehouse_hierarchy(path: Path | str) -> list[Row]:
    """Read ``genealogy.abom_hierarchy`` of a published file in printing order, with ``path`` taken from its key."""
    found = _select(path, "select * from genealogy.abom_hierarchy order by root_part_inventory_id, sort_key")
    for row in found:
        row["path"] = tuple(row["path_key"].split("/")[1:])
        row["path_ids"] = tuple(row["path_ids"])
    return found


def warehouse_where_used(path: Path | str) -> list[Row]:
    """Read ``genealogy.abom_where_used`` of a published file."""
    return _select(path, "select * from genealogy.abom_where_used")


def warehouse_rows(path: Path | str, table: str) -> list[Row]:
    """Read a table of the genealogy schema of a published file."""
    return _select(path, f"from genealogy.{table}")


def assert_prints_as_tree(tree: Sequence[Row]) -> None:
    """Assert that the rows in their order print trees: each row follows in the branch of its parent.

    Checks the order, the form of ``path_key``, and that ``path_text`` extends the parent's.

    Raises:
        AssertionError: naming the first row that is out of place.
    """
    assert tree, "nothing to compare: no tree"
    branch: list[Row] = []
    finished: set[int] = set()
    for row in tree:
        root, path = row["root_part_inventory_id"], row["path"]
        if branch and branch[0]["root_part_inventory_id"] != root:
            finished.add(branch[0]["root_part_inventory_id"])
            branch = []
        assert root not in finished, f"rows of root {root} are not contiguous"
        assert row["path_key"] == "".join(f"/{edge}" for edge in path), f"ill-formed path_key {row['path_key']!r}"
        del branch[len(path) :]
        above = branch[-1] if branch else None
        assert (above["path"] if above else None) == (path[:-1] if path else None), f"out of place: {row}"
        if above:
            assert row["path_text"].startswith(f"{above['path_text']} > "), f"{row['path_text']!r} under {above}"
        branch.append(row)


def _select(path: Path | str, sql: str) -> list[Row]:
    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        cursor = connection.execute(sql)
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]


def _keyed(found: Sequence[Row], key: Sequence[str], side: str) -> dict[tuple[object, ...], Row]:
    keyed: dict[tuple[object, ...], Row] = {}
    for row in found:
        k = tuple(row[column] for column in key)
        assert k not in keyed, f"{side}: key {dict(zip(key, k, strict=True))} occurs twice"
        keyed[k] = row
    return keyed


def _unlike(wanted: Row, found: Row) -> str:
    absent = [column for column in wanted if column not in found]
    assert not absent, f"columns missing on the actual side: {absent}"
    return ", ".join(
        f"{column} {_text(value)} expected, {_text(found[column])} found"
        for column, value in wanted.items()
        if not _equal(value, found[column])
    )


def _equal(a: object, b: object) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, Real) and isinstance(b, Real):
        return math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=0.0)
    return a == b


def _listed(kind: str, items: Sequence[object]) -> list[str]:
    if not items:
        return []
    rest = [f"    … and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return [f"  {kind}: {len(items)}", *(f"    {_text(item)}" for item in items[:_SHOWN]), *rest]


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_text(entry)}" for name, entry in value.items()) + "}"
    return f"{float(value):.12g}" if isinstance(value, Fraction | float) else str(value)


def warehouse_table(path: Path | str, table: str) -> list[Row]:
    """Read any table of a warehouse or published file, with instants as microseconds since 1970."""
    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        described = connection.execute(f"describe {table}").fetchall()
    instants = [name for name, kind, *_ in described if kind == "TIMESTAMP WITH TIME ZONE"]
    converted = ", ".join(f"epoch_us({name}) as {name}" for name in instants)
    return _select(path, f"select * {f'replace ({converted})' if converted else ''} from {table}")  # noqa: S608 -- own names
