"""Writes the recall page and its CSV file from the published file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.publish.containment import READS, data_age, named_lot, read_recall
from ion_pipeline.publish.read import open_published
from ion_pipeline.report.data import require_tables
from ion_pipeline.report.recall_page import recall_csv, recall_page
from ion_pipeline.report.writing import replace_page
from ion_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class WrittenRecall:
    """The recall that was written.

    Attributes:
        path: The page.
        csv_path: The same rows as CSV.
        units: Top-level units per lot or serial.
        verdicts: One sentence per lot or serial.
        warnings: What is missing from the answers.
        read_at: When the data was read from ION.
    """

    path: Path
    csv_path: Path
    units: dict[str, int]
    verdicts: tuple[str, ...]
    warnings: tuple[str, ...]
    read_at: datetime | None


def write_recall(
    settings: Settings, output: Path, names: Sequence[str], *, now: datetime | None = None
) -> WrittenRecall:
    """Write the page, and next to it a CSV file of the same name with the ending `.csv`.

    Args:
        settings: Name the data directory.
        output: The page to write.
        names: Lot or serial numbers, or `PART:NUMBER`.
        now: The time that the page shows as its own; the present if not given.

    Raises:
        NotPublishedError: There is no published file, or it lacks a table.
        UnknownLotError: There is no lot or serial of a name.
        AmbiguousLotError: Several parts have a lot or serial of a name.
        ReportNotWrittenError: A file could not be written.
    """
    with open_published(settings.published_dir, resources_of(settings)) as (connection, path):
        require_tables(connection, path, READS)
        lots = list(dict.fromkeys(named_lot(connection, name) for name in names))
        recalls = [read_recall(connection, part, name) for part, name in lots]
        age = data_age(connection)
        published_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    csv_path = output.with_suffix(".csv")
    # A spreadsheet takes a file without a mark for one in the code page of its own system.
    replace_page(csv_path, recall_csv(recalls, age).encode("utf-8-sig"))
    content = recall_page(recalls, age, published_at=published_at, now=now or datetime.now(UTC))
    replace_page(output, content.encode())
    return WrittenRecall(
        output,
        csv_path,
        {f"{recall.part}:{recall.name}": len(recall.units) for recall in recalls},
        tuple(recall.verdict for recall in recalls),
        tuple(dict.fromkeys(f"{recall.name}: {sentence}" for recall in recalls for sentence in recall.warnings)),
        age.read_at,
    )
