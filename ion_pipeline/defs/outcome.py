"""The event for an asset that its operation did not materialise although the operation succeeded."""

import dagster as dg
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle


def output_without_materialization(context: dg.AssetExecutionContext, key: dg.AssetKey) -> dg.DagsterEvent:
    """The event that lets operations downstream of an asset run although the asset was not materialised.

    Without this event Dagster skips every operation downstream, and one forbidden entity would stop the refresh of all
    others. With it, the asset keeps its last materialisation, if any. Dagster has no public API for this: the event is
    the one that Dagster itself emits for an output, without the materialisation.

    Args:
        context: Context of the operation that makes the asset.
        key: The asset.
    """
    step = context.op_execution_context.get_step_execution_context()
    name = context.assets_def.get_output_name_for_asset_key(key)
    return dg.DagsterEvent.step_output_event(step, StepOutputData(StepOutputHandle(step.step.key, name)))
