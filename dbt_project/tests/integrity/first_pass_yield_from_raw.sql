-- First-pass yield by day, computed from raw history without row numbers: the previous version is the one that ends
-- where a version begins, the first attempt has the smallest instant, and lots count the pieces that raw rows give for
-- that instant.
with versions as (
    -- A step that has moved counts in its run of today.
    select
        versions.id,
        run_steps.run_id,
        run_steps.origin_step_id,
        versions.status,
        versions.end_time,
        versions._updated,
        versions.valid_from,
        versions.valid_to
    from {{ source('ion_history', 'run_steps') }} as versions
    inner join {{ source('ion', 'run_steps') }} as run_steps on versions.id = run_steps.id
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

-- The passages of one run step, in the order in which they were read. Their instants may have any order.
neighbours as (
    select
        passages.id,
        passages.valid_from,
        max(others.valid_from) filter (where others.valid_from < passages.valid_from) as valid_from_before,
        max(others.valid_from) as valid_from_last
    from passages
    inner join passages as others on passages.id = others.id
    group by passages.id, passages.valid_from
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
        neighbours.valid_from_before is null as is_first_passage,
        neighbours.valid_from_last = passages.valid_from as is_last_passage,
        before.ended_at as ended_before
    from passages
    inner join neighbours on passages.id = neighbours.id and passages.valid_from = neighbours.valid_from
    left join passages as before on neighbours.id = before.id and neighbours.valid_from_before = before.valid_from
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

-- At one instant, that of the run step with the smallest id, and of this run step the passage that was read first.
first_run_steps as (
    select
        attempts.part_inventory_id,
        attempts.origin_step_id,
        attempts.ended_at,
        min(attempts.id) as id
    from attempts
    inner join first_instants
        on
            attempts.part_inventory_id = first_instants.part_inventory_id
            and attempts.origin_step_id = first_instants.origin_step_id
            and attempts.ended_at = first_instants.ended_at
    group by attempts.part_inventory_id, attempts.origin_step_id, attempts.ended_at
),

first_passages as (
    select
        attempts.part_inventory_id,
        attempts.id,
        min(attempts.valid_from) as valid_from
    from attempts
    inner join first_run_steps
        on
            attempts.part_inventory_id = first_run_steps.part_inventory_id
            and attempts.id = first_run_steps.id
            and attempts.ended_at = first_run_steps.ended_at
    group by attempts.part_inventory_id, attempts.id
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
                            and (attempts.is_first_passage or attempts.ended_before < findings.found_at)
                            and (attempts.is_last_passage or attempts.ended_at >= findings.found_at)
                    )
                    then attempts.quantity
                else 0
            end
        ) as passed
    from attempts
    inner join first_passages
        on
            attempts.part_inventory_id = first_passages.part_inventory_id
            and attempts.id = first_passages.id
            and attempts.valid_from = first_passages.valid_from
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
