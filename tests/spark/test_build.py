"""Both engines build the same tables from the same loads, and their data tests say the same."""

from tests.spark.comparing import difference, opened, rows, tables
from tests.spark.conftest import Engines

#: How many public tables there are at least.
TABLES = 95


def test_all_public_tables_are_equal(engines: Engines) -> None:
    with opened(engines.duckdb.warehouse_path) as left, opened(engines.spark.warehouse_path) as right:
        expected = tables(left)
        assert tables(right) == expected
        assert len(expected) >= TABLES
        compared = {name: difference(rows(left, *name), rows(right, *name)) for name in expected}
        assert {name: found for name, found in compared.items() if found} == {}
        filled = [name for name in expected if rows(left, *name)]
    assert len(filled) > len(expected) * 0.8


def test_all_data_tests_say_the_same(engines: Engines) -> None:
    expected = {node.unique_id: node.status for node in engines.on_duckdb.nodes if node.unique_id.startswith("test.")}
    found = {node.unique_id: node.status for node in engines.on_spark.nodes if node.unique_id.startswith("test.")}
    assert found == expected
    assert set(expected.values()) <= {"pass", "warn"}
    assert len(expected) > 150


def test_nothing_is_left_of_the_build(engines: Engines) -> None:
    assert list((engines.spark.data_dir / "spark").iterdir()) == []


def test_all_models_are_built(engines: Engines) -> None:
    expected = {node.unique_id for node in engines.on_duckdb.nodes if node.unique_id.startswith("model.")}
    found = {node.unique_id for node in engines.on_spark.nodes if node.unique_id.startswith("model.")}
    assert found == expected
    assert len(found) > 300
