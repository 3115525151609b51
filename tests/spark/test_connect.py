"""A build on a cluster, over Spark Connect: its tables are those of DuckDB."""

import os
import re
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest

from ion_pipeline.ending import stop
from ion_pipeline.pipeline.dbt.process import prepared_manifest
from ion_pipeline.pipeline.dbt.spark.building import build_folder, import_tables, request_of, run_request
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import connect
from tests.documents import read_yaml
from tests.spark.comparing import difference, opened, rows, tables
from tests.spark.conftest import copied

#: A table made by recursions that run round by round, and one made from a seed.
MODELS = {("genealogy", "abom_configurations"), ("reference", "calendar")}
COMPOSE = Path(__file__).parents[2] / "docs" / "deploy" / "compose.spark.yaml"
#: What each process of the cluster logs when the next one can start.
READY = {
    "spark-master": "New state: ALIVE",
    "spark-worker": "Successfully registered with master",
    "spark-connect": "Spark Connect server started at",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of Spark Connect on a cluster of processes, started as the compose file says."""
    services = read_yaml(COMPOSE)["services"]
    folder = tmp_path_factory.mktemp("cluster")
    here = {
        "spark-master": "127.0.0.1",
        "spark-connect": "127.0.0.1",
        "0.0.0.0": "127.0.0.1",  # noqa: S104 -- of the containers
        "7077": free_port(),
        "15002": free_port(),
        services["spark-worker"]["working_dir"]: str(folder),
    }

    def moved(word: str) -> str:
        return re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], word)

    with ExitStack() as processes:
        for name, ready in READY.items():
            processes.enter_context(running([moved(word) for word in services[name]["command"]], folder, ready))
        yield moved(services["daemon"]["environment"]["ION_SPARK_REMOTE"])


@contextmanager
def running(command: list[str], folder: Path, ready: str) -> Iterator[None]:
    """A process that has logged a text; what it logs afterwards is dropped."""
    variables = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_MASTER_WEBUI_PORT": "0",
        "SPARK_WORKER_WEBUI_PORT": "0",
    }
    quiet, piped = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=quiet, stderr=piped, text=True) as process:
        assert process.stderr
        rest = Thread(target=deque, args=(process.stderr, 0))
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if ready in line:
                    break
            else:
                pytest.fail("".join(lines[-20:]))
            rest.start()
            yield
        finally:
            # Where SIGINT is ignored, as in the background of a shell, a job of Dagster leaves SIGTERM ignored too.
            stop(process)
        rest.join()


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def test_tables_that_a_cluster_builds_are_those_of_duckdb(server: str, world: Settings, tmp_path: Path) -> None:
    settings = copied(world, tmp_path, spark_remote=server)
    manifest = orjson.loads(prepared_manifest(settings).read_bytes())
    wanted = [node for node in manifest["nodes"].values() if (node["schema"], node["name"]) in MODELS]
    read = {manifest["sources"][one]["name"] for one in above(manifest, wanted) if one in manifest["sources"]}
    lines: list[str] = []
    with build_folder(settings) as folder:
        everything = request_of(settings, manifest, folder)
        request = replace(
            everything,
            tables=[table for table in everything.tables if table.name in read],
            counts={name: count for name, count in everything.counts.items() if name.split(".")[1] in read},
        )
        selection = ["--indirect-selection", "buildable", "--select", *(f"+{node['name']}" for node in wanted)]
        report = run_request(settings, request, arguments=selection, on_line=lines.append)
        with connect(settings.warehouse_path) as connection:
            for schema, table in MODELS:
                connection.execute(f"drop table {schema}.{table}")
            import_tables(connection, {"nodes": {node["unique_id"]: node for node in wanted}}, folder)
    assert {node.status for node in report.nodes} == {"success", "pass"}
    assert report.count("test") > len(MODELS)
    assert [line for line in lines if "Warning" in line] == []
    with opened(world.warehouse_path) as left, opened(settings.warehouse_path) as right:
        assert tables(right) == tables(left)
        for name in MODELS:
            expected = rows(left, *name)
            assert difference(expected, rows(right, *name)) == []
            assert expected != []


def above(manifest: dict[str, Any], nodes: list[dict[str, Any]]) -> set[str]:
    """Everything that some nodes are made from, at any depth."""
    found: set[str] = set()
    left = [node["unique_id"] for node in nodes]
    while left:
        parents = set(manifest["parent_map"].get(left.pop(), [])) - found
        found |= parents
        left += parents
    return found
