with plan_items as (
    select * from {{ ref('stg_ion__plan_items') }}
),

open_runs as (
    select
        *,
        coalesce(scheduled_start_at, due_at) as needed_at
    from {{ ref('stg_ion__runs') }}
    where coalesce(status, '') not in ('COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED')
),

units as (
    select
        inventories.*,
        labels.unit_label
    from {{ ref('stg_ion__part_inventories') }} as inventories
    inner join {{ ref('int_abom__units') }} as labels on inventories.part_inventory_id = labels.part_inventory_id
),

-- A requirement of several units is needed once, by the first of them.
waiting as (
    select distinct {{ first_element('parent_part_inventory_ids') }} as part_inventory_id
    from {{ ref('int_abom__open_requirements') }}
),

-- Of several open runs of a unit, the one that needs its parts first takes them.
runs as (
    select
        *,
        row_number() over (partition by part_inventory_id order by needed_at asc nulls last, run_id asc) as place
    from open_runs
),

-- What an item makes for another open item is a part of that item's needs, and what its runs make is one of theirs.
allocated as (
    select
        allocations.child_plan_item_id as plan_item_id,
        sum(allocations.quantity) as quantity
    from {{ ref('stg_ion__plan_item_allocations') }} as allocations
    inner join plan_items on allocations.parent_plan_item_id = plan_items.plan_item_id
    where plan_items.status is distinct from 'COMPLETE'
    group by allocations.child_plan_item_id
),

started as (
    select
        links.plan_item_id,
        sum(runs.quantity) as quantity
    from {{ ref('stg_ion__plan_item_runs') }} as links
    inner join {{ ref('stg_ion__runs') }} as runs on links.run_id = runs.run_id
    where runs.status is distinct from 'CANCELED'
    group by links.plan_item_id
),

consumers as (
    select
        'run' as consumer_type,
        runs.run_id as consumer_id,
        runs.run_title as consumer_name,
        runs.status,
        coalesce(units.part_id, runs.part_id) as part_id,
        runs.part_inventory_id,
        cast(runs.quantity as double) as quantity,
        runs.needed_at,
        runs.is_export_controlled
    from runs
    left join units on runs.part_inventory_id = units.part_inventory_id
    where runs.part_inventory_id is null or runs.place = 1
    union all
    select
        'unit' as consumer_type,
        units.part_inventory_id as consumer_id,
        units.unit_label as consumer_name,
        units.status,
        units.part_id,
        units.part_inventory_id,
        cast(null as double) as quantity,
        cast(null as {{ type_instant() }}) as needed_at,
        units.is_export_controlled
    from units
    inner join waiting on units.part_inventory_id = waiting.part_inventory_id
    left join open_runs on units.part_inventory_id = open_runs.part_inventory_id
    where open_runs.run_id is null and units.status is distinct from 'SCRAPPED'
    union all
    select
        'plan_item' as consumer_type,
        plan_items.plan_item_id as consumer_id,
        plan_items.plan_item_name as consumer_name,
        plan_items.status,
        plan_items.part_id,
        cast(null as bigint) as part_inventory_id,
        plan_items.quantity - coalesce(allocated.quantity, 0) - coalesce(started.quantity, 0) as quantity,
        coalesce(plan_items.started_at, plan_items.ended_at) as needed_at,
        plan_items.is_export_controlled
    from plan_items
    left join allocated on plan_items.plan_item_id = allocated.plan_item_id
    left join started on plan_items.plan_item_id = started.plan_item_id
    where
        plan_items.status is distinct from 'COMPLETE'
        and coalesce(plan_items.quantity - coalesce(allocated.quantity, 0) - coalesce(started.quantity, 0) > 1e-9, true)
)

-- A draft takes only what all others leave.
select
    *,
    row_number() over (
        order by
            coalesce(consumer_type = 'plan_item' and status = 'DRAFT', false) asc,
            needed_at asc nulls last,
            consumer_type desc,
            consumer_id asc
    ) as allocation_order
from consumers
where part_id is not null
