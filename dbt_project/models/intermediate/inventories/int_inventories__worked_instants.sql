with work as (
    select * from {{ ref('int_inventories__work') }}
),

run_units as (
    select * from {{ ref('int_production__run_units') }}
),

run_steps as (
    select * from {{ ref('int_production__run_steps') }}
),

attempts as (
    select * from {{ ref('int_production__step_attempts') }}
),

instants as (
    select
        run_units.part_inventory_id,
        attempts.ended_at as worked_at
    from attempts
    inner join run_units on attempts.run_id = run_units.run_id
    union
    select
        run_units.part_inventory_id,
        run_steps.updated_at as worked_at
    from run_steps
    inner join run_units on run_steps.run_id = run_units.run_id
    where run_steps.status = 'CANCELED'
    union
    select
        part_inventory_id,
        coalesce(first_attempted_at, first_started_at) as worked_at
    from work
    union
    select
        part_inventory_id,
        opened_at as worked_at
    from {{ ref('int_issues__units') }}
)

select
    part_inventory_id,
    worked_at
from instants
where worked_at is not null
