"""Both engines build the same tables from the same loads, and their data tests say the same."""

from tests.spark.comparing import difference, opened, rows, tables
from tests.spark.conftest import FIRST_ID, LOADS, WORLDS, Engines

#: How many public tables there are at least.
TABLES = 95


def test_what_is_compared_has_a_history_and_random_worlds(engines: Engines) -> None:
    with opened(engines.spark.warehouse_path) as warehouse:
        loads = warehouse.execute("select count(*) from ops.loads").fetchall()
        random = "select count(*) from genealogy.abom_installations where abom_installation_id >= $first"
        installed = warehouse.execute(random, {"first": FIRST_ID}).fetchall()
        versions = warehouse.execute("select count(*) from raw_history.run_steps where not is_current").fetchall()
        adopted = "select valid_to is null, count(inventory_availability) > 0 from raw_history.issue_disposition_types"
        known = warehouse.execute(f"{adopted} group by all order by all").fetchall()
    # A row that changes while its entity is read in full makes one more load, so how many depends on the machine.
    assert loads >= [(LOADS,)]
    assert installed > [(WORLDS,)]
    assert versions > [(LOADS,)]
    assert known == [(False, False), (True, True)]


def test_all_public_tables_are_equal(engines: Engines) -> None:
    with opened(engines.duckdb.warehouse_path) as left, opened(engines.spark.warehouse_path) as right:
        expected = tables(left)
        assert tables(right) == expected
        assert len(expected) >= TABLES
        of_duckdb = {name: rows(left, *name) for name in expected}
        # Two empty tables are equal whatever the engines do.
        assert [name for name, found in of_duckdb.items() if not found] == []
        compared = {name: difference(found, rows(right, *name)) for name, found in of_duckdb.items()}
        assert {name: found for name, found in compared.items() if found} == {}


def test_all_data_tests_say_the_same(engines: Engines) -> None:
    expected = {node: status for node, status in engines.on_duckdb.items() if node.startswith("test.")}
    assert {node: status for node, status in engines.on_spark.items() if node.startswith("test.")} == expected
    assert set(expected.values()) <= {"pass", "warn"}
    assert len(expected) > 150


def test_nothing_is_left_of_the_build(engines: Engines) -> None:
    assert list((engines.spark.data_dir / "spark").iterdir()) == []


def test_all_models_are_built(engines: Engines) -> None:
    expected = {node for node in engines.on_duckdb if node.startswith("model.")}
    assert {node for node in engines.on_spark if node.startswith("model.")} == expected
    assert len(expected) > 300


def test_the_job_says_what_it_built_and_publishes_it(engines: Engines) -> None:
    warned = {node.split(".")[2] for node, status in engines.on_spark.items() if status == "warn"}
    made = [node for node in engines.on_spark if node.startswith(("model.", "seed."))]
    assert {warning.split(": ")[1] for warning in engines.job.warnings} >= warned != set()
    assert engines.job.load_id
    assert engines.job.models == len(made)
    assert engines.job.checks > len(engines.on_spark) - len(made)
    assert engines.job.published
    with opened(engines.job.published) as published, opened(engines.spark.warehouse_path) as warehouse:
        name = ("genealogy", "abom_hierarchy")
        assert rows(published, *name) == rows(warehouse, *name) != []
