"""Writes the archive: reads the columns of the published file and writes one ZIP file."""
# ruff: noqa: S608 -- the names and expressions are constants of `datasets`

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import yaml

from ion_pipeline.dashboard.contents import CHARTS, TABS, TITLE
from ion_pipeline.dashboard.datasets import DATASETS
from ion_pipeline.dashboard.documents import Column, archive
from ion_pipeline.dashboard.model import Dataset, Filter
from ion_pipeline.dashboard.names import Document
from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.files.storage import replace_file
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.publish.errors import NotPublishedError
from ion_pipeline.publish.read import open_published
from ion_pipeline.rules import holds_password
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse.sql import identifier

_FOLDER = "ion"
_COMMENTS = "select column_name, comment from duckdb_columns() where schema_name = $schema and table_name = $table"


@dataclass(frozen=True, slots=True)
class WrittenDashboard:
    """The archive that was written.

    Attributes:
        path: The file.
        uri: The database that the dashboard reads.
        charts: Charts on it.
        datasets: Datasets that they read.
    """

    path: Path
    uri: str
    charts: int
    datasets: int


class DashboardNotWrittenError(IonPipelineError):
    """The file could not be written."""


def write_dashboard(
    settings: Settings, output: Path, *, uri: str | None = None, now: datetime | None = None
) -> WrittenDashboard:
    """Write an archive that Superset imports as a dashboard, with its charts, datasets and database.

    Args:
        settings: Name the data directory.
        output: The file to write; an existing one is replaced atomically.
        uri: SQLAlchemy's address of the published tables; the published file if not given.
        now: When the archive is made; the present if not given.

    Raises:
        NotPublishedError: There is no published file, or it lacks a table.
        SettingsError: The address holds a password, or is none.
        DashboardNotWrittenError: The file could not be written.
    """
    with open_published(settings.published_dir, resources_of(settings)) as (connection, path):
        address = _checked(uri) if uri else f"duckdb:///{path.absolute()}?access_mode=read_only"
        columns = {dataset: _columns(connection, dataset, path) for dataset in DATASETS}
        first = {one: value for tab in TABS for one in tab.filters if (value := _first(connection, one)) is not None}
    made_at = (now or datetime.now(UTC)).isoformat()
    content = _zipped(archive(TITLE, TABS, columns=columns, first=first, uri=address, timestamp=made_at))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        replace_file(output, content)
    except OSError as error:
        raise DashboardNotWrittenError(
            f"{output} could not be written: {error.strerror or error}.", remedy="Name another file with --output."
        ) from error
    return WrittenDashboard(output, address, len(CHARTS), len(DATASETS))


def _checked(uri: str) -> str:
    if holds_password(uri):
        raise SettingsError(
            "The URI holds a password, which everybody with the archive could read.",
            remedy="Leave it out; enter it in Superset, in the database connection, after the import.",
        )
    if "://" not in uri:
        raise SettingsError(f"{uri} is not a URI.", remedy="Write it as postgresql://user@host/database.")
    return uri


def _columns(connection: duckdb.DuckDBPyConnection, dataset: Dataset, path: Path) -> Sequence[Column]:
    try:
        described = connection.execute(f"describe from {_source(dataset)}").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise NotPublishedError(
            f"{path} lacks what the dashboard reads: {str(error).splitlines()[0]}",
            remedy="Run `ion-pipeline refresh` to build and publish again.",
        ) from error
    comments = dict(connection.execute(_COMMENTS, {"schema": dataset.schema, "table": dataset.name}).fetchall())
    return [Column(name, kind, comments.get(name) or "") for name, kind, *_ in described]


def _first(connection: duckdb.DuckDBPyConnection, one: Filter) -> str | None:
    """The value that a filter of one value has at first; None if readers may choose none or several, or have none."""
    if one.dataset is None or one.column is None or one.one_by is None:
        return None
    value = dict(one.dataset.computed).get(one.column, one.column)
    [metric] = [each.sql for each in one.dataset.metrics if each.name == one.one_by]
    found = connection.execute(
        f"select {value} from {_source(one.dataset)} where {value} is not null group by 1 order by {metric} desc, 1 "
        "limit 1"
    ).fetchone()
    return None if found is None else str(found[0])


def _source(dataset: Dataset) -> str:
    return f"({dataset.query})" if dataset.query else identifier(dataset.schema, dataset.name)


def _zipped(documents: dict[str, Document]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for path, document in documents.items():
            # A time of its own would make equal archives differ.
            entry = zipfile.ZipInfo(f"{_FOLDER}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return buffer.getvalue()
