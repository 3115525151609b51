"""What is logged about a build: one line, also where it fails. The keys are those of docs/operations.md ("Logs")."""

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec

from ion_pipeline.logs import log_done
from ion_pipeline.pipeline.dbt.report import FAILED, BuildError, BuildReport

P = ParamSpec("P")


def logs_build(build: Callable[P, BuildReport]) -> Callable[P, BuildReport]:
    """Let a function that builds models log what came of it, also where it fails."""

    @wraps(build)
    def logged(*args: P.args, **kwargs: P.kwargs) -> BuildReport:
        try:
            report = build(*args, **kwargs)
        except BuildError as error:
            _log_build(error.report, "error")
            raise
        _log_build(report, "info")
        return report

    return logged


def _log_build(report: BuildReport, level: Literal["info", "error"]) -> None:
    log_done(
        "models_built",
        level=level,
        models=report.count("model", "success"),
        tests=report.count("test"),
        failed=sum(node.status in FAILED for node in report.nodes),
        warned=len(report.warnings),
        seconds=report.seconds,
    )
