"""The checks of what was read: of each entity its number of rows, its schema and the clocks behind its watermark."""

from collections.abc import Iterable
from dataclasses import dataclass

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.extract import EntityResult
from ion_pipeline.pipeline.read_mode import ExtractReport
from ion_pipeline.plain import visible

COUNT_CHECK = "count_matches_ion"
SCHEMA_CHECK = "schema_matches_catalog"
CLOCK_CHECK = "clock_is_believed"
_WHY_UNREAD = {
    "forbidden": "ION does not let this API key read {entity}; it was left out.",
    "absent": "This tenant's schema has no {entity}; it was left out.",
}


class BlockingCheckError(IonPipelineError):
    """A blocking check failed, so nothing was published."""


@dataclass(frozen=True, slots=True)
class ReadCheck:
    """The result of one check of an entity.

    Attributes:
        entity: The entity.
        name: The check.
        passed: Whether what was read is as it should be.
        blocks: Whether the refresh stops if the check fails; otherwise a failure is a warning.
        description: What was found; empty if there is nothing to say.
    """

    entity: str
    name: str
    passed: bool
    blocks: bool
    description: str

    @property
    def sentence(self) -> str:
        """The entity, the check and what was found, for one line."""
        return f"ion/{self.entity}: {self.name}: {self.description or 'failed.'}"


def all_read_checks(report: ExtractReport) -> list[ReadCheck]:
    """The checks of all entities of a read."""
    return [check for result in report.entities for check in read_checks(report, result)]


def stop_at_blocking(checks: Iterable[ReadCheck]) -> None:
    """Raise an error if a check that blocks has failed.

    Raises:
        BlockingCheckError: At least one has failed; the message has a sentence for each.
    """
    failed = [check.sentence for check in checks if check.blocks and not check.passed]
    if failed:
        raise BlockingCheckError(
            f"{len(failed)} blocking checks failed. {' '.join(failed)}",
            remedy="No later step was run, and nothing was published.",
        )


def read_checks(report: ExtractReport, result: EntityResult) -> tuple[ReadCheck, ...]:
    """The checks of one entity of a read."""
    return count_check(result), schema_check(result), clock_check(result, report)


def count_check(result: EntityResult) -> ReadCheck:
    """Check that as many rows were read as ION counts. An unread entity is a warning, so that the run continues."""
    unread = _WHY_UNREAD.get(result.status)
    passed, blocks = True, True
    if unread:
        passed, blocks, description = False, False, unread.format(entity=result.entity)
    elif result.total_count is None:
        description = "Read inside another entity, for which ION gives no count."
    elif result.unsettled:
        passed, blocks = False, False
        description = f"{result.unsettled} rows changed again while it was read; the next refresh reads them."
    elif result.expected is not None:
        passed = result.expected == result.total_count
        description = f"{result.expected} rows after the changes, {result.total_count} counted by ION."
    else:
        passed = result.rows == result.total_count
        description = f"{result.rows} rows read, {result.total_count} counted by ION."
    return ReadCheck(result.entity, COUNT_CHECK, passed, blocks, description)


def schema_check(result: EntityResult) -> ReadCheck:
    """Check that the tenant's type matches the catalog. A missing field reads as null, so a difference is a warning."""
    found = "; ".join(f"{kind}: {', '.join(fields)}" for kind, fields in drift_of(result).items() if fields)
    is_known = not result.drift and result.status != "absent"
    if result.status == "absent":
        found = f"missing: {result.entity}"
    return ReadCheck(result.entity, SCHEMA_CHECK, is_known, blocks=False, description=visible(found))


def clock_check(result: EntityResult, report: ExtractReport) -> ReadCheck:
    """Check that the clocks behind the watermark agree. The earliest one is used, so a difference is a warning."""
    doubts = report.clock_doubts
    return ReadCheck(result.entity, CLOCK_CHECK, not doubts, blocks=False, description=visible(" ".join(doubts)))


def drift_of(result: EntityResult) -> dict[str, tuple[str, ...]]:
    """The differences between the tenant's type of an entity and the catalog, by kind."""
    drift = result.drift
    return {"missing": drift.missing, "new": drift.new, "retyped": drift.retyped, "new values": drift.new_values}
