with scrap as (
    select * from {{ ref('int_inventories__scrap') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

-- Only the first issue that scraps a unit is used, so that each piece counts once.
scrapping_units as (
    select
        part_inventory_id,
        min(issue_id) as issue_id
    from {{ ref('issue_units') }}
    where is_scrap
    group by part_inventory_id
),

scrapping_issues as (
    select
        scrapping_units.part_inventory_id,
        issues.issue_id,
        issues.issue_title,
        issues.is_open,
        issues.opened_at,
        issues.resolved_at,
        issues.is_from_history,
        issues.is_export_controlled
    from scrapping_units
    inner join {{ ref('issues') }} as issues on scrapping_units.issue_id = issues.issue_id
),

in_inventory as (
    select
        part_inventory_id,
        sum(quantity_scrapped) as quantity_scrapped
    from scrap
    group by part_inventory_id
),

recorded as (
    select
        scrap.part_inventory_id,
        scrap.version_number as occasion,
        scrap.quantity_scrapped,
        case when issues.issue_id is null then 'inventory' else 'inventory and issue' end as recorded_in,
        issues.issue_id,
        issues.issue_title,
        issues.is_open as is_issue_open,
        scrap.scrapped_at,
        scrap.is_from_history,
        issues.is_export_controlled
    from scrap
    left join scrapping_issues as issues on scrap.part_inventory_id = issues.part_inventory_id
    union all
    -- The inventory records no scrap: the issue scraps the whole unit.
    select
        issues.part_inventory_id,
        0 as occasion,
        pieces.quantity as quantity_scrapped,
        'issue' as recorded_in,
        issues.issue_id,
        issues.issue_title,
        issues.is_open as is_issue_open,
        -- An issue without any time is dated by the first load.
        coalesce(
            issues.resolved_at,
            issues.opened_at,
            (select first_load.valid_from from {{ ref('int_loads__first') }} as first_load)
        ) as scrapped_at,
        issues.is_from_history,
        issues.is_export_controlled
    from scrapping_issues as issues
    inner join pieces on issues.part_inventory_id = pieces.part_inventory_id
    left join in_inventory on issues.part_inventory_id = in_inventory.part_inventory_id
    where coalesce(in_inventory.quantity_scrapped, 0) <= 0
)

select
    recorded.part_inventory_id,
    recorded.occasion,
    pieces.part_id,
    pieces.part_number,
    pieces.part_revision,
    pieces.serial_number,
    pieces.lot_number,
    recorded.quantity_scrapped,
    recorded.recorded_in,
    recorded.issue_id,
    recorded.issue_title,
    recorded.is_issue_open,
    recorded.scrapped_at,
    recorded.is_from_history,
    coalesce(pieces.is_export_controlled, false)
    or coalesce(recorded.is_export_controlled, false) as is_export_controlled
from recorded
inner join pieces on recorded.part_inventory_id = pieces.part_inventory_id
order by recorded.part_inventory_id, recorded.occasion
