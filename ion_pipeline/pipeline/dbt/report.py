"""The results of a build of the models, node by node."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.warehouse import Fingerprint

# dbt's statuses: of a model or seed that exists now, of a test that was evaluated, of a node that stops the build.
BUILT = frozenset({"success", "no-op"})
TESTED = frozenset({"pass", "warn", "fail", "error", "runtime error"})
FAILED = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class ChangedCount:
    """How the rows of a table differ from those that it had before; a row with another value is in both counts.

    Attributes:
        added: Rows that it has now and did not have before.
        removed: Rows that it had before and has no more.
    """

    added: int
    removed: int

    @classmethod
    def of(cls, differ: int, more: int) -> Self:
        """The count where so many rows differ, those before and those now, and there are so many more now."""
        return cls((differ + more) // 2, (differ - more) // 2)


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The result of one dbt node.

    Attributes:
        unique_id: dbt's unique id of the node, such as `model.ion_warehouse.abom_hierarchy`.
        status: dbt's status: success, pass, warn, error, fail, skipped, no-op.
        message: dbt's message, empty if none.
        seconds: Execution time.
        fingerprint: Of the rows of a table that was built; None if it was not read.
        rows: Rows of the table that a model or seed is now; None if it is a view, a test, or was not built.
        built_at: When a model was built from all rows; None if only its affected rows were replaced.
        changed: How the rows differ from those before; None if that is not known: dbt or Spark built
            it, or it is large and was built from all rows.
    """

    unique_id: str
    status: str
    message: str
    seconds: float
    fingerprint: Fingerprint | None = None
    rows: int | None = None
    built_at: datetime | None = None
    changed: ChangedCount | None = None


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The results of a dbt invocation."""

    nodes: tuple[NodeResult, ...]
    seconds: float

    def count(self, kind: str, *statuses: str) -> int:
        """Number of nodes of a kind (`model`, `test`, `seed`) and status; of any status if none is given."""
        return sum(
            node.unique_id.startswith(f"{kind}.") and (not statuses or node.status in statuses) for node in self.nodes
        )

    @property
    def warnings(self) -> tuple[NodeResult, ...]:
        """Results of the tests that warn."""
        return tuple(node for node in self.nodes if node.status == "warn")


def tested_node(manifest: Mapping[str, Any], test: str) -> str:
    """The unique id of what a test is about: its model, or the first of its models; of a source if it reads no model.

    Args:
        manifest: dbt's manifest.
        test: dbt's unique id of the test.
    """
    node = manifest["nodes"][test]
    parents = sorted(node["depends_on"]["nodes"], key=lambda parent: parent.startswith("source."))
    return str(node.get("attached_node") or parents[0])


class BuildError(IonPipelineError):
    """The build failed: a model could not be built, or a blocking test found rows.

    Attributes:
        report: The results up to the error; without nodes if dbt failed before it executed any.
    """

    def __init__(self, message: str, *, remedy: str = "", report: BuildReport) -> None:
        super().__init__(message, remedy=remedy)
        self.report = report
