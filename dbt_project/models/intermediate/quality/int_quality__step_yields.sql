{{ config(materialized='table') }}

with firsts as (
    select
        attempts.*,
        {{ not_first_pass_because('attempts') }} as not_first_pass_because
    from {{ ref('int_quality__unit_attempts') }} as attempts
    where attempts.unit_attempt_number = 1 and attempts.part_inventory_id is not null and attempts.step_id is not null
),

cancelled as (
    select * from {{ ref('int_quality__cancelled_steps') }}
),

counted as (
    select
        step_id,
        part_id,
        ended_on as counted_on,
        1 as units_attempted,
        quantity as quantity_attempted,
        case when is_first_pass then quantity else 0 end as quantity_passed_first,
        case when not_first_pass_because = 'failed' then quantity else 0 end as quantity_failed_first,
        case when not_first_pass_because = 'failed_validation' then quantity else 0 end
            as quantity_failed_validation_first,
        case when not_first_pass_because = 'redline' then quantity else 0 end as quantity_redlined_first,
        case when not_first_pass_because = 'issue' then quantity else 0 end as quantity_issue_first,
        case when last_outcome = 'COMPLETE' then quantity else 0 end as quantity_completed,
        0 as quantity_cancelled,
        is_from_history
    from firsts
    union all
    select
        step_id,
        part_id,
        cancelled_on as counted_on,
        0 as units_attempted,
        0 as quantity_attempted,
        0 as quantity_passed_first,
        0 as quantity_failed_first,
        0 as quantity_failed_validation_first,
        0 as quantity_redlined_first,
        0 as quantity_issue_first,
        0 as quantity_completed,
        quantity as quantity_cancelled,
        null as is_from_history
    from cancelled
)

select
    step_id,
    part_id,
    {% for period in ['day', 'week', 'month'] %}
        {{ period_of(period, 'counted_on') }} as {{ period_column(period) }},
    {% endfor %}
    sum(units_attempted) as units_attempted,
    sum(quantity_attempted) as quantity_attempted,
    sum(quantity_passed_first) as quantity_passed_first,
    sum(quantity_failed_first) as quantity_failed_first,
    sum(quantity_failed_validation_first) as quantity_failed_validation_first,
    sum(quantity_redlined_first) as quantity_redlined_first,
    sum(quantity_issue_first) as quantity_issue_first,
    sum(quantity_completed) as quantity_completed,
    sum(quantity_cancelled) as quantity_cancelled,
    bool_and(is_from_history) as is_from_history
from counted
group by step_id, part_id, counted_on
