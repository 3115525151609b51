"""The dbt project: its folder, the digest of everything its results depend on, and dbt's environment variables."""

import hashlib
import os
from importlib.resources import files
from pathlib import Path

import duckdb

from ion_pipeline.pipeline import export_control
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.dbt.seeds import linked_project
from ion_pipeline.pipeline.entity_tables import published_entities
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import columns_digest


def project_dir() -> Path:
    """Folder of the dbt project: next to the package in a checkout, inside the package if it is installed."""
    package = Path(str(files("ion_pipeline")))
    checkout = package.parent / "dbt_project"
    return checkout if (checkout / "dbt_project.yml").is_file() else package / "_dbt_project"


def project_of(settings: Settings) -> Path:
    """Folder of the project that dbt reads: the shipped one, or a copy by links that has the organisation's own seeds.

    Raises:
        SettingsError: The folder of seeds cannot be used.
    """
    work = work_dir(settings)
    own = settings.seeds_dir
    project = project_dir() if own is None else linked_project(project_dir(), own.absolute(), work)
    # The partial parse stores the path of each seed, so dbt would read the seeds from the previous project.
    path_file, target = work / "project.path", Path(environment(settings)["DBT_TARGET_PATH"])
    before = path_file.read_text(encoding="utf-8") if path_file.is_file() else str(project_dir())
    if before != str(project):
        (target / "partial_parse.msgpack").unlink(missing_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        path_file.write_text(str(project), encoding="utf-8")
    return project


def environment(settings: Settings) -> dict[str, str]:
    """The variables that `dbt_project/profiles.yml` and dbt read; dbt writes all its files to the data directory."""
    work = work_dir(settings)
    return {
        "DBT_PROFILES_DIR": str(project_dir()),
        "DBT_TARGET_PATH": str(work / "target"),
        "DBT_LOG_PATH": str(work / "logs"),
        # Unit tests check the models, not the data: the test suite runs them when the models change.
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        # Relative to dbt's working directory: dbt parses the whole project again if this value changes.
        "ION_WAREHOUSE_PATH": settings.warehouse_path.name,
        "ION_DUCKDB_MEMORY_LIMIT": settings.duckdb_memory_limit,
        "ION_DUCKDB_THREADS": str(settings.duckdb_threads),
        **export_control.source_schemas(settings),
    }


def work_dir(settings: Settings) -> Path:
    """Folder of the files that dbt writes."""
    return settings.data_dir.absolute() / "dbt"


def models_digest(settings: Settings) -> str:
    """Digest of everything but rows that a build depends on: the project with its seeds, and the catalog."""
    tables = [
        (table.name, [(column.name, str(column.arrow_type)) for column in table.columns])
        for table in data_catalog(settings.data_dir).tables.values()
    ]
    control = (export_control.definition(settings), settings.publish_export_controlled)
    entities = columns_digest(published_entities(settings))
    chosen = f"{tables} {control} {entities} {settings.further_actions}"
    inputs = f"{project_digest(project_of(settings))} {duckdb.__version__} {chosen}"
    return hashlib.sha256(inputs.encode()).hexdigest()


def project_digest(project: Path) -> str:
    """Digest of all files of a project, without those that dbt writes."""
    digest = hashlib.sha256()
    for path in _files(project):
        digest.update(str(path.relative_to(project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(project: Path) -> list[Path]:
    """The project's files, sorted, without those that dbt writes; links are followed."""
    found = []
    for folder, folders, names in os.walk(project, followlinks=True):
        if Path(folder) == project:
            folders[:] = [name for name in folders if name not in {"target", "logs"}]
        found += [Path(folder, name) for name in names]
    return sorted(found)
