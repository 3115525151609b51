"""Stores the statements that dbt rendered, so that they can be executed again without dbt.

The dbt project defines every model and test. The SQL that dbt renders depends on the project and on the columns of
`raw`, not on rows, so later builds execute the same statements. dbt's start, parsing and 200 ms of Python for each node
would be most of the cost of a small refresh (`benchmarks/README.md`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import duckdb
import orjson
import pyarrow.parquet as pq

from ion_pipeline.files.storage import replace_file
from ion_pipeline.pipeline.dbt.row_rules import AFFECTED_BY, ROWS_BY, RowRule, row_rule

_FILE = "rendered.json"
_SEEDS = "seeds"
_KINDS = frozenset({"model", "test", "seed"})

Kind = Literal["model", "test", "seed"]


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the dbt project with the statement that dbt executed for it.

    Attributes:
        unique_id: dbt's unique id, such as `model.ion_warehouse.abom_hierarchy`.
        name: The name for dbt's node selection.
        kind: Model, test or seed.
        parents: Unique ids of the nodes that it reads, without sources.
        schema: The schema of a model or seed; empty for a test.
        is_view: Whether a model is a view.
        blocking: Whether a test has the severity `error`: if it fails, nodes downstream of what it tests are skipped.
        warn_if: dbt's `warn_if` condition of a test, such as `!= 0`.
        error_if: dbt's `error_if` condition of a test.
        sql: The statements that dbt executed; empty for a seed, whose rows are stored as Parquet.
        meta: What the `meta` of a model says about affected rows, see `row_rules`.
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
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> RowRule | None:
        """Which rows a change affects; None if every change affects all rows."""
        return row_rule(self.meta)


@dataclass(frozen=True, slots=True)
class Rendered:
    """All nodes of one state of the project, and the rows of its seeds.

    Attributes:
        nodes: The nodes by unique id.
        seeds: Folder with one Parquet file for each seed, named after it.
    """

    nodes: Mapping[str, Node]
    seeds: Path


def rendered_digest(models: str) -> str:
    """Key of the rendered statements: the models' digest and the versions of dbt and its adapter."""
    return f"{models} {version('dbt-core')} {version('dbt-duckdb')}"


def save_rendered(
    work: Path, digest: str, results: Sequence[Mapping[str, Any]], connection: duckdb.DuckDBPyConnection
) -> None:
    """Store the statements of a complete dbt build; the file appears only after all of them are stored.

    Args:
        work: dbt's folder in the data directory.
        digest: See `rendered_digest`.
        results: The result of each node, as `child` writes it.
        connection: The warehouse that was built, to read the rows of the seeds.
    """
    (work / _SEEDS).mkdir(parents=True, exist_ok=True)
    (work / _FILE).unlink(missing_ok=True)
    nodes = [_node(result["unique_id"], result["rendered"]) for result in results if result["rendered"]]
    for node in nodes:
        if node.kind == "seed":
            rows = connection.table(f'"{node.schema}"."{node.name}"').to_arrow_table()
            pq.write_table(rows, work / _SEEDS / f"{node.name}.parquet")
    replace_file(work / _FILE, orjson.dumps({"digest": digest, "nodes": [asdict(node) for node in nodes]}))


def load_rendered(work: Path, digest: str) -> Rendered | None:
    """The stored statements with this digest; None if there are none."""
    file = work / _FILE
    if not file.is_file():
        return None
    document = orjson.loads(file.read_bytes())
    if document["digest"] != digest:
        return None
    nodes = (Node(**{**node, "parents": tuple(node["parents"])}) for node in document["nodes"])
    return Rendered({node.unique_id: node for node in nodes}, work / _SEEDS)


def _node(unique_id: str, fields: Mapping[str, Any]) -> Node:
    kind = fields["kind"]
    return Node(
        unique_id=unique_id,
        name=fields["name"],
        kind=kind,
        parents=tuple(parent for parent in fields["parents"] if parent.split(".")[0] in _KINDS),
        schema="" if kind == "test" else fields["schema"],
        is_view=fields["materialized"] == "view",
        blocking=fields["severity"].upper() == "ERROR",
        warn_if=fields["warn_if"],
        error_if=fields["error_if"],
        sql="" if kind == "seed" else Path(fields["file"]).read_text(encoding="utf-8"),
        meta={name: fields["meta"][name] for name in (ROWS_BY, AFFECTED_BY) if name in fields["meta"]},
    )
