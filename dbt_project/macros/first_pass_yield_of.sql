{#- The marts `first_pass_yield…`, for a period of 'day', 'week' or 'month'. -#}
{% macro first_pass_yield_of(period) %}
{%- set period_on = period_column(period) %}
{%- set sums = [
    'quantity_attempted', 'quantity_passed_first', 'quantity_failed_first', 'quantity_failed_validation_first',
    'quantity_redlined_first', 'quantity_issue_first', 'quantity_completed', 'quantity_cancelled'
] %}
with step_yields as (
    select * from {{ ref('int_quality__step_yields') }}
),

step_kinds as (
    select * from {{ ref('int_procedures__step_kinds') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

summed as (
    select
        step_id,
        part_id,
        {{ period_on }},
        cast(sum(units_attempted) as bigint) as units_attempted,
        {%- for sum in sums %}
        sum({{ sum }}) as {{ sum }},
        {%- endfor %}
        bool_and(is_from_history) as is_from_history
    from step_yields
    group by step_id, part_id, {{ period_on }}
)

select
    {{ join_texts('/', [
        'cast(summed.step_id as string)', 'cast(summed.part_id as string)', 'cast(summed.' ~ period_on ~ ' as string)'
    ]) }} as yield_key,
    summed.{{ period_on }},
    summed.step_id,
    summed.part_id,
    parts.part_number,
    parts.part_revision,
    step_kinds.procedure_id,
    procedures.procedure_title,
    procedures.procedure_version,
    step_kinds.execution_order,
    step_kinds.step_title,
    step_kinds.step_kind,
    summed.units_attempted,
    summed.quantity_attempted,
    summed.quantity_passed_first,
    summed.quantity_passed_first / nullif(summed.quantity_attempted, 0) as first_pass_yield,
    summed.quantity_failed_first,
    summed.quantity_failed_validation_first,
    summed.quantity_redlined_first,
    summed.quantity_issue_first,
    summed.quantity_completed,
    summed.quantity_completed / nullif(summed.quantity_attempted, 0) as final_yield,
    summed.quantity_cancelled,
    coalesce(summed.is_from_history, false) as is_from_history
from summed
left join step_kinds on summed.step_id = step_kinds.step_id
left join procedures on step_kinds.procedure_id = procedures.procedure_id
left join parts on summed.part_id = parts.part_id
order by
    step_kinds.procedure_id, step_kinds.execution_order, summed.step_id, parts.part_number, summed.part_id,
    summed.{{ period_on }}
{% endmacro %}
