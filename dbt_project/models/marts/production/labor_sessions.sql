with sessions as (
    select * from {{ ref('stg_ion__run_step_sessions') }}
),

run_steps as (
    select * from {{ ref('stg_ion__run_steps') }}
),

runs as (
    select * from {{ ref('stg_ion__runs') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

locations as (
    select * from {{ ref('locations') }}
),

rates as (
    select
        cast({{ organization_setting('labor_rate_per_hour') }} as double) as labor_rate_per_hour,
        {{ organization_setting('labor_rate_currency') }} as labor_rate_currency
),

timed as (
    select
        *,
        checked_out_at is null as is_open,
        {{ hours_between('checked_in_at', 'checked_out_at') }} as hours
    from sessions
)

select
    timed.run_step_id,
    timed.session_id,
    timed.created_by_id as user_id,
    users.user_name,
    timed.checked_in_at,
    timed.checked_out_at,
    timed.is_open,
    timed.hours,
    timed.hours * rates.labor_rate_per_hour as labor_cost,
    rates.labor_rate_currency as currency,
    run_steps.run_id,
    runs.run_title,
    run_steps.run_step_title,
    run_steps.status as run_step_status,
    runs.procedure_id,
    runs.part_inventory_id,
    coalesce(units.part_id, runs.part_id) as part_id,
    coalesce(units.part_number, parts.part_number) as part_number,
    coalesce(units.part_revision, parts.part_revision) as part_revision,
    units.serial_number,
    units.lot_number,
    run_steps.location_id,
    locations.location_name,
    coalesce(timed.is_export_controlled, false) as is_export_controlled
from timed
cross join rates
left join run_steps on timed.run_step_id = run_steps.run_step_id
left join runs on run_steps.run_id = runs.run_id
left join units on runs.part_inventory_id = units.part_inventory_id
left join parts on runs.part_id = parts.part_id
left join users on timed.created_by_id = users.user_id
left join locations on run_steps.location_id = locations.location_id
order by run_steps.run_id, timed.run_step_id, timed.checked_in_at, timed.session_id
