"""The dbt project: where it is, what decides its result, and the environment that dbt gets. Knows no model by name."""

import hashlib
import os
from importlib.resources import files
from pathlib import Path

import duckdb

from ion_pipeline.pipeline import export_control
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.dbt.seeds import linked_project
from ion_pipeline.settings import Settings


def project_dir() -> Path:
    """The dbt project: beside the package in a checkout, inside it once installed."""
    package = Path(str(files("ion_pipeline")))
    checkout = package.parent / "dbt_project"
    return checkout if (checkout / "dbt_project.yml").is_file() else package / "_dbt_project"


def project_of(settings: Settings) -> Path:
    """The project that dbt reads: the shipped one, or one with the organisation's own seeds in it.

    Raises:
        SettingsError: What is in the folder of seeds cannot be used.
    """
    work = work_dir(settings)
    own = settings.seeds_dir
    project = project_dir() if own is None else linked_project(project_dir(), own.absolute(), work)
    # dbt remembers of each seed where it was, and would read it there again.
    remembered, target = work / "project.path", Path(environment(settings)["DBT_TARGET_PATH"])
    before = remembered.read_text(encoding="utf-8") if remembered.is_file() else str(project_dir())
    if before != str(project):
        (target / "partial_parse.msgpack").unlink(missing_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        remembered.write_text(str(project), encoding="utf-8")
    return project


def environment(settings: Settings) -> dict[str, str]:
    """What `dbt_project/profiles.yml` reads, and dbt's own variables: all that dbt writes goes to the data dir."""
    work = work_dir(settings)
    return {
        "DBT_PROFILES_DIR": str(project_dir()),
        "DBT_TARGET_PATH": str(work / "target"),
        "DBT_LOG_PATH": str(work / "logs"),
        # Unit tests are about the models, not about the data: they run when the models change, with the other tests.
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        # From where dbt runs. dbt parses everything anew when what it connects to has another name.
        "ION_WAREHOUSE_PATH": settings.warehouse_path.name,
        "ION_DUCKDB_MEMORY_LIMIT": settings.duckdb_memory_limit,
        "ION_DUCKDB_THREADS": str(settings.duckdb_threads),
        **export_control.source_schemas(settings),
    }


def work_dir(settings: Settings) -> Path:
    """Where dbt writes."""
    return settings.data_dir.absolute() / "dbt"


def models_digest(settings: Settings) -> str:
    """Of all that decides what is built from the same rows: the project, seeds included, and what `raw` looks like."""
    tables = [
        (table.name, [(column.name, str(column.arrow_type)) for column in table.columns])
        for table in data_catalog(settings.data_dir).tables.values()
    ]
    control = (export_control.definition(settings), settings.publish_export_controlled)
    made_of = f"{project_digest(project_of(settings))} {duckdb.__version__} {tables} {control}"
    return hashlib.sha256(made_of.encode()).hexdigest()


def project_digest(project: Path) -> str:
    """Of every file of a project, whatever dbt has written beside them."""
    digest = hashlib.sha256()
    for path in _files(project):
        digest.update(str(path.relative_to(project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(project: Path) -> list[Path]:
    """The project's files in order, through links too, without what dbt writes."""
    found = []
    for folder, folders, names in os.walk(project, followlinks=True):
        if Path(folder) == project:
            folders[:] = [name for name in folders if name not in {"target", "logs"}]
        found += [Path(folder, name) for name in names]
    return sorted(found)
