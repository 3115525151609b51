-- First-pass yield by day, computed from raw history without row numbers: the previous version is the one that ends
-- where a version begins, the first attempt has the smallest instant, and lots count the pieces that raw rows give for
-- that instant.
with versions as (
    select * from {{ source('ion_history', 'run_steps') }}
    where id in (select run_steps.id from {{ source('ion', 'run_steps') }} as run_steps)
),

grouping_steps as (
    select distinct parents.id
    from {{ source('ion', 'run_steps') }} as parents
    inner join {{ source('ion', 'run_steps') }} as children on parents.id = children.parent_id
    left join {{ source('ion', 'run_step_fields') }} as fields on parents.id = fields.run_step_id
    where fields.id is null and parents.type is distinct from 'DATAGRID'
),

passages as (
    select
        versions.id,
        versions.run_id,
        versions.origin_step_id,
        versions.status,
        versions.valid_from,
        case
            -- For a step without a time from ION, the first load that read it.
            when versions.end_time is null or versions.end_time = earlier.end_time
                then coalesce(versions._updated, versions.valid_from)
            else versions.end_time
        end as ended_at
    from versions
    left join versions as earlier on versions.id = earlier.id and versions.valid_from = earlier.valid_to
    where
        versions.status in ('COMPLETE', 'FAILED')
        and versions.status is distinct from earlier.status
        and versions.id not in (select grouping_steps.id from grouping_steps)
),

first_of_run_step as (
    select
        id,
        min(valid_from) as valid_from,
        count(*) as passage_count
    from passages
    group by id
),

worked as (
    select
        run_units.part_inventory_id,
        passages.ended_at as asked_at
    from passages
    inner join {{ ref('int_production__run_units') }} as run_units on passages.run_id = run_units.run_id
    where passages.ended_at is not null
),

quantities as (
    select * from {{ pieces_then('worked') }}
),

attempts as (
    select
        run_units.part_inventory_id,
        quantities.quantity,
        passages.*,
        firsts.passage_count
    from passages
    inner join first_of_run_step as firsts on passages.id = firsts.id and passages.valid_from = firsts.valid_from
    inner join {{ ref('int_production__run_units') }} as run_units on passages.run_id = run_units.run_id
    inner join quantities
        on run_units.part_inventory_id = quantities.part_inventory_id and passages.ended_at = quantities.asked_at
    where passages.origin_step_id is not null
),

first_instants as (
    select
        part_inventory_id,
        origin_step_id,
        min(ended_at) as ended_at
    from attempts
    group by part_inventory_id, origin_step_id
),

first_run_steps as (
    select
        attempts.part_inventory_id,
        attempts.origin_step_id,
        min(attempts.id) as id
    from attempts
    inner join first_instants
        on
            attempts.part_inventory_id = first_instants.part_inventory_id
            and attempts.origin_step_id = first_instants.origin_step_id
            and attempts.ended_at = first_instants.ended_at
    group by attempts.part_inventory_id, attempts.origin_step_id
),

expected as (
    select
        attempts.origin_step_id as step_id,
        {{ production_day('attempts.ended_at') }} as day_on,
        sum(attempts.quantity) as attempted,
        sum(
            case
                when
                    attempts.status = 'COMPLETE'
                    and not exists (
                        select 1 from {{ ref('int_production__findings') }} as findings
                        where
                            findings.run_step_id = attempts.id
                            and coalesce(findings.part_inventory_id, attempts.part_inventory_id)
                            = attempts.part_inventory_id
                            and (findings.found_at <= attempts.ended_at or attempts.passage_count = 1)
                    )
                    then attempts.quantity
                else 0
            end
        ) as passed
    from attempts
    inner join first_run_steps
        on attempts.part_inventory_id = first_run_steps.part_inventory_id and attempts.id = first_run_steps.id
    group by
        attempts.origin_step_id,
        {{ production_day('attempts.ended_at') }}
),

found as (
    select
        step_id,
        day_on,
        sum(quantity_attempted) as attempted,
        sum(quantity_passed_first) as passed
    from {{ ref('first_pass_yield') }}
    where units_attempted > 0
    group by step_id, day_on
)

select
    coalesce(expected.step_id, found.step_id) as step_id,
    coalesce(expected.day_on, found.day_on) as day_on,
    expected.attempted as expected_attempted,
    found.attempted as found_attempted,
    expected.passed as expected_passed,
    found.passed as found_passed
from expected
full outer join found on expected.step_id = found.step_id and expected.day_on = found.day_on
where
    (expected.attempted is null) is distinct from (found.attempted is null)
    -- Floating-point sums in another order are equal if they agree to nine digits.
    or abs(expected.attempted - found.attempted) > 1e-9 * abs(expected.attempted)
    or abs(expected.passed - found.passed) > 1e-9 * abs(expected.attempted)
union all
-- Fails if units have completed steps but none was compared.
select
    null as step_id,
    null as day_on,
    count(*) as expected_attempted,
    0 as found_attempted,
    null as expected_passed,
    null as found_passed
from {{ ref('run_steps') }}
where
    status = 'COMPLETE' and not is_group and step_id is not null and part_inventory_id is not null
    and (select count(*) from expected) = 0
having count(*) > 0
