"""The steps of a refresh with settings and a reporter filled in; also the resource that Dagster's operations call."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ion_pipeline.pipeline import dbt, steps
from ion_pipeline.pipeline.dbt.report import BuildReport
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.reconcile import ReconcileReport, reconcile
from ion_pipeline.pipeline.status import is_published_current
from ion_pipeline.pipeline.steps import ExtractReport, ReadMode
from ion_pipeline.pipeline.target import check_target
from ion_pipeline.plain import visible
from ion_pipeline.publish import PublishReport
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import LoadReport


@dataclass(frozen=True)
class Pipeline:
    """The steps of one tenant and one data directory; the Dagster resource `pipeline`.

    Attributes:
        settings: Returns the settings when a step runs, so that the graph can be loaded without credentials.
        reporter: Receives the progress of the steps.
        on_line: Receives each line that dbt prints; dbt's own log has them in any case.
        mode: How ION is read; by default only changes.
    """

    settings: Callable[[], Settings]
    reporter: Reporter = field(default_factory=NullReporter)
    on_line: Callable[[str], None] | None = None
    mode: ReadMode = field(default_factory=ReadMode)

    def extract(self, entities: Sequence[str], *, full: bool = False) -> ExtractReport:
        """Read the changes of entities, or all their rows, into a load of the lake; errors as `steps.extract`."""
        mode = replace(self.mode, full=True) if full else self.mode
        return steps.extract(self.settings(), entities=entities, mode=mode, reporter=self.reporter)

    def target_trouble(self) -> str:
        """What is wrong with the target that a publish is sent to, if anything; errors as `target.check_target`."""
        return check_target(self.settings(), reporter=self.reporter)

    def reconcile(self, entities: Sequence[str]) -> ReconcileReport:
        """Compare every row of entities with ION and repair differences; errors as `reconcile.reconcile`."""
        accept = self.mode.accept_deletes
        return reconcile(self.settings(), entities=entities, accept_deletes=accept, reporter=self.reporter)

    def is_published_current(self) -> bool:
        """Whether the published file contains all loads; errors as `status.is_published_current`."""
        return is_published_current(self.settings())

    def load(self) -> LoadReport:
        """Apply the loads the warehouse does not have yet; errors as `steps.load`."""
        return steps.load(self.settings(), reporter=self.reporter)

    def build(self, names: Sequence[str] | None = None) -> BuildReport:
        """Build and test the named models, or those downstream of changed tables; errors as `dbt.build`."""
        settings, on_line, on_count = self.settings(), self.on_line, self.reporter.counted
        with self.reporter.phase("Building the models"):
            if names is None:
                report = dbt.build_pending(settings, on_line=on_line, on_count=on_count)
            else:
                report = dbt.build_named(settings, names, on_line=on_line, on_count=on_count)
        for line in dbt.warning_lines(report):
            self.reporter.note(line)
        return report

    def publish(self) -> PublishReport:
        """Write the files that readers open; errors as `steps.publish`."""
        return steps.publish(self.settings(), reporter=self.reporter)


def real_pipeline(settings: Settings | None, reporter: Reporter | None, mode: ReadMode | None = None) -> Pipeline:
    """The resource that runs the steps of `pipeline`; tests pass another one.

    Args:
        settings: The settings; without them each step reads them from the environment.
        reporter: Receives the progress; without one, dbt's lines go to standard output, for Dagster's run page.
        mode: How ION is read.
    """
    return Pipeline(
        settings=lambda: settings or load_settings(),
        reporter=reporter or NullReporter(),
        on_line=None if reporter else _to_standard_output,
        mode=mode or ReadMode(),
    )


def _to_standard_output(line: str) -> None:
    sys.stdout.write(f"{visible(line)}\n")
