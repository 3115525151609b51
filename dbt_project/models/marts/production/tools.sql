with units as (
    select * from {{ ref('int_production__tools') }}
),

loads as (
    select max(read_at) as as_of_at
    from {{ ref('stg_ion__loads') }}
),

uses as (
    select
        tool_part_inventory_id,
        count(*) as use_count,
        max(used_at) as last_used_at,
        count(*) filter (where was_overdue) as overdue_use_count,
        count(distinct case when was_overdue then part_inventory_id end) as overdue_unit_count
    from {{ ref('tool_usage') }}
    group by tool_part_inventory_id
),

-- ION's own due date comes first; it computes it from the interval, too.
dated as (
    select
        *,
        coalesce(
            service_due_at,
            {{ seconds_after('last_maintained_at', 'maintenance_interval_seconds') }}
        ) as due_at
    from units
)

select
    dated.part_inventory_id,
    dated.part_id,
    dated.part_number,
    dated.part_revision,
    dated.part_description,
    dated.serial_number,
    dated.status,
    dated.location_name,
    cast(dated.maintenance_interval_seconds as double) / 86400 as maintenance_interval_days,
    dated.last_maintained_at,
    dated.due_at,
    case
        when dated.due_at < loads.as_of_at then 'overdue'
        when dated.due_at is not null then 'in_time'
        when dated.maintenance_interval_seconds is not null then 'never_maintained'
        else 'not_required'
    end as maintenance_state,
    {{ hours_between('loads.as_of_at', 'dated.due_at') }} / 24 as days_until_due,
    dated.maintenance_status,
    coalesce(uses.use_count, 0) as use_count,
    uses.last_used_at,
    coalesce(uses.overdue_use_count, 0) as overdue_use_count,
    coalesce(uses.overdue_unit_count, 0) as overdue_unit_count,
    loads.as_of_at,
    dated.is_export_controlled
from dated
cross join loads
left join uses on dated.part_inventory_id = uses.tool_part_inventory_id
order by dated.part_inventory_id
