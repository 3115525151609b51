"""Jobs and when they run. The clock, the time zone and whether schedules are on come from the settings."""

from datetime import timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from ion_pipeline.defs.names import READ
from ion_pipeline.settings import Settings

# A run that failed starts again by itself, if the instance allows it (`run_retries` in dagster.yaml).
_MAX_RETRIES = "dagster/max_retries"
_HOW = {
    "refresh": ("changes", "Read what is new in ION, load, build, test and publish."),
    "reconcile": ("reconcile", "Compare every row with ION, repair what drifted, load, build, test and publish."),
    "full_refresh": ("full", "Read all rows of ION again, load, build, test and publish."),
}


def make_jobs(settings: Settings) -> list[UnresolvedAssetJobDefinition]:
    """ION to the published file: every asset and every check, one after the other in one process.

    Args:
        settings: How often a failed run is tried again.
    """
    return [
        dg.define_asset_job(
            name,
            selection=dg.AssetSelection.all(),
            executor_def=dg.in_process_executor,
            description=description,
            tags={READ: how, _MAX_RETRIES: str(settings.run_retries)},
        )
        for name, (how, description) in _HOW.items()
    ]


def make_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule for each job that has a time. None is on in `embedded`, whatever the settings say.

    Args:
        settings: The times, the time zone, and whether they are on.
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
    """What was not looked at for so many hours is stale, with a warning at half of them; nothing new is fresh, too."""
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours), warn_window=timedelta(hours=hours / 2))
