"""A refresh without Dagster: the steps of `Pipeline` one after the other, as the job `refresh` runs them.

Dagster adds seconds of CPU time to a refresh, so the command line uses it only where there is an instance that records
the runs (`DAGSTER_HOME`). A test compares what both do and say.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.dbt import NodeResult, prepared_manifest
from ion_pipeline.pipeline.dbt.report import BUILT, TESTED, tested_node
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.pipeline.read_checks import all_read_checks, stop_at_blocking
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.plain import visible
from ion_pipeline.settings import Settings

_BUILDABLE = frozenset({"model", "seed", "snapshot"})


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What a successful refresh did.

    Attributes:
        run_id: Dagster's id of the run; None without Dagster.
        load_id: The load in the lake; None if nothing was read.
        entities: Entities read.
        rows: Rows read, including those of lists in entities.
        requests: GraphQL requests of the load.
        models: dbt models and seeds built.
        up_to_date: Models and seeds that were not built, because nothing upstream of them has changed.
        checks: Checks evaluated: counts, schemas and dbt's tests.
        warnings: One sentence for each check that failed with a warning.
        published: The published file; None if nothing was published.
        seconds: Wall time of each operation: extract, load, build, publish.
    """

    run_id: str | None
    load_id: str | None
    entities: int
    rows: int
    requests: int
    models: int
    up_to_date: int
    checks: int
    warnings: tuple[str, ...]
    published: Path | None
    seconds: dict[str, float] = field(default_factory=dict)


def refresh(settings: Settings, pipeline: Pipeline, *, entities: Sequence[str] | None = None) -> RefreshResult:
    """Read what is new in ION, load, build, test and publish.

    Args:
        settings: Name the entities and the data directory.
        pipeline: The steps.
        entities: The entities to read; by default those of the settings.

    Raises:
        IonPipelineError: A step failed with this error; later steps were not run.
        BlockingCheckError: As many rows as ION counts could not be read; the published version is unchanged.
    """
    names = entities if entities is not None else selected_entities(settings)
    # Also for what is not built: the time of the last change of the models decides whether the publish is current.
    reporter = pipeline.reporter
    manifest = prepared_manifest(settings, parsing=reporter.phase("Preparing the models"), on_count=reporter.counted)
    seconds: dict[str, float] = {}
    if trouble := pipeline.target_trouble():
        pipeline.reporter.note(visible(trouble))
    with _timed(seconds, "extract"):
        read = pipeline.extract(names)
    stop_at_blocking(all_read_checks(read))
    if read.load_id is None and pipeline.is_published_current():
        return result_of(read, seconds=seconds)
    with _timed(seconds, "load"):
        pipeline.load()
    with _timed(seconds, "build"):
        built = pipeline.build()
    with _timed(seconds, "publish"):
        published = pipeline.publish()
    return result_of(read, built.nodes, orjson.loads(manifest.read_bytes()), published.database, seconds=seconds)


def selected_entities(settings: Settings) -> list[str]:
    """The names of the entities that a refresh reads."""
    catalog = data_catalog(settings.data_dir)
    return [entity.name for entity in catalog.select(settings.entities or catalog.default_selection)]


def result_of(
    read: ExtractReport,
    nodes: Sequence[NodeResult] = (),
    manifest: Mapping[str, Any] = MappingProxyType({"nodes": {}}),
    published: Path | None = None,
    *,
    seconds: dict[str, float],
    run_id: str | None = None,
) -> RefreshResult:
    """The result of a refresh, from what its steps report.

    Args:
        read: What was read.
        nodes: What was built and tested.
        manifest: dbt's manifest.
        published: The published file, if it was published.
        seconds: Wall time of each step.
        run_id: Dagster's id of the run.
    """
    checks = all_read_checks(read)
    models = sum(_kind(node.unique_id) in _BUILDABLE and node.status in BUILT for node in nodes)
    tests = [node for node in nodes if _kind(node.unique_id) == "test" and node.status in TESTED]
    return RefreshResult(
        run_id=run_id,
        load_id=read.load_id,
        entities=len(read.rows_by_entity),
        rows=sum(sum(result.tables.values()) for result in read.entities) if read.load_id else 0,
        requests=read.requests if read.load_id else 0,
        models=models,
        up_to_date=sum(_kind(name) in _BUILDABLE for name in manifest["nodes"]) - models,
        checks=len(checks) + len(tests),
        warnings=(
            *(check.sentence for check in checks if not check.passed),
            *(_sentence(manifest, node) for node in tests if node.status != "pass"),
        ),
        published=published,
        seconds=seconds,
    )


def _sentence(manifest: Mapping[str, Any], result: NodeResult) -> str:
    """The table, the test and what was found, for one line."""
    test = manifest["nodes"][result.unique_id]
    subject = tested_node(manifest, result.unique_id)
    node = manifest["nodes"].get(subject) or manifest["sources"][subject]
    table = f"{node['schema']}/{node.get('alias') or node['name']}"
    return f"{table}: {test['name']}: {visible(result.message) or 'failed.'}"


def _kind(unique_id: str) -> str:
    return unique_id.partition(".")[0]


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[step] = time.monotonic() - began
