-- Counts the items and demands of plans, and what plan items give each other, a second time from ION's rows.
with items as (
    select
        links.plan_id,
        count(*) as item_count,
        sum(case when items.status = 'COMPLETE' then 1 else 0 end) as items_complete,
        sum(case when items.status = 'SCHEDULED' then 1 else 0 end) as items_scheduled
    from {{ source('ion', 'plan_item_plans') }} as links
    inner join {{ source('ion', 'plan_items') }} as items on links.plan_item_id = items.id
    group by links.plan_id
),

inputs as (
    select
        plan_id,
        count(*) as input_count,
        sum(case when completed_quantity >= quantity then 1 else 0 end) as inputs_complete
    from {{ source('ion', 'plan_inputs') }}
    group by plan_id
),

plans as (
    select
        plans.id,
        plans.status,
        coalesce(items.item_count, 0) as item_count,
        coalesce(items.items_complete, 0) as items_complete,
        coalesce(items.items_scheduled, 0) as items_scheduled,
        coalesce(inputs.input_count, 0) as input_count,
        coalesce(inputs.inputs_complete, 0) as inputs_complete
    from {{ source('ion', 'plans') }} as plans
    left join items on plans.id = items.plan_id
    left join inputs on plans.id = inputs.plan_id
),

given as (
    select coalesce(sum(quantity), 0) as quantity
    from {{ source('ion', 'plan_item_allocations') }}
),

allocated as (
    select
        coalesce(sum(quantity), 0) as quantity,
        count(*) as allocation_count
    from {{ ref('plan_item_allocations') }}
),

planned as (
    select
        coalesce(sum(quantity_allocated), 0) as quantity,
        coalesce(sum(parent_count), 0) as allocation_count
    from {{ ref('plan_items') }}
)

select
    'plan' as what,
    coalesce(plans.id, found.plan_id) as finding
from plans
full outer join {{ ref('plans') }} as found on plans.id = found.plan_id
where
    plans.id is null
    or found.plan_id is null
    or plans.status is distinct from found.status
    or plans.item_count <> found.item_count
    or plans.items_complete <> found.items_complete
    or plans.items_scheduled <> found.items_scheduled
    or plans.input_count <> found.input_count
    or plans.inputs_complete <> found.inputs_complete
union all
select
    'item' as what,
    coalesce(items.id, found.plan_item_id) as finding
from {{ source('ion', 'plan_items') }} as items
full outer join {{ ref('plan_items') }} as found on items.id = found.plan_item_id
where
    items.id is null
    or found.plan_item_id is null
    or items.quantity is distinct from found.quantity
    or found.is_complete is distinct from coalesce(items.status = 'COMPLETE', false)
    or (found.is_complete and found.is_late)
union all
select
    'allocations' as what,
    cast(null as bigint) as finding
from given
cross join allocated
cross join planned
where
    abs(given.quantity - allocated.quantity) > 1e-9 * abs(given.quantity)
    or abs(given.quantity - planned.quantity) > 1e-9 * abs(given.quantity)
    or allocated.allocation_count <> planned.allocation_count
