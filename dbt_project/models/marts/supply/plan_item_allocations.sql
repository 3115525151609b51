with allocations as (
    select * from {{ ref('stg_ion__plan_item_allocations') }}
),

items as (
    select * from {{ ref('plan_items') }}
)

select
    allocations.parent_plan_item_id,
    allocations.child_plan_item_id,
    parents.plan_item_name as parent_plan_item_name,
    parents.part_id as parent_part_id,
    parents.part_number as parent_part_number,
    parents.status as parent_status,
    children.plan_item_name as child_plan_item_name,
    children.part_id as child_part_id,
    children.part_number as child_part_number,
    children.status as child_status,
    allocations.quantity,
    children.unit_of_measure,
    allocations.mrp_job_id,
    parents.planned_start_at as parent_planned_start_at,
    coalesce(children.forecasted_end_at, children.planned_end_at) as child_end_at,
    case
        when not children.is_complete
            then
                {{ hours_between(
                    'parents.planned_start_at', 'coalesce(children.forecasted_end_at, children.planned_end_at)'
                ) }} / 24
    end as days_after_parent_begins,
    allocations.is_export_controlled
from allocations
left join items as parents on allocations.parent_plan_item_id = parents.plan_item_id
left join items as children on allocations.child_plan_item_id = children.plan_item_id
order by allocations.parent_plan_item_id, allocations.child_plan_item_id
