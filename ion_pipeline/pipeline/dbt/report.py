"""What came of a build of the models, node by node."""

from dataclasses import dataclass

from ion_pipeline.errors import IonPipelineError

FAILED = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What came of one dbt node.

    Attributes:
        unique_id: dbt's name of the node, such as `model.ion_warehouse.abom_hierarchy`.
        status: dbt's word: success, pass, warn, error, fail, skipped, no-op.
        message: dbt's message, empty if none.
        seconds: Execution time.
    """

    unique_id: str
    status: str
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a dbt invocation did, node by node."""

    nodes: tuple[NodeResult, ...]
    seconds: float

    def count(self, kind: str, *statuses: str) -> int:
        """Nodes of a kind (`model`, `test`, `seed`) with one of the statuses; any status if none given."""
        return sum(
            node.unique_id.startswith(f"{kind}.") and (not statuses or node.status in statuses) for node in self.nodes
        )

    @property
    def warnings(self) -> tuple[NodeResult, ...]:
        """Tests that found something worth a look but not worth stopping for."""
        return tuple(node for node in self.nodes if node.status == "warn")


class BuildError(IonPipelineError):
    """dbt ended with an error: a model does not build or a test found rows that break a promise.

    Attributes:
        report: What dbt did until then; no nodes if it did not come that far.
    """

    def __init__(self, message: str, *, remedy: str = "", report: BuildReport) -> None:
        super().__init__(message, remedy=remedy)
        self.report = report
