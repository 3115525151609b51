"""What the assets call: the steps of a refresh, with settings and a listener filled in."""

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
        settings: Gives the settings when a step runs, so that a graph can be shown before anyone has credentials.
        reporter: Hears how the steps go.
        on_line: Gets each line dbt prints; they are in dbt's own log in any case.
        mode: Changes only, unless told otherwise.
    """

    settings: Callable[[], Settings]
    reporter: Reporter = field(default_factory=NullReporter)
    on_line: Callable[[str], None] | None = None
    mode: ReadMode = field(default_factory=ReadMode)

    def extract(self, entities: Sequence[str], *, full: bool = False) -> ExtractReport:
        """Read what is new of entities of ION, or all of them, into a load of the lake; errors as `steps.extract`."""
        mode = replace(self.mode, full=True) if full else self.mode
        return steps.extract(self.settings(), entities=entities, mode=mode, reporter=self.reporter)

    def target_trouble(self) -> str:
        """What is wrong for now with the place that a publish is sent to; errors as `target.check_target`."""
        return check_target(self.settings(), reporter=self.reporter)

    def reconcile(self, entities: Sequence[str]) -> ReconcileReport:
        """Compare every row of entities with ION and repair what differs; errors as `reconcile.reconcile`."""
        accept = self.mode.accept_deletes
        return reconcile(self.settings(), entities=entities, accept_deletes=accept, reporter=self.reporter)

    def is_published_current(self) -> bool:
        """Whether readers have everything that has been read; errors as `status.is_published_current`."""
        return is_published_current(self.settings())

    def load(self) -> LoadReport:
        """Apply the loads the warehouse does not have yet; errors as `steps.load`."""
        return steps.load(self.settings(), reporter=self.reporter)

    def build(self, names: Sequence[str] | None = None) -> BuildReport:
        """Build and test what has these names, or what is downstream of what changed; errors as `dbt.build`."""
        with self.reporter.phase("Building the models"):
            if names is None:
                return dbt.build_pending(self.settings(), on_line=self.on_line)
            return dbt.build(self.settings(), select=names, indirect_selection="empty", on_line=self.on_line)

    def publish(self) -> PublishReport:
        """Write what readers open; errors as `steps.publish`."""
        return steps.publish(self.settings(), reporter=self.reporter)


def real_pipeline(settings: Settings | None, reporter: Reporter | None, mode: ReadMode | None = None) -> Pipeline:
    """The steps themselves.

    Args:
        settings: Read from the environment by each step if not given.
        reporter: Without one it is Dagster's run page that shows what dbt prints: standard output.
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
