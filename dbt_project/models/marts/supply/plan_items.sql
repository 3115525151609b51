with items as (
    select * from {{ ref('stg_ion__plan_items') }}
),

plans as (
    select * from {{ ref('stg_ion__plans') }}
),

allocations as (
    select * from {{ ref('stg_ion__plan_item_allocations') }}
),

parts as (
    select * from {{ ref('parts') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

loads as (
    select max(read_at) as as_of_at from {{ ref('stg_ion__loads') }}
),

of_plans as (
    select
        links.plan_item_id,
        {{ ids_of('links.plan_id') }} as plan_ids,
        {{ ids_of('plans.plan_name') }} as plan_names
    from {{ ref('stg_ion__plan_item_plans') }} as links
    left join plans on links.plan_id = plans.plan_id
    group by links.plan_item_id
),

of_inputs as (
    select
        links.plan_item_id,
        min(inputs.due_at) as due_at
    from {{ ref('stg_ion__plan_item_inputs') }} as links
    inner join {{ ref('stg_ion__plan_inputs') }} as inputs on links.plan_input_id = inputs.plan_input_id
    group by links.plan_item_id
),

supplied as (
    select
        child_plan_item_id as plan_item_id,
        count(*) as parent_count,
        sum(quantity) as quantity_allocated
    from allocations
    group by child_plan_item_id
),

supplying as (
    select
        parent_plan_item_id as plan_item_id,
        count(*) as child_count
    from allocations
    group by parent_plan_item_id
),

results as (
    {% for what, links in [
        ('run', ref('stg_ion__plan_item_runs')),
        ('purchase_order_line', ref('stg_ion__plan_item_purchase_order_lines')),
        ('part_inventory', ref('stg_ion__plan_item_part_inventories')),
        ('issue', ref('stg_ion__plan_item_issues')),
    ] %}
        select
            plan_item_id,
            '{{ what }}' as what
        from {{ links }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

of_results as (
    select
        plan_item_id,
        count(*) filter (where what = 'run') as run_count,
        count(*) filter (where what = 'purchase_order_line') as order_line_count,
        count(*) filter (where what = 'part_inventory') as inventory_count,
        count(*) filter (where what = 'issue') as issue_count
    from results
    group by plan_item_id
)

select
    items.plan_item_id,
    items.plan_item_name,
    coalesce(of_plans.plan_ids, {{ empty_list() }}) as plan_ids,
    {{ list_text('of_plans.plan_ids') }} as plan_ids_text,
    coalesce(of_plans.plan_names, {{ empty_list() }}) as plan_names,
    {{ list_text('of_plans.plan_names') }} as plan_names_text,
    items.status,
    items.percent_complete,
    items.part_id,
    parts.part_number,
    parts.part_revision,
    items.quantity,
    parts.unit_of_measure,
    items.is_ready,
    items.is_exploded,
    items.is_latest,
    items.mrp_job_id,
    items.procedure_id,
    procedures.procedure_title,
    items.supplier_id,
    suppliers.supplier_name,
    items.assigned_to_id,
    users.user_name as assigned_to,
    items.started_at as planned_start_at,
    items.ended_at as planned_end_at,
    items.forecasted_start_at,
    items.forecasted_end_at,
    of_inputs.due_at,
    coalesce(supplied.parent_count, 0) as parent_count,
    coalesce(supplying.child_count, 0) as child_count,
    coalesce(supplied.quantity_allocated, 0) as quantity_allocated,
    coalesce(of_results.run_count, 0) as run_count,
    coalesce(of_results.order_line_count, 0) as order_line_count,
    coalesce(of_results.inventory_count, 0) as inventory_count,
    coalesce(of_results.issue_count, 0) as issue_count,
    coalesce(items.status = 'COMPLETE', false) as is_complete,
    case when items.status = 'COMPLETE' then false else items.ended_at < loads.as_of_at end as is_late,
    case
        when items.status = 'COMPLETE' then null
        else {{ hours_between('items.ended_at', 'items.forecasted_end_at') }} / 24
    end as forecast_slip_days,
    loads.as_of_at,
    items.created_at,
    items.updated_at,
    coalesce(items.is_export_controlled, false) as is_export_controlled
from items
cross join loads
left join of_plans on items.plan_item_id = of_plans.plan_item_id
left join of_inputs on items.plan_item_id = of_inputs.plan_item_id
left join supplied on items.plan_item_id = supplied.plan_item_id
left join supplying on items.plan_item_id = supplying.plan_item_id
left join of_results on items.plan_item_id = of_results.plan_item_id
left join parts on items.part_id = parts.part_id
left join procedures on items.procedure_id = procedures.procedure_id
left join suppliers on items.supplier_id = suppliers.supplier_id
left join {{ ref('stg_ion__users') }} as users on items.assigned_to_id = users.user_id
order by items.plan_item_id
