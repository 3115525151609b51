"""dbt: the project, its runs as a child process, and its rendered statements executed again without it.

`build` runs dbt; `build_pending` builds what is downstream of what changed, and needs dbt only where the models changed.
"""

from ion_pipeline.pipeline.dbt.build import IndirectSelection, build, build_pending, is_built
from ion_pipeline.pipeline.dbt.project import environment, models_digest, project_dir, project_of
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport, NodeResult
from ion_pipeline.pipeline.dbt.run import is_prepared, parse_stamp, prepared_manifest, results_path, run

__all__ = [
    "BuildError",
    "BuildReport",
    "IndirectSelection",
    "NodeResult",
    "build",
    "build_pending",
    "environment",
    "is_built",
    "is_prepared",
    "models_digest",
    "parse_stamp",
    "prepared_manifest",
    "project_dir",
    "project_of",
    "results_path",
    "run",
]
