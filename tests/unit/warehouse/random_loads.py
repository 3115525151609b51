"""Random loads, and a dictionary in plain Python that says what `raw` and `raw_history` hold after them."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
from hypothesis import strategies as st

from ion_pipeline.catalog.catalog import Table
from tests.unit.warehouse.support import House

TEXT = (
    st.none() | st.sampled_from(["", "a", "A", "a ", "é", "e\u0301", "\x00", "a\nb", "x" * 5000]) | st.text(max_size=3)
)
PRICE = st.none() | st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 0.1 + 0.2, 0.3])
INSTANT = st.none() | st.sampled_from(
    [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, UTC), datetime(1969, 12, 31, tzinfo=UTC)]
)
TAGS = st.none() | st.lists(st.none() | st.sampled_from(["", "x", "y"]), max_size=2)
ID = st.integers(1, 4)
THING = st.fixed_dictionaries({"id": ID, "name": TEXT, "price": PRICE, "_updated": INSTANT, "tags": TAGS})
ATTRIBUTE = st.fixed_dictionaries({"thing_id": ID, "key": st.sampled_from(["a", "b"]), "value": TEXT})
LINK = st.fixed_dictionaries({"thing_id": ID, "label_id": st.none() | ID})
Row = dict[str, Any]


@dataclass
class Load:
    """What one load says about the three tables."""

    strategy: str
    things: list[Row]
    attributes: list[Row]
    links: list[Row]
    gone: dict[str, list[Row]] = field(default_factory=dict)
    owners: dict[str, list[int]] = field(default_factory=dict)

    def rows(self) -> dict[str, list[Row]]:
        return {"things": self.things, "thing_attributes": self.attributes, "thing_links": self.links}


full_loads = st.builds(
    Load,
    strategy=st.just("full"),
    things=st.lists(THING, max_size=4, unique_by=lambda row: row["id"]),
    attributes=st.lists(ATTRIBUTE, max_size=6),
    links=st.lists(LINK, max_size=6),
)
incremental_loads = st.builds(
    Load,
    strategy=st.just("incremental"),
    things=st.lists(THING, max_size=3),
    attributes=st.lists(ATTRIBUTE, max_size=3),
    links=st.lists(LINK, max_size=3),
    gone=st.fixed_dictionaries(
        {
            "things": st.lists(st.fixed_dictionaries({"id": ID}), max_size=2),
            "thing_attributes": st.lists(
                ATTRIBUTE.map(lambda row: {k: row[k] for k in ("thing_id", "key")}), max_size=2
            ),
            "thing_links": st.lists(LINK, max_size=2),
        }
    ),
)


@st.composite
def loads_by_owner(draw: st.DrawFn) -> Load:
    """Some things again, each with all its attributes and links."""
    owners = draw(st.lists(ID, min_size=1, max_size=3, unique=True))
    of_owner = st.sampled_from(owners)
    attribute = st.fixed_dictionaries({"thing_id": of_owner, "key": st.sampled_from(["a", "b"]), "value": TEXT})
    link = st.fixed_dictionaries({"thing_id": of_owner, "label_id": st.none() | ID})
    return Load(
        "incremental",
        things=draw(st.lists(THING, max_size=2)),
        attributes=draw(st.lists(attribute, max_size=3)),
        links=draw(st.lists(link, max_size=3)),
        owners={"thing_attributes": owners, "thing_links": owners},
    )


class Reference:
    """One table, as slowly and plainly as can be."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.current: dict[tuple[Any, ...], tuple[Row, str, datetime]] = {}
        self.closed: list[tuple[Row, str, datetime, datetime]] = []

    def apply(self, load: Load, load_id: str, at: datetime) -> None:
        owners = load.owners.get(self.table.name, [])
        said: dict[tuple[Any, ...], Row | None] = {key: None for key in self.current if key[0] in owners}
        for row in load.rows()[self.table.name]:
            said[self.key(row)] = row
        # The writer of these tests puts tombstones last.
        for row in load.gone.get(self.table.name, []):
            said[self.key(row)] = None
        if load.strategy == "full":
            said |= {key: None for key in self.current if key not in said}
        for key, new in said.items():
            old = self.current.get(key)
            if old is not None and new is not None and self.same(old[0], new):
                continue
            if old is not None:
                self.closed.append((*old, at))
                del self.current[key]
            if new is not None:
                self.current[key] = (new, load_id, at)

    def key(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.table.key)

    def same(self, left: Row, right: Row) -> bool:
        return all(plain(left[name]) == plain(right[name]) for name in self.names)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.table.columns]

    def expected_raw(self) -> list[str]:
        return sorted(repr([*map(plain, (row[n] for n in self.names)), load]) for row, load, _ in self.current.values())

    def expected_history(self) -> list[str]:
        versions = [(*version, None) for version in self.current.values()]
        return sorted(
            repr([*map(plain, (row[n] for n in self.names)), load, since, until, until is None])
            for row, load, since, until in [*self.closed, *versions]
        )

    def assert_found(self, house: House) -> None:
        with house.opened() as connection:
            assert self.found(connection, "raw") == self.expected_raw()
            assert self.found(connection, "raw_history") == self.expected_history()

    def found(self, connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
        extra = ", valid_from, valid_to, is_current" if schema == "raw_history" else ""
        columns = ", ".join(f'"{name}"' for name in self.names)
        rows = connection.execute(f"select {columns}, _ion_load{extra} from {schema}.{self.table.name}")  # noqa: S608
        return sorted(repr([*map(plain, row)]) for row in rows.fetchall())


def plain(value: Any) -> Any:
    """NaN equals itself, zero has no sign, instants are in UTC: as SQL compares them."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value
