with issues as (
    select * from {{ ref('stg_ion__issues') }}
),

dispositions as (
    select * from {{ ref('int_issues__dispositions') }}
),

periods as (
    select
        issue_id,
        min(opened_at) as opened_at,
        max(opened_at) as last_opened_at,
        count(*) as period_count,
        count(resolved_at) as resolution_count,
        max(resolved_at) as last_resolved_at,
        bool_and(is_from_history) as is_from_history
    from {{ ref('int_issues__open_periods') }}
    group by issue_id
),

units as (
    select
        issue_id,
        count(*) as unit_count,
        sum(quantity_affected) as quantity_affected,
        {%- set shown = shown_part('part_number', 'part_id') %}
        {{ list_of('distinct ' ~ shown, shown) }} as part_numbers
    from {{ ref('issue_units') }}
    group by issue_id
),

labels as (
    select
        issue_labels.issue_id,
        {{ list_of('labels.label', 'labels.label') }} as labels
    from {{ ref('stg_ion__issue_labels') }} as issue_labels
    inner join {{ ref('stg_ion__labels') }} as labels on issue_labels.label_id = labels.label_id
    group by issue_labels.issue_id
),

steps as (
    select * from {{ ref('stg_ion__run_steps') }}
),

runs as (
    select * from {{ ref('stg_ion__runs') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

lines as (
    select * from {{ ref('stg_ion__purchase_order_lines') }}
),

orders as (
    select * from {{ ref('stg_ion__purchase_orders') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

attribute_maps as (
    {{ attribute_maps('issue') }}
),

timed as (
    select
        issues.*,
        periods.opened_at,
        case when periods.period_count > 1 then periods.last_opened_at end as reopened_at,
        case when periods.period_count = periods.resolution_count then periods.last_resolved_at end as resolved_at,
        periods.last_opened_at,
        periods.period_count - 1 as reopened_count,
        periods.is_from_history
    from issues
    left join periods on issues.issue_id = periods.issue_id
)

select
    timed.issue_id,
    timed.issue_title,
    timed.status,
    timed.resolved_at is null as is_open,
    timed.opened_at,
    timed.reopened_at,
    timed.resolved_at,
    timed.reopened_count,
    timed.is_from_history,
    case
        -- ION's clock may be ahead of the clock of the last load.
        when timed.resolved_at is null
            then greatest({{ days_from(production_day('timed.last_opened_at'), last_loaded_day()) }}, 0)
    end as age_days,
    {{ hours_between('timed.last_opened_at', 'timed.resolved_at') }} / 24 as days_to_close,
    timed.issue_disposition_type_id,
    dispositions.disposition,
    dispositions.disposition_category,
    dispositions.is_scrap,
    dispositions.is_rejected,
    coalesce(units.unit_count, 0) as unit_count,
    units.quantity_affected,
    coalesce(units.part_numbers, {{ empty_list() }}) as part_numbers,
    {{ list_text('units.part_numbers') }} as part_numbers_text,
    timed.run_step_id,
    steps.run_step_title,
    steps.run_id,
    runs.run_title,
    steps.origin_step_id as step_id,
    runs.procedure_id,
    procedures.procedure_title,
    timed.purchase_order_line_id,
    lines.purchase_order_id,
    orders.supplier_id,
    suppliers.supplier_name,
    timed.must_close_by_run_step_id,
    timed.fix_part_inventory_id,
    coalesce(labels.labels, {{ empty_list() }}) as labels,
    {{ list_text('labels.labels') }} as labels_text,
    {{ words_of('timed.cause_condition') }} as cause,
    {{ words_of('timed.expected_condition') }} as expected,
    timed.is_approved,
    timed.assigned_to_id,
    assignees.user_name as assigned_to,
    attribute_maps.attributes,
    timed.created_by_id,
    creators.user_name as created_by,
    timed.updated_at,
    timed.is_export_controlled
from timed
left join dispositions on timed.issue_id = dispositions.issue_id
left join units on timed.issue_id = units.issue_id
left join labels on timed.issue_id = labels.issue_id
left join steps on timed.run_step_id = steps.run_step_id
left join runs on steps.run_id = runs.run_id
left join procedures on runs.procedure_id = procedures.procedure_id
left join lines on timed.purchase_order_line_id = lines.purchase_order_line_id
left join orders on lines.purchase_order_id = orders.purchase_order_id
left join suppliers on orders.supplier_id = suppliers.supplier_id
left join users as assignees on timed.assigned_to_id = assignees.user_id
left join users as creators on timed.created_by_id = creators.user_id
left join attribute_maps on timed.issue_id = attribute_maps.owner_id
order by timed.issue_id
