{#- The marts `rolled_throughput_yield…`, for a period of 'day', 'week' or 'month'. -#}
{% macro rolled_throughput_yield_of(period) %}
{%- set period_on = period_column(period) %}
with step_yields as (
    select
        step_id,
        part_id,
        {{ period_on }},
        sum(quantity_attempted) as quantity_attempted,
        sum(quantity_passed_first) as quantity_passed_first,
        sum(quantity_completed) as quantity_completed,
        bool_and(is_from_history) as is_from_history
    from {{ ref('int_quality__step_yields') }}
    group by step_id, part_id, {{ period_on }}
),

step_kinds as (
    select * from {{ ref('int_procedures__step_kinds') }}
    where step_kind = 'mandatory' and not is_group and procedure_id is not null
),

planned as (
    select
        procedure_id,
        count(*) as steps_mandatory
    from step_kinds
    group by procedure_id
),

executed as (
    select
        step_yields.part_id,
        step_kinds.procedure_id,
        step_yields.{{ period_on }},
        step_kinds.execution_order,
        step_yields.step_id,
        step_kinds.step_title,
        step_yields.quantity_attempted,
        step_yields.quantity_passed_first,
        step_yields.quantity_completed,
        step_yields.is_from_history,
        step_yields.quantity_passed_first / step_yields.quantity_attempted as first_pass_yield,
        step_yields.quantity_completed / step_yields.quantity_attempted as final_yield
    from step_yields
    inner join step_kinds on step_yields.step_id = step_kinds.step_id
    where step_yields.quantity_attempted > 0 and step_yields.part_id is not null
),

rolled as (
    select
        part_id,
        procedure_id,
        {{ period_on }},
        count(*) as steps_executed,
        min(quantity_attempted) as quantity_attempted_least,
        max(quantity_attempted) as quantity_attempted_most,
        {{ product_of('first_pass_yield') }} as rolled_throughput_yield,
        {{ product_of('final_yield') }} as rolled_final_yield,
        {{ list_of(struct_of([
            'step_id', 'step_title', 'quantity_attempted', 'quantity_passed_first', 'first_pass_yield'
        ]), 'execution_order, step_id') }} as steps,
        bool_and(is_from_history) as is_from_history
    from executed
    group by part_id, procedure_id, {{ period_on }}
)

select
    rolled.{{ period_on }},
    rolled.part_id,
    rolled.procedure_id,
    parts.part_number,
    parts.part_revision,
    procedures.procedure_title,
    procedures.procedure_version,
    planned.steps_mandatory,
    rolled.steps_executed,
    rolled.quantity_attempted_least,
    rolled.quantity_attempted_most,
    rolled.rolled_throughput_yield,
    rolled.rolled_final_yield,
    rolled.steps,
    rolled.is_from_history
from rolled
inner join planned on rolled.procedure_id = planned.procedure_id
left join {{ ref('stg_ion__parts') }} as parts on rolled.part_id = parts.part_id
left join {{ ref('stg_ion__procedures') }} as procedures on rolled.procedure_id = procedures.procedure_id
order by parts.part_number, rolled.part_id, rolled.procedure_id, rolled.{{ period_on }}
{% endmacro %}
