"""The sensors: one for events that ION has sent, one for runs that failed."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg

from ion_pipeline.catalog.catalog import Catalog
from ion_pipeline.defs.names import READ_ENTITIES
from ion_pipeline.defs.notify import failure_sensor
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.webhooks import Inbox, entities_named

# Seconds between two evaluations: events of one transaction arrive together, and one refresh handles all of them.
_EVERY = 60


def make_sensors(shape: Settings, catalog: Catalog, selected: frozenset[str]) -> list[dg.SensorDefinition]:
    """Both sensors.

    Args:
        shape: The settings for which the graph is built.
        catalog: All entities.
        selected: Names of the entities that are read.
    """
    return [
        webhook_sensor(lambda: shape.webhook_inbox, catalog, selected),
        failure_sensor(lambda: load_settings(tenant=False), is_on=bool(shape.notify_url or shape.notify_email)),
    ]


def webhook_sensor(inbox: Callable[[], Path], catalog: Catalog, selected: frozenset[str]) -> dg.SensorDefinition:
    """A sensor that refreshes the entities that events name, including deletes, and everything downstream.

    The cursor is the position in the inbox, so an event leads to one run. Dagster retries a failed run; if it still
    fails, the next refresh reads the same changes.

    Args:
        inbox: Returns the inbox's file when the sensor is evaluated.
        catalog: All entities.
        selected: Names of the entities that are read; events of others are ignored.
    """

    @dg.sensor(
        name="webhook_events",
        job_name="refresh",
        minimum_interval_seconds=_EVERY,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Refreshes the entities that ION's webhook events name.",
    )
    def webhook_events(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        events = Inbox(inbox()).after(int(context.cursor or 0))
        if not events:
            return dg.SkipReason("No new events.")
        cursor = str(events[-1].position)
        named = {name for stored in events for name in entities_named(stored.event.resource, catalog)} & selected
        if not named:
            return dg.SensorResult(skip_reason="The events name no entity that is read.", cursor=cursor)
        tags = {"ion/webhook_events": str(len(events)), READ_ENTITIES: ",".join(sorted(named))}
        request = dg.RunRequest(run_key=f"webhooks-{cursor}", tags=tags)
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return webhook_events
