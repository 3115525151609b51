-- Defects, issues, pieces and hours, summed from ION's rows: the rates by part, and the Pareto of each length of period
-- by part. Lots count the pieces that raw rows give for the instant at which the issue was opened.
with recursive links as (
    select
        issue_id,
        part_inventory_id
    from {{ source('ion', 'issue_part_inventories') }}
    union
    select
        id,
        part_inventory_id
    from {{ source('ion', 'issues') }}
    where
        part_inventory_id is not null
        and id not in (select linked.issue_id from {{ source('ion', 'issue_part_inventories') }} as linked)
),

first_versions as (
    select
        id,
        min(valid_from) as valid_from
    from {{ source('ion_history', 'issues') }}
    group by id
),

-- An issue without a creation time was opened at the change time of its first version, or else at the load that read
-- it.
opened as (
    select
        issues.id,
        coalesce(issues._created, versions._created, versions._updated, versions.valid_from) as opened_at
    from {{ source('ion', 'issues') }} as issues
    left join first_versions on issues.id = first_versions.id
    left join {{ source('ion_history', 'issues') }} as versions
        on first_versions.id = versions.id and first_versions.valid_from = versions.valid_from
),

asked as (
    select
        links.part_inventory_id,
        opened.opened_at as asked_at
    from links
    inner join opened on links.issue_id = opened.id
),

quantities as (
    select * from {{ pieces_then('asked') }}
),

held as (
    select
        links.issue_id,
        links.part_inventory_id,
        opened.opened_at,
        inventories.serial_number,
        parts.part_number,
        -- An inventory that is no longer in ION has no part to count with.
        case when inventories.id is not null then quantities.quantity end as quantity
    from links
    inner join opened on links.issue_id = opened.id
    left join {{ source('ion', 'part_inventories') }} as inventories on links.part_inventory_id = inventories.id
    left join {{ source('ion', 'parts') }} as parts on inventories.part_id = parts.id
    left join quantities
        on links.part_inventory_id = quantities.part_inventory_id and opened.opened_at = quantities.asked_at
),

-- Goes up from each unit to the first origin that the same issue names and that the unit left after the issue was
-- opened.
walk as (
    select
        held.issue_id,
        held.part_inventory_id,
        held.opened_at,
        inventories.origin_part_inventory_id as at_id,
        inventories._created as left_at,
        {{ list_with('inventories.id') }} as seen_ids
    from held
    inner join {{ source('ion', 'part_inventories') }} as inventories on held.part_inventory_id = inventories.id
    where inventories.origin_part_inventory_id is not null
    union all
    select
        walk.issue_id,
        walk.part_inventory_id,
        walk.opened_at,
        inventories.origin_part_inventory_id as at_id,
        inventories._created as left_at,
        {{ list_append('walk.seen_ids', 'inventories.id') }} as seen_ids
    from walk
    inner join {{ source('ion', 'part_inventories') }} as inventories on walk.at_id = inventories.id
    left join held on walk.issue_id = held.issue_id and walk.at_id = held.part_inventory_id
    where
        inventories.origin_part_inventory_id is not null
        and not {{ list_has('walk.seen_ids', 'inventories.origin_part_inventory_id') }}
        and not coalesce(held.issue_id is not null and walk.left_at > walk.opened_at, false)
),

elsewhere as (
    select
        lots.issue_id,
        lots.part_inventory_id,
        sum(pieces.quantity) as quantity
    from walk
    inner join held as lots on walk.issue_id = lots.issue_id and walk.at_id = lots.part_inventory_id
    inner join held as pieces
        on walk.issue_id = pieces.issue_id and walk.part_inventory_id = pieces.part_inventory_id
    where walk.left_at > walk.opened_at
    group by lots.issue_id, lots.part_inventory_id
),

affected as (
    select
        held.issue_id,
        held.part_inventory_id,
        held.part_number,
        case
            when held.serial_number is not null or elsewhere.quantity is null then held.quantity
            else greatest(held.quantity - elsewhere.quantity, 0)
        end as quantity
    from held
    left join elsewhere
        on held.issue_id = elsewhere.issue_id and held.part_inventory_id = elsewhere.part_inventory_id
),

expected as (
    select
        'defects of ' || part_number as what,
        sum(quantity) as quantity
    from affected
    where part_number is not null
    group by part_number
    union all
    select
        'pareto by ' || periods.period || ' of ' || coalesce(affected.part_number, 'no part') as what,
        sum(affected.quantity) as quantity
    from affected
    cross join (values ('day'), ('week'), ('month')) as periods (period)
    group by periods.period, coalesce(affected.part_number, 'no part')
    union all
    select
        'rows of issue_units' as what,
        count(*) as quantity
    from affected
    union all
    select
        'hours on ' || coalesce(unit_parts.part_number, run_parts.part_number) as what,
        sum({{ epoch_seconds('sessions.check_out') }} - {{ epoch_seconds('sessions.check_in') }}) / 3600 as quantity
    from {{ source('ion', 'run_step_sessions') }} as sessions
    inner join {{ source('ion', 'run_steps') }} as run_steps on sessions.run_step_id = run_steps.id
    inner join {{ source('ion', 'runs') }} as runs on run_steps.run_id = runs.id
    left join {{ source('ion', 'part_inventories') }} as inventories on runs.part_inventory_id = inventories.id
    -- An API key may have access to the part of the run but not to the part of the unit.
    left join {{ source('ion', 'parts') }} as unit_parts on inventories.part_id = unit_parts.id
    left join {{ source('ion', 'parts') }} as run_parts on runs.part_id = run_parts.id
    where coalesce(unit_parts.part_number, run_parts.part_number) is not null
    group by coalesce(unit_parts.part_number, run_parts.part_number)
),

found as (
    select
        'defects of ' || part_number as what,
        sum(defect_count) as quantity
    from {{ ref('defect_rates') }}
    group by part_number
    union all
    select
        'hours on ' || part_number as what,
        sum(touch_hours) as quantity
    from {{ ref('defect_rates') }}
    group by part_number
    {% for period, suffix in {'day': '', 'week': '_by_week', 'month': '_by_month'}.items() %}
        union all
        select
            'pareto by {{ period }} of ' || part_number as what,
            sum(defect_count) as quantity
        from {{ ref('defect_pareto' ~ suffix) }}
        group by part_number
    {% endfor %}
    union all
    select
        'rows of issue_units' as what,
        count(*) as quantity
    from {{ ref('issue_units') }}
)

select
    coalesce(expected.what, found.what) as what,
    expected.quantity as expected_quantity,
    found.quantity as found_quantity
from expected
full outer join found on expected.what = found.what
where
    abs(coalesce(expected.quantity, 0) - coalesce(found.quantity, 0))
    > 1e-9 * greatest(abs(coalesce(expected.quantity, 0)), 1000)
