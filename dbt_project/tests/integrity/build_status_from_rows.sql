-- Units that are being built, their requirements, steps and holds, counted from ION's rows and from other marts.
with open_runs_of_units as (
    select
        history.part_inventory_id,
        count(*) as open_run_count
    from {{ ref('run_history') }} as history
    inner join {{ ref('open_runs') }} as open_runs on history.run_id = open_runs.run_id
    group by history.part_inventory_id
),

steps_of_units as (
    select
        part_inventory_id,
        sum(steps_done) as steps_done,
        sum(steps_total) as steps_total
    from {{ ref('run_history') }}
    where status is distinct from 'CANCELED'
    group by part_inventory_id
),

-- The lines of each tree: a requirement is in it at least once if it is open or something is installed on it.
planned as (
    select
        root_part_inventory_id as part_inventory_id,
        count(distinct build_requirement_id) filter (where is_open_requirement) as open_requirements,
        count(distinct build_requirement_id) filter (where is_open_requirement and depth = 1) as own_open_requirements
    from {{ ref('abom_hierarchy') }}
    group by root_part_inventory_id
),

-- What holds a unit, from ION's links and the rule of each issue's disposition.
holding as (
    select
        links.part_inventory_id,
        count(distinct issues.id) as holding_issue_count
    from {{ source('ion', 'issue_part_inventories') }} as links
    inner join {{ source('ion', 'issues') }} as issues on links.issue_id = issues.id
    inner join {{ ref('stg_ion__issue_disposition_types') }} as types
        on issues.issue_disposition_type_id = types.issue_disposition_type_id
    where
        types.inventory_availability like '%PERMANENT%'
        or (types.inventory_availability like '%RESOL%' and issues.status is distinct from 'RESOLVED')
    group by links.part_inventory_id
),

expected as (
    select
        units.id as part_inventory_id,
        coalesce(holding.holding_issue_count, 0) as holding_issue_count,
        coalesce(open_runs_of_units.open_run_count, 0) as open_run_count,
        coalesce(steps_of_units.steps_done, 0) as steps_done,
        coalesce(steps_of_units.steps_total, 0) as steps_total,
        coalesce(planned.open_requirements, 0) as open_requirements,
        coalesce(open_runs_of_units.open_run_count, 0) > 0
        or coalesce(planned.own_open_requirements, 0) > 0 as is_built
    from {{ source('ion', 'part_inventories') }} as units
    left join open_runs_of_units on units.id = open_runs_of_units.part_inventory_id
    left join steps_of_units on units.id = steps_of_units.part_inventory_id
    left join planned on units.id = planned.part_inventory_id
    left join holding on units.id = holding.part_inventory_id
    where units.status is distinct from 'SCRAPPED'
)

select coalesce(expected.part_inventory_id, found.part_inventory_id) as part_inventory_id
from expected
full outer join {{ ref('build_status') }} as found on expected.part_inventory_id = found.part_inventory_id
where
    expected.part_inventory_id is null
    or (expected.is_built and found.part_inventory_id is null)
    or (
        found.part_inventory_id is not null
        and (
            found.requirements_filled + found.requirements_unknown > found.requirements_total
            -- A requirement may also be short, or be filled without a unit.
            or found.requirements_total - found.requirements_filled < expected.open_requirements
            or (not expected.is_built and found.requirements_filled >= found.requirements_total)
            or {{ list_length('found.open_run_ids') }} is distinct from expected.open_run_count
            or {{ list_length('found.holding_issue_ids') }} is distinct from expected.holding_issue_count
            or (expected.holding_issue_count > 0 and not found.is_blocked)
            or found.steps_done is distinct from expected.steps_done
            or found.steps_total is distinct from expected.steps_total
        )
    )
