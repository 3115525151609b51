with uses as (
    select * from {{ ref('step_results') }}
    where entered_part_inventory_id is not null
),

tools as (
    select * from {{ ref('int_production__tools') }}
),

-- ION keeps only the last maintenance; the loads have seen those before it since the first.
maintained as (
    select distinct
        part_inventory_id,
        last_maintained_at as maintained_at
    from {{ ref('stg_ion_history__part_inventories') }}
    where last_maintained_at is not null
),

before as (
    select
        uses.result_key,
        max(case when maintained.maintained_at <= uses.recorded_at then maintained.maintained_at end)
            as maintained_before_at
    from uses
    inner join maintained on uses.entered_part_inventory_id = maintained.part_inventory_id
    group by uses.result_key
),

timed as (
    select
        uses.*,
        tools.part_id as tool_part_id,
        tools.part_number as tool_part_number,
        tools.part_revision as tool_part_revision,
        tools.is_export_controlled as is_tool_controlled,
        before.maintained_before_at,
        {{ seconds_after('before.maintained_before_at', 'tools.maintenance_interval_seconds') }} as due_at
    from uses
    left join tools on uses.entered_part_inventory_id = tools.part_inventory_id
    left join before on uses.result_key = before.result_key
    where tools.part_inventory_id is not null or uses.field_type = 'TOOL'
)

select
    result_key,
    entered_part_inventory_id as tool_part_inventory_id,
    tool_part_id,
    tool_part_number,
    tool_part_revision,
    entered_serial_number as tool_serial_number,
    recorded_at as used_at,
    recorded_by_id as used_by_id,
    recorded_by as used_by,
    maintained_before_at,
    due_at,
    recorded_at > due_at as was_overdue,
    field_type,
    field_name,
    is_cancelled,
    run_step_id,
    run_step_title,
    step_id,
    run_id,
    procedure_id,
    procedure_title,
    procedure_version,
    part_inventory_id,
    part_id,
    part_number,
    part_revision,
    serial_number,
    lot_number,
    is_export_controlled or coalesce(is_tool_controlled, false) as is_export_controlled
from timed
order by tool_part_inventory_id, used_at, result_key
