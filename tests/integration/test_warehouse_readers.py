"""Analysts read while publishes go on: never a mixture, never an error, and an open file stays what it was."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.publish import publish
from ion_pipeline.warehouse import Resources

pytestmark = pytest.mark.slow

# One connection stays open throughout; others are opened anew as often as possible.
READER = """
import select, subprocess, sys, duckdb
path = sys.argv[1]
query = "select (select any_value(g) from reference.a), any_value(g), count(*) from genealogy.b"
held = duckdb.connect(path, read_only=True)
first = held.execute(query).fetchone()
print("ready", flush=True)
seen = set()
reads = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    # A process per read: the same process would share the connection it has open.
    code = "import duckdb, sys; print(*duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchone())"
    command = [sys.executable, "-c", code, path, query]
    a, b, n = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert a == b and n == "100000", (a, b, n)
    seen.add(int(a))
    assert held.execute(query).fetchone() == first
    reads += 1
print(reads, *sorted(seen))
"""


def test_readers_during_publishes(tmp_path: Path) -> None:
    database, folder = tmp_path / "warehouse.duckdb", tmp_path / "published"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema reference; create schema genealogy")
        connection.execute("create table reference.a as select i, 0 as g from range(100000) r(i)")
        connection.execute("create table genealogy.b as select i, 0 as g from range(100000) r(i)")
    publish(database, folder)
    command = [sys.executable, "-c", READER, str(folder / "ion.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        assert reader.stdin
        assert reader.stdout.readline() == "ready\n"
        for _ in range(15):
            with duckdb.connect(str(database)) as connection:
                connection.execute("begin; update reference.a set g = g + 1; update genealogy.b set g = g + 1; commit")
            publish(database, folder, resources=Resources("256MB", 1))
        reader.stdin.write("stop\n")
        reader.stdin.flush()
        reads, *seen = map(int, reader.stdout.read().split())
    assert reader.returncode == 0
    assert reads > 3
    assert len(seen) > 1, "no reader ever saw a new publish: nothing was tested"
