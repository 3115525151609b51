"""Jobs and their schedules. The times, the time zone and whether schedules are on come from the settings."""

from datetime import timedelta

import dagster as dg

from ion_pipeline.defs.names import READ
from ion_pipeline.defs.operations import Unkept, steps
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.settings import Settings

# Dagster retries a failed run if the instance allows it (`run_retries` in dagster.yaml).
_MAX_RETRIES = "dagster/max_retries"
_JOBS = {
    "refresh": ("changes", "Read what is new in ION, load, build, test and publish."),
    "reconcile": ("reconcile", "Compare every row with ION, repair differences, load, build, test and publish."),
    "full_refresh": ("full", "Read all rows of ION again, load, build, test and publish."),
}


def make_jobs(settings: Settings, pipeline: Pipeline) -> list[dg.JobDefinition]:
    """Jobs from ION to the published file: every step, one after the other in one process.

    Args:
        settings: Say how often a failed run is retried.
        pipeline: The steps.
    """
    resources = {
        "pipeline": dg.ResourceDefinition.hardcoded_resource(pipeline),
        "io_manager": dg.IOManagerDefinition.hardcoded_io_manager(Unkept()),
    }
    return [
        steps.to_job(
            name,
            resource_defs=resources,
            executor_def=dg.in_process_executor,
            description=description,
            tags={READ: how, _MAX_RETRIES: str(settings.run_retries)},
        )
        for name, (how, description) in _JOBS.items()
    ]


def make_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule for each job that has a time. In `embedded` all are off, whatever the settings say.

    Args:
        settings: Give the times, the time zone, and whether schedules are on.
    """
    is_on = settings.schedules_on and settings.environment != "embedded"
    crons = {
        "refresh": settings.refresh_cron,
        "reconcile": settings.reconcile_cron,
        "full_refresh": settings.full_refresh_cron,
    }
    return [
        dg.ScheduleDefinition(
            name=f"{job}_schedule",
            job_name=job,
            cron_schedule=cron,
            execution_timezone=settings.schedule_time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED,
        )
        for job, cron in crons.items()
        if cron
    ]


def fresh_for(hours: float) -> dg.FreshnessPolicy:
    """An asset is stale if it was not checked for this many hours, with a warning after half of them."""
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours), warn_window=timedelta(hours=hours / 2))
