"""Runs dbt as a child process, and re-executes the statements that it rendered.

`build` runs dbt. `build_pending` builds what is downstream of the changed tables, and `build_named` what is named; both
run dbt only if the models have changed.
"""

from ion_pipeline.pipeline.dbt.building import SCHEMAS, IndirectSelection, build, build_named, build_pending, is_built
from ion_pipeline.pipeline.dbt.process import (
    is_prepared,
    parse_stamp,
    prepared_manifest,
    read_results,
    results_path,
    run,
)
from ion_pipeline.pipeline.dbt.project import environment, models_digest, project_dir, project_of
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport, NodeResult
from ion_pipeline.pipeline.dbt.warned import warning_lines

__all__ = [
    "SCHEMAS",
    "BuildError",
    "BuildReport",
    "IndirectSelection",
    "NodeResult",
    "build",
    "build_named",
    "build_pending",
    "environment",
    "is_built",
    "is_prepared",
    "models_digest",
    "parse_stamp",
    "prepared_manifest",
    "project_dir",
    "project_of",
    "read_results",
    "results_path",
    "run",
    "warning_lines",
]
