-- Where-used is summed up without writing out a path; here it is counted from the trees, path by path.
with expected as (
    select
        part_inventory_id as component_id,
        root_part_inventory_id as ancestor_id,
        min(depth) as min_depth,
        count(*) as path_count,
        case when count(*) = count(quantity_extended) then sum(quantity_extended) end as quantity_extended
    from {{ ref('abom_hierarchy') }}
    where depth > 0 and not is_open_requirement
    group by part_inventory_id, root_part_inventory_id
),

found as (
    select
        component_part_inventory_id as component_id,
        ancestor_part_inventory_id as ancestor_id,
        min_depth,
        path_count,
        quantity_extended
    from {{ ref('abom_where_used') }}
)

select
    coalesce(expected.component_id, found.component_id) as component_id,
    coalesce(expected.ancestor_id, found.ancestor_id) as ancestor_id,
    expected.path_count as expected_paths,
    found.path_count as found_paths
from expected
full outer join found on expected.component_id = found.component_id and expected.ancestor_id = found.ancestor_id
where
    expected.min_depth is distinct from found.min_depth
    or expected.path_count is distinct from found.path_count
    or (expected.quantity_extended is null) is distinct from (found.quantity_extended is null)
    -- Sums of binary fractions in another order: equal to the ninth digit.
    or abs(expected.quantity_extended - found.quantity_extended) > 1e-9 * abs(expected.quantity_extended)
union all
-- There are installations in trees, and none of them was compared.
select
    null as component_id,
    null as ancestor_id,
    0 as expected_paths,
    count(*) as found_paths
from {{ ref('abom_installations') }}
where
    not is_quarantined
    and not exists (select 1 from expected)
having count(*) > 0
