"""The models of mBOM versions on random edit histories, compared with the oracle's load-by-load history."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.oracle.plan_history import PlanHistory, State
from tests.oracle.plans import Change, compared
from tests.oracle.random_plans import random_loads
from tests.oracle.world import Row, World
from tests.unit.dbt.models import PROJECT, Models

_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
_STAMPS = "created_at timestamptz, created_by_id bigint, updated_at timestamptz, updated_by_id bigint"
_SEEN = "valid_from timestamptz, valid_to timestamptz, is_current boolean"
_INPUTS = {
    "stg_ion_history__mboms": "mbom_id bigint, part_id bigint, mbom_version bigint, status varchar, "
    f"{_STAMPS}, {_SEEN}",
    "stg_ion_history__mbom_items": "mbom_item_id bigint, mbom_id bigint, part_id bigint, quantity double, "
    f"is_made_on_assembly boolean, is_deleted boolean, {_STAMPS}, {_SEEN}",
    "stg_ion_history__mbom_item_reference_designators": "mbom_item_reference_designator_id bigint, "
    f"mbom_item_id bigint, reference_designator varchar, {_STAMPS}, {_SEEN}",
    "stg_ion_history__mbom_substitutes": f"mbom_substitute_id bigint, mbom_item_id bigint, part_id bigint, {_STAMPS}, "
    f"{_SEEN}",
    "parts": "part_id bigint, part_number varchar, part_revision varchar, part_description varchar, "
    "tracking_type varchar, revision_family_id bigint, is_export_controlled boolean",
    "stg_ion__users": "user_id bigint, user_name varchar",
}
_MODELS = (
    "moments", "moment_lines", "states", "in_force", "state_lines", "state_pairs", "compared_lines", "placed_pairs",
    "line_pairs", "line_changes", "below_changes", "indirect_changes", "structures", "cycle_edges", "plan_lines",
    "assembly_paths",
)  # fmt: skip
_MARTS = ("mbom_versions", "mbom_lines", "mbom_version_changes", "mbom_hierarchy")
_COLUMNS = {
    "mboms": {"id": "mbom_id", "partId": "part_id", "version": "mbom_version", "status": "status"},
    "mbomItems": {
        "id": "mbom_item_id", "mbomId": "mbom_id", "partId": "part_id", "quantity": "quantity",
        "madeOnAssembly": "is_made_on_assembly", "_deleted": "is_deleted",
    },
    "mbomItemReferenceDesignators": {
        "id": "mbom_item_reference_designator_id", "mbomItemId": "mbom_item_id", "value": "reference_designator",
    },
    "mbomSubstitutes": {"id": "mbom_substitute_id", "mbomItemId": "mbom_item_id", "partId": "part_id"},
}  # fmt: skip
_STAGED = dict(
    zip(
        _COLUMNS,
        (
            "stg_ion_history__mboms",
            "stg_ion_history__mbom_items",
            "stg_ion_history__mbom_item_reference_designators",
            "stg_ion_history__mbom_substitutes",
        ),
        strict=True,
    )
)


@cache
def models() -> Models:
    made = Models(
        _INPUTS,
        [*(f"int_mbom__{name}" for name in _MODELS), *_MARTS],
    )
    made.connection.execute("set threads = 1; create view stg_ion__parts as from parts")
    return made


def instant(hour: Any) -> datetime | None:
    return None if hour is None else _ZERO + timedelta(hours=hour)


def hours(columns: Sequence[str]) -> str:
    """Return a select list of instants as hours."""
    return ", ".join(f"(epoch_us({name}) - {_ZERO.timestamp():.0f}000000) // 3600000000 as {name}" for name in columns)


def versions_of_rows(loads: Sequence[tuple[int, World]], entity: str) -> list[Row]:
    """Return the history of each row over the loads, as in `raw_history`: one version per distinct content."""
    found: list[Row] = []
    standing: dict[int, tuple[Row, Row]] = {}
    for hour, world in loads:
        seen = {row["id"]: row for row in world[entity]}
        for row_id in list(standing):
            if standing[row_id][0] != seen.get(row_id):
                standing.pop(row_id)[1].update(valid_to=instant(hour), is_current=False)
        for row_id, row in seen.items():
            if row_id not in standing:
                named = {column: row[field] for field, column in _COLUMNS[entity].items()}
                stamps = {"created_at": instant(row.get("_created")), "updated_at": instant(row.get("_updated"))}
                version = named | stamps | {"valid_from": instant(hour), "valid_to": None, "is_current": True}
                standing[row_id] = (row, version)
                found.append(version)
    return found


def fill(loads: Sequence[tuple[int, World]]) -> PlanHistory:
    world = loads[-1][1]
    first = {row["partNumber"]: row["id"] for row in reversed(world["parts"])}
    models().fill(
        parts=[
            {
                "part_id": row["id"],
                "part_number": row["partNumber"],
                "part_revision": row["revision"],
                "revision_family_id": first[row["partNumber"]],
            }
            for row in world["parts"]
        ],
        **{_STAGED[entity]: versions_of_rows(loads, entity) for entity in _COLUMNS},
    )
    return PlanHistory(loads)


seeds = st.integers(0, 2**32)


@pytest.mark.slow
@settings(max_examples=examples(8))
@given(seeds)
def test_versions_of_random_plans(seed: int) -> None:
    history = fill(random_loads(random.Random(seed)))
    assert_states(history)
    assert_changes(history)
    assert_equal_hashes_are_equal_trees(history)


def assert_states(history: PlanHistory) -> None:
    instants = ("valid_from", "valid_to", "in_force_from", "in_force_to", "stood_until")
    columns = f"mbom_id, state_number, status, line_count, {hours(instants)}"
    found = models().rows(f"select {columns} from mbom_versions")  # noqa: S608 -- names of this repository
    expected = [
        {
            "mbom_id": state.plan.mbom,
            "state_number": state.number,
            "status": state.plan.status,
            "line_count": len(state.plan.lines),
            **{name: getattr(state, name) for name in instants},
        }
        for states in history.states.values()
        for state in states
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def assert_changes(history: PlanHistory) -> None:
    columns = "mbom_id, state_number, change, mbom_item_id_before, mbom_item_id_after, value_before, value_after"
    rows = models().rows(f"select {columns}, {hours(['changed_at'])} from mbom_version_changes")  # noqa: S608
    found = Counter(
        ((row["mbom_id"], row["state_number"]), row["changed_at"], *as_texts(tuple(row.values())[2:7])) for row in rows
    )
    expected = Counter((key, when, *as_texts(change)) for key, when, change in history.changes())
    assert found == expected


def as_texts(change: Sequence[Any]) -> Change:
    """Return a change with its values as texts, as in the table."""
    word, before, after, old, new = change
    texts = [str(value).lower() if isinstance(value, bool) else value and str(value) for value in (old, new)]
    return word, before, after, *(None if value is None else str(value) for value in texts)  # type: ignore[return-value]


def assert_equal_hashes_are_equal_trees(history: PlanHistory) -> None:
    hashes = {
        (row["mbom_id"], row["state_number"]): row["structure_hash"]
        for row in models().rows("select mbom_id, state_number, structure_hash from mbom_versions")
    }
    trees = {state.key: history.tree(state) for states in history.states.values() for state in states}
    assert hashes.keys() == trees.keys()
    for one, its in trees.items():
        for other, others in trees.items():
            assert (hashes[one] == hashes[other]) == (its == others)


@pytest.fixture(scope="module")
def macros() -> None:
    models().connection.execute("begin")
    fill(random_loads(random.Random(1)))
    for file in sorted((PROJECT / "analyst_macros").glob("mbom_*.sql")):
        models().connection.execute(file.read_text(encoding="utf-8"))
    models().connection.execute("commit")


@pytest.mark.slow
@settings(max_examples=examples(4))
@given(seeds)
def test_compare_at_every_level(macros: None, seed: int) -> None:
    rng = random.Random(seed)
    history = fill(random_loads(rng))
    last = [states[-1] for states in history.states.values()]
    for one, other in [(rng.choice(last), rng.choice(last)) for _ in range(2)] + next_to(rng, last):
        rows = models().rows("from mbom_compare(?, ?)", [one.plan.mbom, other.plan.mbom])
        assert Counter(map(flat, rows)) == expected_between(history, one, other)


def next_to(rng: random.Random, last: list[State]) -> list[tuple[State, State]]:
    """Return pairs of versions of one part, which have more in common than random pairs."""
    pairs = [(one, other) for one in last for other in last if one.plan.part == other.plan.part]
    return rng.sample(pairs, 5)


def flat(row: Row) -> tuple[Any, ...]:
    return (
        row["change"],
        row["value_before"],
        row["value_after"],
        *map(items, (row["path_key_before"], row["path_key_after"])),
    )


def items(path_key: str | None) -> tuple[int, ...]:
    return tuple(int(step[1:]) for step in (path_key or "").split("/")[1:])


def expected_between(history: PlanHistory, one: State, other: State) -> Counter[tuple[Any, ...]]:
    sides = [(state.plan.lines, history.before(state.stood_until)) for state in (one, other)]
    found = compared(sides[0], sides[1], history.world)
    return Counter(
        {
            (word, *as_texts((word, None, None, old, now))[3:], *paths): n
            for (word, old, now, *paths), n in found.items()
        }
    )


def test_a_plan_on_a_cycle_is_shown_without_the_edges_of_the_cycle(macros: None) -> None:
    """1 plans 2, and 2 and 3 plan each other; 3 also plans 4. A single version shows the line that closes the cycle."""
    edges = [(1, 2), (2, 3), (3, 2), (3, 4)]
    stamps = {"_created": 1, "_updated": 1}
    fill([(100, {
        "parts": [{"id": part, "partNumber": f"P{part}", "revision": "A"} for part in range(1, 5)],
        "mboms": [{"id": part, "partId": part, "version": 1, "status": "RELEASED", **stamps} for part in range(1, 4)],
        "mbomItems": [
            {"id": 10 * one + other, "mbomId": one, "partId": other, "quantity": 2.0, "madeOnAssembly": False,
             "_deleted": False} for one, other in edges
        ],
        "mbomItemReferenceDesignators": [], "mbomSubstitutes": [],
    })])  # fmt: skip
    trees = {
        root: [row["path_key"] for row in models().rows("from mbom_explode(?, 'A')", [f"P{root}"])]
        for root in (1, 2, 3)
    }
    assert trees == {1: ["", "/m12"], 2: [""], 3: ["", "/m34"]}
    version = [row["path_key"] for row in models().rows("from mbom_explode_version(1)")]
    assert version == ["", "/m12", "/m12/m23", "/m12/m23/m32", "/m12/m23/m34"]
