"""Whether a table of the load log is there, asked in every state that a connection can be in."""

from pathlib import Path

import duckdb

from ion_pipeline.warehouse import load_log


def test_a_missing_table_leaves_the_transaction_as_it_was(tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("begin transaction; create schema raw")
        assert not load_log.exists(connection)
        load_log.ensure(connection)  # Seen by this transaction alone.
        assert load_log.exists(connection)
        assert not load_log.exists(connection, "_ion_build")
        connection.execute("commit")
        assert load_log.exists(connection)
        assert load_log.applied(connection) == set()
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as source (read_only)")
        assert not load_log.exists(connection)
        assert load_log.exists(connection, catalog="source")
        assert not load_log.exists(connection, "_ion_build", catalog="source")
