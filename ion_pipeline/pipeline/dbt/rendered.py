"""What dbt rendered, kept to be executed again without dbt.

dbt remains the definition of every model and test. Its SQL depends on the project and on the columns of `raw`, not on
rows, so that after one complete build the next ones execute the same statements: dbt's own start, parsing and 200 ms of
Python for each node are most of what a small refresh costs (`benchmarks/README.md`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import duckdb
import orjson
import pyarrow.parquet as pq

from ion_pipeline.files.storage import replace_file

_FILE = "rendered.json"
_SEEDS = "seeds"
_KINDS = frozenset({"model", "test", "seed"})

Kind = Literal["model", "test", "seed"]


@dataclass(frozen=True, slots=True)
class Node:
    """One node of dbt's project with the statement that dbt executed for it.

    Attributes:
        unique_id: dbt's name of it, such as `model.ion_warehouse.abom_hierarchy`.
        name: The name that dbt selects by.
        kind: What it is.
        parents: Unique ids of the nodes that it reads; sources are not among them.
        schema: The schema of a model or seed; empty for a test.
        is_view: Whether a model is a view.
        blocking: Whether a test that finds rows stops what depends on what it tests.
        warn_if: When a test warns, as dbt words it: `!= 0`.
        error_if: The same of a blocking test that fails.
        sql: The statements that dbt executed; empty for a seed, whose rows are kept in Parquet.
    """

    unique_id: str
    name: str
    kind: Kind
    parents: tuple[str, ...]
    schema: str
    is_view: bool
    blocking: bool
    warn_if: str
    error_if: str
    sql: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """All nodes of one state of the project, and where the rows of its seeds are.

    Attributes:
        nodes: By unique id.
        seeds: Folder of the seeds' Parquet files, one for each, by name.
    """

    nodes: Mapping[str, Node]
    seeds: Path


def rendered_digest(models: str) -> str:
    """What a rendering depends on: the models' digest and the versions of what renders them."""
    return f"{models} {version('dbt-core')} {version('dbt-duckdb')}"


def keep(work: Path, digest: str, results: Sequence[Mapping[str, Any]], connection: duckdb.DuckDBPyConnection) -> None:
    """Keep what a complete build by dbt executed; the file appears once all of it is there.

    Args:
        work: dbt's folder in the data directory.
        digest: See `rendered_digest`.
        results: What `dbt_child` tells of each node.
        connection: What was built, for the seeds' rows.
    """
    (work / _SEEDS).mkdir(parents=True, exist_ok=True)
    (work / _FILE).unlink(missing_ok=True)
    nodes = [_node(result["unique_id"], result["rendered"]) for result in results if result["rendered"]]
    for node in nodes:
        if node.kind == "seed":
            rows = connection.table(f'"{node.schema}"."{node.name}"').to_arrow_table()
            pq.write_table(rows, work / _SEEDS / f"{node.name}.parquet")
    replace_file(work / _FILE, orjson.dumps({"digest": digest, "nodes": [asdict(node) for node in nodes]}))


def kept(work: Path, digest: str) -> Rendered | None:
    """What was rendered from this very state; None if nothing was, or from another."""
    file = work / _FILE
    if not file.is_file():
        return None
    document = orjson.loads(file.read_bytes())
    if document["digest"] != digest:
        return None
    nodes = (Node(**{**node, "parents": tuple(node["parents"])}) for node in document["nodes"])
    return Rendered({node.unique_id: node for node in nodes}, work / _SEEDS)


def _node(unique_id: str, told: Mapping[str, Any]) -> Node:
    kind = told["kind"]
    return Node(
        unique_id=unique_id,
        name=told["name"],
        kind=kind,
        parents=tuple(parent for parent in told["parents"] if parent.split(".")[0] in _KINDS),
        schema="" if kind == "test" else told["schema"],
        is_view=told["materialized"] == "view",
        blocking=told["severity"].upper() == "ERROR",
        warn_if=told["warn_if"],
        error_if=told["error_if"],
        sql="" if kind == "seed" else Path(told["file"]).read_text(encoding="utf-8"),
    )
