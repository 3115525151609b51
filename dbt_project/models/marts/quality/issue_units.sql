with issues as (
    select * from {{ ref('stg_ion__issues') }}
),

links as (
    select * from {{ ref('stg_ion__issue_part_inventories') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

dispositions as (
    select * from {{ ref('int_issues__dispositions') }}
),

-- Old issues name one unit on the issue itself.
named as (
    select
        issues.issue_id,
        issues.part_inventory_id,
        false as is_from_split_inventory,
        issues.is_export_controlled
    from issues
    left join links on issues.issue_id = links.issue_id
    where issues.part_inventory_id is not null and links.issue_id is null
),

affected as (
    select
        issue_id,
        part_inventory_id,
        is_from_split_inventory,
        is_export_controlled
    from links
    union all
    select * from named
)

select
    affected.issue_id,
    affected.part_inventory_id,
    issues.issue_title,
    issues.status,
    coalesce(issues.status <> 'RESOLVED', true) as is_open,
    issues.created_at as opened_at,
    dispositions.disposition,
    dispositions.disposition_category,
    dispositions.is_scrap,
    dispositions.is_rejected,
    pieces.part_id,
    pieces.part_number,
    pieces.part_revision,
    pieces.serial_number,
    pieces.lot_number,
    pieces.quantity as quantity_affected,
    affected.is_from_split_inventory,
    coalesce(affected.is_export_controlled, false) as is_export_controlled
from affected
inner join issues on affected.issue_id = issues.issue_id
inner join dispositions on affected.issue_id = dispositions.issue_id
left join pieces on affected.part_inventory_id = pieces.part_inventory_id
order by affected.issue_id, affected.part_inventory_id
