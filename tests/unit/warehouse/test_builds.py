"""What is known about the last build of all models, and when nothing is."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.warehouse import (
    BuiltNode,
    Fingerprint,
    begin_build,
    built_nodes,
    changed_since_build,
    connect,
    rebuild,
    record_build,
)
from tests.unit.warehouse.support import SMALL, House

LOAD_LOG = {"_ion_loads", "_ion_load_tables", "_ion_load_delays", "_ion_schema_drift"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@contextmanager
def opened(house: House) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(house.database, SMALL) as connection:
        yield connection


def load(house: House, *names: str, **tables: Any) -> None:
    house.write({"things": [{"id": number, "name": name} for number, name in enumerate(names)], **tables})
    house.load()


def build(house: House, models: str = "models") -> None:
    with opened(house) as connection:
        begun = begin_build(connection, models)
        assert begun
        record_build(connection, begun)


def changed(house: House, models: str = "models") -> frozenset[str] | None:
    with opened(house) as connection:
        return changed_since_build(connection, models)


def test_nothing_is_known_before_a_build_has_ended(house: House) -> None:
    with opened(house) as connection:
        assert begin_build(connection, "models") is None
    assert changed(house) is None
    load(house, "one")
    with opened(house) as connection:
        assert begin_build(connection, "models")
    assert changed(house) is None
    build(house)
    assert changed(house) == frozenset()


def test_what_changed_is_what_loads_after_the_build_have_changed(house: House) -> None:
    load(house, "one", thing_links=[{"thing_id": 0, "label_id": 7}])
    build(house)
    load(house, "one", thing_links=[{"thing_id": 0, "label_id": 7}])
    assert changed(house) == LOAD_LOG
    load(house, "two")
    load(house, "two", thing_attributes=[{"thing_id": 0, "key": "a", "value": "x"}])
    assert changed(house) == LOAD_LOG | {"things", "thing_attributes"}
    load(house, "two", thing_links=[])
    assert changed(house) == LOAD_LOG | {"things", "thing_attributes", "thing_links"}
    build(house)
    assert changed(house) == frozenset()


def test_a_load_during_the_build_is_not_covered_by_it(house: House) -> None:
    load(house, "one")
    with opened(house) as connection:
        begun = begin_build(connection, "models")
    load(house, "two")
    assert begun
    with opened(house) as connection:
        record_build(connection, begun)
    assert changed(house) == LOAD_LOG | {"things"}


def test_a_build_that_failed_leaves_the_note_of_the_one_before(house: House) -> None:
    load(house, "one")
    build(house)
    load(house, "two")
    with opened(house) as connection:
        assert begin_build(connection, "models")
    assert changed(house) == LOAD_LOG | {"things"}


def test_other_models_tear_the_note_up_even_if_their_build_fails(house: House) -> None:
    load(house, "one")
    build(house)
    assert changed(house, "others") is None
    assert changed(house) == frozenset()
    with opened(house) as connection:
        begin_build(connection, "others")
    assert changed(house) is None


def test_raw_made_anew_is_built_from_nothing(house: House) -> None:
    load(house, "one")
    build(house)
    rebuild(house.lake, house.database, house.tables, resources=SMALL)
    assert changed(house) is None


def test_a_warehouse_from_a_backup_knows_what_it_was_built_from(house: House, tmp_path: Path) -> None:
    load(house, "one")
    build(house)
    shutil.copy(house.database, tmp_path / "backup")
    load(house, "two")
    build(house)
    shutil.copy(tmp_path / "backup", house.database)
    house.load()
    assert changed(house) == LOAD_LOG | {"things"}


def test_a_warehouse_that_was_deleted_is_built_from_nothing(house: House) -> None:
    load(house, "one")
    build(house)
    house.database.unlink()
    house.load()
    assert changed(house) is None


def test_the_results_of_a_build_are_replaced_by_those_of_the_next(house: House) -> None:
    load(house, "one")
    results = {
        "model.p.table": BuiltNode("success", Fingerprint(3, 2**100), 0.25, datetime(2026, 1, 2, tzinfo=UTC)),
        "model.p.view": BuiltNode("success"),
        "test.p.unique": BuiltNode("warn"),
    }
    with opened(house) as connection:
        assert built_nodes(connection) == {}
        begun = begin_build(connection, "models")
        assert begun
        record_build(connection, begun, results)
    with opened(house) as connection:
        assert built_nodes(connection) == results
        record_build(connection, begun)
        assert built_nodes(connection) == {}
