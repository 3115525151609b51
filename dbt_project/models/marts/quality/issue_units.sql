with issues as (
    select * from {{ ref('stg_ion__issues') }}
),

affected as (
    select * from {{ ref('int_issues__units') }}
),

quantities as (
    select * from {{ ref('int_issues__affected_quantities') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

dispositions as (
    select * from {{ ref('int_issues__dispositions') }}
),

-- The same definition as in `issues`: by the times of opening and resolution.
periods as (
    select
        issue_id,
        count(*) > count(resolved_at) as is_open
    from {{ ref('int_issues__open_periods') }}
    group by issue_id
)

select
    affected.issue_id,
    affected.part_inventory_id,
    issues.issue_title,
    issues.status,
    coalesce(periods.is_open, true) as is_open,
    affected.opened_at,
    dispositions.disposition,
    dispositions.disposition_category,
    dispositions.is_scrap,
    dispositions.is_rejected,
    pieces.part_id,
    pieces.part_number,
    pieces.part_revision,
    pieces.serial_number,
    pieces.lot_number,
    quantities.quantity as quantity_affected,
    affected.is_from_split_inventory,
    coalesce(affected.is_export_controlled, false) as is_export_controlled
from affected
inner join issues on affected.issue_id = issues.issue_id
inner join dispositions on affected.issue_id = dispositions.issue_id
left join periods on affected.issue_id = periods.issue_id
left join quantities
    on affected.issue_id = quantities.issue_id and affected.part_inventory_id = quantities.part_inventory_id
left join pieces on affected.part_inventory_id = pieces.part_inventory_id
order by affected.issue_id, affected.part_inventory_id
