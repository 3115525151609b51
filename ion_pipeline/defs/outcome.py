"""An asset that was left alone while its operation went well."""

import dagster as dg
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle


def left_alone(context: dg.AssetExecutionContext, key: dg.AssetKey) -> dg.DagsterEvent:
    """Let what depends on an asset run although the asset was not materialised.

    Without this event Dagster skips every operation downstream, and one forbidden entity would stop the refresh of all
    others. With it, the asset keeps its last materialisation or none. There is no public form of it; the one event
    below is what Dagster itself emits for an output, less the materialisation.

    Args:
        context: Of the operation that makes the asset.
        key: The asset.
    """
    step = context.op_execution_context.get_step_execution_context()
    name = context.assets_def.get_output_name_for_asset_key(key)
    return dg.DagsterEvent.step_output_event(step, StepOutputData(StepOutputHandle(step.step.key, name)))
