"""Rows given against rows kept: the differences are those that plain Python finds."""

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.warehouse import diff_rows

Row = tuple[int, str | None, str | None]
TEXT, ETAG = st.sampled_from(["a", "b", None]), st.sampled_from(["x", None])
ROWS = st.lists(st.tuples(st.integers(1, 6), TEXT, ETAG), max_size=9)
BOUND = st.none() | st.integers(0, 7)


def found(kept: list[Row], given_rows: list[Row], above: int | None, until: int | None) -> dict[int, tuple[bool, bool]]:
    schema = pa.schema([("id", pa.int64()), ("key", pa.string()), ("_etag", pa.string())])
    rows = pa.Table.from_arrays([pa.array([row[n] for row in given_rows]) for n in range(3)], names=schema.names)
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create table raw.things (_etag text, id bigint, other text, key text)")
        connection.executemany("insert into raw.things (id, key, _etag) values (?, ?, ?)", kept) if kept else None
        differences = diff_rows(connection, "things", ["id"], rows.cast(schema), above=above, until=until)
    assert [key for key, _, _ in differences] == sorted(key for key, _, _ in differences)
    return {key[0]: (there, known) for key, there, known in differences}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(kept=ROWS, there=ROWS, above=BOUND, until=BOUND)
def test_what_is_only_here_or_only_there(
    kept: list[Row], there: list[Row], above: int | None, until: int | None
) -> None:
    low, high = above if above is not None else -1, until if until is not None else 99
    inside = {row for row in kept if low < row[0] <= high}
    new, old = set(there) - inside, inside - set(there)
    ids = {row[0] for row in new | old}
    wanted = {one: (one in {row[0] for row in new}, one in {row[0] for row in old}) for one in ids}
    assert found(kept, there, above, until) == wanted
