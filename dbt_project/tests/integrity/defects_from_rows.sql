-- Defects, issues, pieces and hours, added up from ION's rows: the rates by part, and each dimension of the Pareto
-- whose classes exclude each other.
with links as (
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

pieces as (
    select
        inventories.id as part_inventory_id,
        parts.part_number,
        case
            when inventories.serial_number is not null then 1
            else coalesce(inventories.quantity, 0) + coalesce(inventories.quantity_scrapped, 0)
        end as quantity
    from {{ source('ion', 'part_inventories') }} as inventories
    left join {{ source('ion', 'parts') }} as parts on inventories.part_id = parts.id
),

affected as (
    select
        links.*,
        pieces.part_number,
        pieces.quantity
    from links
    inner join {{ source('ion', 'issues') }} as issues on links.issue_id = issues.id
    left join pieces on links.part_inventory_id = pieces.part_inventory_id
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
        'pareto by ' || dimensions.dimension as what,
        coalesce(sum(affected.quantity), 0) as quantity
    from affected
    cross join (values ('part'), ('disposition_category'), ('procedure_step'), ('supplier')) as dimensions (dimension)
    where exists (select 1 from {{ source('ion', 'issues') }})
    group by dimensions.dimension
    union all
    select
        'rows of issue_units' as what,
        count(*) as quantity
    from affected
    union all
    select
        'hours on ' || parts.part_number as what,
        sum(epoch(sessions.check_out) - epoch(sessions.check_in)) / 3600 as quantity
    from {{ source('ion', 'run_step_sessions') }} as sessions
    inner join {{ source('ion', 'run_steps') }} as run_steps on sessions.run_step_id = run_steps.id
    inner join {{ source('ion', 'runs') }} as runs on run_steps.run_id = runs.id
    left join {{ source('ion', 'part_inventories') }} as inventories on runs.part_inventory_id = inventories.id
    inner join {{ source('ion', 'parts') }} as parts on coalesce(inventories.part_id, runs.part_id) = parts.id
    group by parts.part_number
    having sum(epoch(sessions.check_out) - epoch(sessions.check_in)) > 0
),

found as (
    select
        'defects of ' || part_number as what,
        sum(defect_count) as quantity
    from {{ ref('defect_rates') }}
    group by part_number
    having sum(defect_count) > 0
    union all
    select
        'hours on ' || part_number as what,
        sum(touch_hours) as quantity
    from {{ ref('defect_rates') }}
    group by part_number
    having sum(touch_hours) > 0
    union all
    select
        'pareto by ' || dimension as what,
        sum(defect_count) as quantity
    from {{ ref('defect_pareto') }}
    where dimension <> 'label'
    group by dimension
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
    > 1e-9 * greatest(abs(coalesce(expected.quantity, 0)), 1)
