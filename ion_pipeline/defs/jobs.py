"""Jobs and when they run. Schedules are here for the switch in Dagster's UI: none is on by itself."""

import dagster as dg

# ION to the published file: every asset and every check, one after the other in one process.
REFRESH = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="Read ION, load, build, test and publish.",
)

HOURLY_REFRESH = dg.ScheduleDefinition(
    name="hourly_refresh",
    job=REFRESH,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
