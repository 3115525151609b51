with step_yields as (
    select * from {{ ref('int_quality__step_yields') }}
),

step_kinds as (
    select * from {{ ref('int_procedures__step_kinds') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

summed as (
    select
        step_id,
        period_type,
        period_start_on,
        cast(sum(units_attempted) as bigint) as units_attempted,
        sum(quantity_attempted) as quantity_attempted,
        sum(quantity_passed_first) as quantity_passed_first,
        sum(quantity_completed) as quantity_completed,
        sum(quantity_cancelled) as quantity_cancelled,
        bool_and(is_from_history) as is_from_history
    from step_yields
    group by step_id, period_type, period_start_on
)

select
    summed.step_id,
    summed.period_type,
    summed.period_start_on,
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
    summed.quantity_completed,
    summed.quantity_completed / nullif(summed.quantity_attempted, 0) as final_yield,
    summed.quantity_cancelled,
    coalesce(summed.is_from_history, false) as is_from_history
from summed
left join step_kinds on summed.step_id = step_kinds.step_id
left join procedures on step_kinds.procedure_id = procedures.procedure_id
order by
    summed.period_type, step_kinds.procedure_id, step_kinds.execution_order, summed.step_id, summed.period_start_on
