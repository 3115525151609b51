with contents as (
    select * from {{ ref('int_production__build_contents') }}
),

open_issues as (
    select
        contents.built_part_inventory_id,
        count(distinct affected.issue_id) as open_issue_count
    from contents
    inner join {{ ref('issue_units') }} as affected on contents.part_inventory_id = affected.part_inventory_id
    where affected.is_open
    group by contents.built_part_inventory_id
),

held as (
    select
        contents.*,
        holds.issue_id,
        holds.is_export_controlled,
        contents.part_inventory_id = contents.built_part_inventory_id as is_built_unit
    from contents
    inner join {{ ref('holds') }} as holds on contents.part_inventory_id = holds.part_inventory_id
    where holds.is_held
),

holding as (
    select
        built_part_inventory_id,
        {{ ids_of('case when is_built_unit then issue_id end') }} as holding_issue_ids,
        count(distinct part_inventory_id) filter (where not is_built_unit) as held_content_count,
        bool_or(is_built_unit and is_export_controlled) as is_export_controlled
    from held
    group by built_part_inventory_id
)

select
    coalesce(open_issues.built_part_inventory_id, holding.built_part_inventory_id) as built_part_inventory_id,
    coalesce(open_issues.open_issue_count, 0) as open_issue_count,
    coalesce(holding.holding_issue_ids, {{ empty_list() }}) as holding_issue_ids,
    coalesce(holding.held_content_count, 0) as held_content_count,
    coalesce(holding.is_export_controlled, false) as is_export_controlled
from open_issues
full outer join holding on open_issues.built_part_inventory_id = holding.built_part_inventory_id
