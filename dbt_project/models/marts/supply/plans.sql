with plans as (
    select * from {{ ref('stg_ion__plans') }}
),

links as (
    select * from {{ ref('stg_ion__plan_item_plans') }}
),

items as (
    select * from {{ ref('plan_items') }}
),

inputs as (
    select * from {{ ref('stg_ion__plan_inputs') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

loads as (
    select max(read_at) as as_of_at from {{ ref('stg_ion__loads') }}
),

-- Quantities are never added: items and demands are of parts in different units.
of_items as (
    select
        links.plan_id,
        count(*) as item_count,
        count(*) filter (where items.status = 'DRAFT') as items_draft,
        count(*) filter (where items.status = 'SCHEDULED') as items_scheduled,
        count(*) filter (where items.is_complete) as items_complete,
        count(*) filter (where items.is_late) as items_late,
        min(items.planned_start_at) as planned_start_at,
        max(items.planned_end_at) as planned_end_at,
        max(coalesce(items.forecasted_end_at, items.planned_end_at)) filter (where not items.is_complete)
            as forecasted_end_at
    from links
    inner join items on links.plan_item_id = items.plan_item_id
    group by links.plan_id
),

of_inputs as (
    select
        inputs.plan_id,
        count(*) as input_count,
        count(*) filter (where inputs.completed_quantity >= inputs.quantity) as inputs_complete,
        count(*) filter (where inputs.completed_quantity < inputs.quantity and inputs.due_at < loads.as_of_at)
            as inputs_late,
        min(inputs.due_at) filter (where inputs.completed_quantity < inputs.quantity) as next_due_at
    from inputs
    cross join loads
    group by inputs.plan_id
),

reserved as (
    select
        plan_id,
        count(*) as reservation_count
    from {{ ref('stg_ion__plan_reservations') }}
    group by plan_id
)

select
    plans.plan_id,
    plans.plan_name,
    plans.plan_description,
    plans.status,
    plans.is_included_in_mrp,
    plans.percent_complete,
    coalesce(of_inputs.input_count, 0) as input_count,
    coalesce(of_inputs.inputs_complete, 0) as inputs_complete,
    coalesce(of_inputs.inputs_late, 0) as inputs_late,
    of_inputs.next_due_at,
    coalesce(of_items.item_count, 0) as item_count,
    coalesce(of_items.items_draft, 0) as items_draft,
    coalesce(of_items.items_scheduled, 0) as items_scheduled,
    coalesce(of_items.items_complete, 0) as items_complete,
    coalesce(of_items.items_late, 0) as items_late,
    cast(of_items.items_complete as double) / of_items.item_count as items_complete_share,
    of_items.planned_start_at,
    of_items.planned_end_at,
    of_items.forecasted_end_at,
    of_items.forecasted_end_at > of_inputs.next_due_at as is_forecast_after_due,
    coalesce(reserved.reservation_count, 0) as reservation_count,
    plans.created_at,
    users.user_name as created_by,
    plans.updated_at
from plans
left join of_items on plans.plan_id = of_items.plan_id
left join of_inputs on plans.plan_id = of_inputs.plan_id
left join reserved on plans.plan_id = reserved.plan_id
left join users on plans.created_by_id = users.user_id
order by plans.plan_id
