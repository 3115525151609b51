with periods as (
    select
        issue_id,
        min(opened_at) as opened_at
    from {{ ref('int_issues__open_periods') }}
    group by issue_id
),

-- ION may give no creation time for an issue; its first open period always has a start.
issues as (
    select
        issues.issue_id,
        issues.part_inventory_id,
        periods.opened_at,
        issues.is_export_controlled
    from {{ ref('stg_ion__issues') }} as issues
    left join periods on issues.issue_id = periods.issue_id
),

links as (
    select * from {{ ref('stg_ion__issue_part_inventories') }}
),

-- Older issues name one unit in a field of the issue itself.
named as (
    select
        issues.issue_id,
        issues.part_inventory_id,
        issues.opened_at,
        false as is_from_split_inventory,
        issues.is_export_controlled
    from issues
    left join links on issues.issue_id = links.issue_id
    where issues.part_inventory_id is not null and links.issue_id is null
)

select
    links.issue_id,
    links.part_inventory_id,
    issues.opened_at,
    links.is_from_split_inventory,
    links.is_export_controlled
from links
inner join issues on links.issue_id = issues.issue_id
union all
select * from named
