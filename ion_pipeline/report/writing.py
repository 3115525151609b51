"""Writes the report: reads the published file and writes one HTML file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.files.storage import replace_file
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.publish.read import Genealogy, open_published
from ion_pipeline.report.data import read_report
from ion_pipeline.report.page import page
from ion_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """The report that was written.

    Attributes:
        path: The file.
        bytes: Its size.
        trees: As-built trees on the page.
        top_level_units: Top-level units in the published file that have something installed.
    """

    path: Path
    bytes: int
    trees: int
    top_level_units: int


class ReportNotWrittenError(IonPipelineError):
    """The file could not be written."""


def write_report(
    settings: Settings, output: Path, *, serials: Sequence[str] = (), units: int = 100, now: datetime | None = None
) -> Written:
    """Read the published file and write the page; an existing page is replaced atomically.

    Args:
        settings: Name the data directory.
        output: The file to write.
        serials: Units whose trees are requested, by the names that `ion-pipeline abom` accepts.
        units: How many trees of top-level units to add, newest first.
        now: The time that the page shows as its own; the present if not given.

    Raises:
        NotPublishedError: There is no published file, or it lacks a table.
        UnknownUnitError: No unit has one of the names.
        AmbiguousUnitError: Several units have one of the names.
        SettingsError: The requested trees are too large for a page.
        ReportNotWrittenError: The file could not be written.
    """
    with open_published(settings.published_dir, resources_of(settings)) as (connection, path):
        genealogy = Genealogy(connection, path)
        report = read_report(
            connection,
            path,
            generated_at=now or datetime.now(UTC),
            published_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            named=[genealogy.unit(name).part_inventory_id for name in serials],
            units=units,
        )
    content = page(report).encode()
    replace_page(output, content)
    return Written(output, len(content), len(report.trees.trees), report.trees.top_level_count)


def replace_page(output: Path, content: bytes) -> None:
    """Write a file, and its folder, whole or not at all.

    Raises:
        ReportNotWrittenError: It could not be written.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        replace_file(output, content)
    except OSError as error:
        raise ReportNotWrittenError(
            f"{output} could not be written: {error.strerror or error}.", remedy="Name another file with --output."
        ) from error
