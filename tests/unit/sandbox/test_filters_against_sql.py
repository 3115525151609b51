"""Filters, sorts and distinctOn against a database: the same rows in DuckDB, the same query in SQL."""

# ruff: noqa: S608  # the SQL is made of this file's own names; values are bound

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.world import World
from tests.examples import examples
from tests.unit.sandbox.asking import ask, engine_of, ids

Filter = dict[str, Any]

TEXTS = ["", "bolt", "Bolt", "BOLT M4", "b_lt", "100%", "a\\b", "ünder", "line\nbreak", None]
NUMBERS = [None, -3, 0, 7, 12]
COSTS = [None, 0.0, 0.25, 7.0]
INSTANTS = ["2026-03-01T08:15:00+00:00", "2026-03-01T10:15:00+02:00", "2026-03-02T00:00:00Z", "2026-04-01T00:00:00.5Z"]

PARTS = [
    {
        "id": at + 1,
        "partNumber": TEXTS[at % 9],
        "description": TEXTS[(at * 7) % 10],
        "leadTime": NUMBERS[at % 5],
        "cost": COSTS[(at // 2) % 4],
        "exportControlled": [True, False, None][at % 3],
        "trackingType": ["SERIAL", "LOT", None][(at // 3) % 3],
        "_created": INSTANTS[at % 4],
        "_updated": INSTANTS[(at * 3) % 4],
        "attributes": [{"key": key, "value": at, "Updated": INSTANTS[at % 4]} for key in ["mass", "color"][: at % 3]],
    }
    for at in range(40)
]
UNITS = [
    {
        "id": 100 + at,
        "partId": at % 45,
        "serialNumber": None if at % 4 == 0 else f"S{at % 6}",
        "quantity": float(at % 3),
        "status": ["WIP", "AVAILABLE", None][at % 3],
        "originPartInventoryId": None if at % 5 else 100 + at // 2,
    }
    for at in range(60)
]

COLUMNS: dict[str, dict[str, str]] = {
    "parts": {
        **dict.fromkeys(("id", "leadTime"), "BIGINT"),
        **dict.fromkeys(("partNumber", "description", "trackingType"), "VARCHAR"),
        "cost": "DOUBLE",
        "exportControlled": "BOOLEAN",
        **dict.fromkeys(("_created", "_updated"), "TIMESTAMPTZ"),
    },
    "units": {
        **dict.fromkeys(("id", "partId", "originPartInventoryId"), "BIGINT"),
        "serialNumber": "VARCHAR",
        "quantity": "DOUBLE",
        "status": "VARCHAR",
    },
    "attributes": {"partId": "BIGINT", "key": "VARCHAR", "_updated": "TIMESTAMPTZ"},
}
OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
LIKES = {"like": "LIKE", "ilike": "ILIKE", "notlike": "NOT LIKE", "notilike": "NOT ILIKE"}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engine_of(World(tables={"parts": PARTS, "partInventories": UNITS}))


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    attributes = [
        {"partId": part["id"], "key": one["key"], "_updated": one["Updated"]}
        for part in PARTS
        for one in part["attributes"]
    ]
    with duckdb.connect(config={"threads": 1}) as connection:
        for table, rows in (("parts", PARTS), ("units", UNITS), ("attributes", attributes)):
            columns = COLUMNS[table]
            definitions = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"CREATE TABLE {table} ({definitions})")
            holes = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({holes})", [[row[name] for name in columns] for row in rows]
            )
        yield connection


def expected_ids(database: duckdb.DuckDBPyConnection, table: str, filters: Filter, order: str = "id") -> list[int]:
    values: list[Any] = []
    where = to_sql(table, filters, values)
    return [
        row[0] for row in database.execute(f"SELECT id FROM {table} WHERE {where} ORDER BY {order}", values).fetchall()
    ]


def to_sql(table: str, filters: Filter, values: list[Any]) -> str:
    """The SQL condition for a filter; its values are appended to the parameters."""
    terms = []
    for name, given_value in filters.items():
        if name in ("or_", "and_"):
            parts = [to_sql(table, one, values) for one in given_value]
            terms.append("(" + (" OR " if name == "or_" else " AND ").join(parts) + ")" if parts else "TRUE")
        elif name == "part":
            inner = to_sql("parts", given_value, values)
            terms.append(f'EXISTS (SELECT 1 FROM parts WHERE parts.id = units."partId" AND {inner})')
        elif name == "partsInventory":
            inner = to_sql("units", given_value, values)
            terms.append(f'EXISTS (SELECT 1 FROM units WHERE units."partId" = parts.id AND {inner})')
        elif name == "attributes":
            inner = to_sql("attributes", given_value, values)
            terms.append(f'EXISTS (SELECT 1 FROM attributes WHERE attributes."partId" = parts.id AND {inner})')
        else:
            terms += [column_sql(table, name, *item, values) for item in given_value.items()]
    return " AND ".join(terms) or "TRUE"


def column_sql(table: str, name: str, operator: str, value: Any, values: list[Any]) -> str:
    column, kind = f'{table}."{name}"', COLUMNS[table][name]
    if operator == "isnull":
        return f"{column} IS {'' if value else 'NOT '}NULL"
    if operator == "in":
        values += value
        return f"{column} IN ({', '.join([f'CAST(? AS {kind})'] * len(value))})" if value else "FALSE"
    if operator in LIKES:
        values.append(value)
        return f"{column} {LIKES[operator]} ? ESCAPE '\\'"
    values.append(value)
    return f"{column} {OPERATORS[operator]} CAST(? AS {kind})"


def comparisons(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    one = st.tuples(st.sampled_from(list(OPERATORS)), values)
    many = st.tuples(st.just("in"), st.lists(values, max_size=4))
    return st.one_of(one, many, st.tuples(st.just("isnull"), st.booleans())).map(lambda item: {item[0]: item[1]})


def texts(values: list[Any]) -> st.SearchStrategy[Filter]:
    known = st.sampled_from([value for value in values if value is not None])
    patterns = st.sampled_from(["%", "b%", "%lt%", "B_lt", "bolt", "100\\%", "a\\\\b", "%\n%", "", "Ü%", "b\\_lt"])
    likes = st.tuples(st.sampled_from(list(LIKES)), patterns).map(lambda item: {item[0]: item[1]})
    return st.one_of(comparisons(known), likes)


IDS = comparisons(st.integers(95, 165).flatmap(lambda one: st.sampled_from([one, str(one)])))
SMALL_IDS = comparisons(st.integers(-1, 46).flatmap(lambda one: st.sampled_from([one, str(one)])))
PART_COLUMNS: dict[str, st.SearchStrategy[Filter]] = {
    "id": SMALL_IDS,
    "partNumber": texts(TEXTS),
    "description": texts(TEXTS),
    "leadTime": comparisons(st.sampled_from([-3, 0, 7, 8])),
    "cost": comparisons(st.sampled_from([0.0, 0.25, 1, 7])),
    "exportControlled": comparisons(st.booleans()),
    "trackingType": st.tuples(st.sampled_from(["eq", "neq"]), st.sampled_from(["SERIAL", "LOT"])).map(
        lambda i: {i[0]: i[1]}
    ),
    "_created": comparisons(st.sampled_from(INSTANTS)),
    "_updated": comparisons(st.sampled_from(INSTANTS)),
    "attributes": st.fixed_dictionaries(
        {}, optional={"key": texts(["mass", "color"]), "_updated": comparisons(st.sampled_from(INSTANTS))}
    ).filter(bool),
}
UNIT_COLUMNS: dict[str, st.SearchStrategy[Filter]] = {
    "id": IDS,
    "partId": SMALL_IDS,
    "originPartInventoryId": IDS,
    "serialNumber": texts(["S1", "S2", "S5"]),
    "quantity": comparisons(st.sampled_from([0, 1.0, 2])),
}


def objects(columns: dict[str, st.SearchStrategy[Filter]]) -> st.SearchStrategy[Filter]:
    plain = st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=2, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: columns[name] for name in names})
    )
    return st.recursive(
        plain,
        lambda inner: st.tuples(st.sampled_from(["or_", "and_"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda item: {item[0]: item[1]}
        ),
        max_leaves=4,
    )


PART_FILTERS = objects(PART_COLUMNS | {"partsInventory": objects(UNIT_COLUMNS)})
UNIT_FILTERS = objects(UNIT_COLUMNS | {"part": objects(PART_COLUMNS)})


@settings(max_examples=examples(300))
@given(filters=PART_FILTERS)
def test_filters_on_parts(engine: Engine, database: duckdb.DuckDBPyConnection, filters: Filter) -> None:
    expected = expected_ids(database, "parts", filters)
    answer = ask(
        engine,
        "query ($f: PartsInputFilters) { parts(filters: $f) { pageInfo { totalCount } edges { node { id } } } }",
        f=filters,
    )["parts"]
    assert ids(answer) == expected
    assert answer["pageInfo"]["totalCount"] == len(expected)


@settings(max_examples=examples(200))
@given(filters=UNIT_FILTERS)
def test_filters_on_units(engine: Engine, database: duckdb.DuckDBPyConnection, filters: Filter) -> None:
    expected = expected_ids(database, "units", filters)
    query = "query ($f: PartInventoriesInputFilters) { partInventories(filters: $f) { edges { node { id } } } }"
    assert ids(ask(engine, query, f=filters)["partInventories"]) == expected


SORTS = {
    "ID": "id",
    "PART_NUMBER": "partNumber",
    "DESCRIPTION": "description",
    "LEAD_TIME": "leadTime",
    "COST": "cost",
    "TRACKING_TYPE": "trackingType",
    "_CREATED": "_created",
    "_UPDATED": "_updated",
    "_EXPORT_CONTROLLED": "exportControlled",
}
sorts = st.lists(st.tuples(st.sampled_from(sorted(SORTS)), st.booleans()), max_size=3, unique_by=lambda item: item[0])


def order_by(sort: list[tuple[str, bool]]) -> str:
    # The order of nulls is PostgreSQL's documented default, which differs from DuckDB's.
    keys = [f'"{SORTS[name]}" {"DESC NULLS FIRST" if down else "ASC NULLS LAST"}' for name, down in sort]
    return ", ".join([*keys, "id"])


def enum_values(sort: list[tuple[str, bool]]) -> list[str]:
    return [f"{name}_{'DESC' if down else 'ASC'}" for name, down in sort]


@settings(max_examples=examples(150))
@given(sort=sorts, filters=PART_FILTERS)
def test_sorts(
    engine: Engine, database: duckdb.DuckDBPyConnection, sort: list[tuple[str, bool]], filters: Filter
) -> None:
    expected = expected_ids(database, "parts", filters, order_by(sort))
    query = (
        "query ($f: PartsInputFilters, $s: [PartSortEnum]) { parts(filters: $f, sort: $s) { edges { node { id } } } }"
    )
    assert ids(ask(engine, query, f=filters, s=enum_values(sort))["parts"]) == expected


@settings(max_examples=examples(100))
@given(on=sorts.filter(bool), then=sorts)
def test_distinct_on(
    engine: Engine, database: duckdb.DuckDBPyConnection, on: list[tuple[str, bool]], then: list[tuple[str, bool]]
) -> None:
    sort = on + [one for one in then if one[0] not in {name for name, _ in on}]
    columns = ", ".join(f'"{SORTS[name]}"' for name, _ in on)
    order = order_by(sort)
    sql = f"SELECT id FROM (SELECT DISTINCT ON ({columns}) * FROM parts ORDER BY {order}) ORDER BY {order}"
    expected = [row[0] for row in database.execute(sql).fetchall()]
    answer = ask(
        engine,
        """query ($d: [PartSortEnum], $s: [PartSortEnum]) {
            parts(distinctOn: $d, sort: $s) { pageInfo { totalCount } edges { node { id } } } }""",
        d=enum_values(on),
        s=enum_values(sort),
    )["parts"]
    assert ids(answer) == expected
    assert answer["pageInfo"]["totalCount"] == len(expected)
