-- Each unit of a tool is one row of tools, each TOOL field that names one is one use, and what is overdue agrees
-- between the two tables.
with tools as (
    select units.id as part_inventory_id
    from {{ source('ion', 'part_inventories') }} as units
    left join {{ source('ion', 'parts') }} as parts on units.part_id = parts.id
    where parts.part_type = 'TOOL' or units.usage_type = 'TOOL'
),

named as (
    select
        id as result_id,
        part_inventory_id
    from {{ source('ion', 'run_step_fields') }}
    where type = 'TOOL' and part_inventory_id is not null
),

expected as (
    select
        tools.part_inventory_id,
        count(named.result_id) as use_count
    from tools
    left join named on tools.part_inventory_id = named.part_inventory_id
    group by tools.part_inventory_id
),

uses as (
    select
        tool_part_inventory_id as part_inventory_id,
        -- Cells of data grids and fields of other types may name tools, too.
        count(case when result_key like 'field-%' and field_type = 'TOOL' then 1 end) as field_count,
        count(*) as use_count,
        coalesce(sum(case when used_at > due_at then 1 else 0 end), 0) as overdue_count
    from {{ ref('tool_usage') }}
    group by tool_part_inventory_id
)

select coalesce(expected.part_inventory_id, found.part_inventory_id) as part_inventory_id
from expected
full outer join {{ ref('tools') }} as found on expected.part_inventory_id = found.part_inventory_id
left join uses on expected.part_inventory_id = uses.part_inventory_id
where
    expected.part_inventory_id is null
    or found.part_inventory_id is null
    or expected.use_count is distinct from coalesce(uses.field_count, 0)
    or found.use_count is distinct from coalesce(uses.use_count, 0)
    or found.overdue_use_count is distinct from coalesce(uses.overdue_count, 0)
    or (found.maintenance_state = 'overdue') is distinct from coalesce(found.due_at < found.as_of_at, false)
