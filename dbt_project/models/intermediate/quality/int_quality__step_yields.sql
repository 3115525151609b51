{{ config(materialized='table') }}

with firsts as (
    select * from {{ ref('int_quality__unit_attempts') }}
    where unit_attempt_number = 1 and part_inventory_id is not null and step_id is not null
),

cancelled as (
    select
        run_steps.step_id,
        run_units.part_id,
        quantities.quantity,
        {{ day_in_zone('run_steps.updated_at', organization_setting('production_time_zone')) }} as cancelled_on
    from {{ ref('int_production__run_steps') }} as run_steps
    inner join {{ ref('int_production__run_units') }} as run_units on run_steps.run_id = run_units.run_id
    inner join {{ ref('int_inventories__worked_quantities') }} as quantities
        on run_units.part_inventory_id = quantities.part_inventory_id and run_steps.updated_at = quantities.worked_at
    where
        run_steps.status = 'CANCELED'
        and run_steps.step_id is not null
        and not run_steps.is_group
        and run_steps.run_step_id not in (
            select attempts.run_step_id from {{ ref('int_production__step_attempts') }} as attempts
        )
),

counted as (
    select
        step_id,
        part_id,
        ended_on as counted_on,
        1 as units_attempted,
        quantity as quantity_attempted,
        case when is_first_pass then quantity else 0 end as quantity_passed_first,
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
        0 as quantity_completed,
        quantity as quantity_cancelled,
        null as is_from_history
    from cancelled
)

{% for period_type in period_types() %}
    select
        step_id,
        part_id,
        '{{ period_type }}' as period_type,
        {{ period_start(period_type, 'counted_on') }} as period_start_on,
        sum(units_attempted) as units_attempted,
        sum(quantity_attempted) as quantity_attempted,
        sum(quantity_passed_first) as quantity_passed_first,
        sum(quantity_completed) as quantity_completed,
        sum(quantity_cancelled) as quantity_cancelled,
        bool_and(is_from_history) as is_from_history
    from counted
    group by step_id, part_id, {{ period_start(period_type, 'counted_on') }}
    {{ 'union all' if not loop.last }}
{% endfor %}
