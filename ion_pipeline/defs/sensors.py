"""What looks around by itself: for events that ION has sent, and for runs that failed."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg

from ion_pipeline.catalog.catalog import Catalog
from ion_pipeline.defs.names import entity_key
from ion_pipeline.defs.notify import failure_sensor
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.webhooks import Inbox, entities_named

# Seconds between two looks: events of one transaction come together, and a refresh is worth more than one of them.
_EVERY = 60


def make_sensors(shape: Settings, catalog: Catalog, selected: frozenset[str]) -> list[dg.SensorDefinition]:
    """Both sensors.

    Args:
        shape: The settings that the graph is made for.
        catalog: Every entity.
        selected: Names of the entities that are read here.
    """
    return [
        webhook_sensor(lambda: shape.webhook_inbox, catalog, selected),
        failure_sensor(lambda: load_settings(tenant=False), is_on=bool(shape.notify_url or shape.notify_email)),
    ]


def webhook_sensor(inbox: Callable[[], Path], catalog: Catalog, selected: frozenset[str]) -> dg.SensorDefinition:
    """Refresh the entities that events name, deletes included, and what is below them.

    The cursor is the position in the inbox: an event leads to one run. A run that fails is Dagster's to retry; what it
    would have read, the next refresh finds by itself.

    Args:
        inbox: Gives the inbox's file when the sensor looks.
        catalog: Every entity.
        selected: Names of the entities that are read here; events of others are passed over.
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
            return dg.SensorResult(skip_reason="The events name nothing that is read here.", cursor=cursor)
        if context.repository_def is None:
            raise dg.DagsterInvariantViolationError("The sensor runs in a code location only.")
        keys = [entity_key(name) for name in sorted(named)]
        below = dg.AssetSelection.assets(*keys).downstream().resolve(context.repository_def.asset_graph)
        request = dg.RunRequest(
            run_key=f"webhooks-{cursor}",
            asset_selection=sorted(below),
            tags={"ion/webhook_events": str(len(events)), "ion/entities": ",".join(sorted(named))},
        )
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return webhook_events
