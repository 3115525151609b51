-- Where-used is summed up without writing out a path. Here the paths of the trees are counted one by one, and the two
-- are compared along both axes: all that one unit contains, and all that contains one unit. Where a tree is cut off,
-- there is more in it than its paths say.
with cut_off as (
    select distinct root_part_inventory_id
    from {{ ref('int_abom__assembly_paths') }}
    where depth >= {{ var('abom_max_depth') }}
),

paths as (
    select
        root_part_inventory_id as ancestor_id,
        part_inventory_id as component_id,
        depth,
        quantity_extended
    from {{ ref('abom_hierarchy') }}
    where
        depth > 0
        and not is_open_requirement
        and root_part_inventory_id not in (select cut_off.root_part_inventory_id from cut_off)
),

uses as (
    select
        ancestor_part_inventory_id as ancestor_id,
        component_part_inventory_id as component_id,
        min_depth,
        path_count,
        quantity_extended
    from {{ ref('abom_where_used') }}
    where ancestor_part_inventory_id not in (select cut_off.root_part_inventory_id from cut_off)
),

expected as (
    {% for axis in ['ancestor', 'component'] %}
        select
            '{{ axis }}' as axis,
            {{ axis }}_id as unit_id,
            min(depth) as min_depth,
            count(*) as path_count,
            count(*) > count(quantity_extended) as is_unknown,
            sum(quantity_extended) as quantity_extended,
            sum(abs(quantity_extended)) as volume
        from paths
        group by {{ axis }}_id
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

found as (
    {% for axis in ['ancestor', 'component'] %}
        select
            '{{ axis }}' as axis,
            {{ axis }}_id as unit_id,
            min(min_depth) as min_depth,
            sum(path_count) as path_count,
            count(*) > count(quantity_extended) as is_unknown,
            sum(quantity_extended) as quantity_extended
        from uses
        group by {{ axis }}_id
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    coalesce(expected.axis, found.axis) as axis,
    coalesce(expected.unit_id, found.unit_id) as unit_id,
    expected.path_count as expected_paths,
    found.path_count as found_paths,
    expected.quantity_extended as expected_quantity,
    found.quantity_extended as found_quantity
from expected
full outer join found on expected.axis = found.axis and expected.unit_id = found.unit_id
where
    expected.min_depth is distinct from found.min_depth
    or expected.path_count is distinct from found.path_count
    or expected.is_unknown is distinct from found.is_unknown
    -- Sums of binary fractions in another order: equal to the ninth digit of what was summed.
    or (
        not expected.is_unknown
        and abs(expected.quantity_extended - found.quantity_extended) > 1e-9 * expected.volume
    )
union all
-- There are installations in trees, and none of them was compared.
select
    'none' as axis,
    null as unit_id,
    0 as expected_paths,
    count(*) as found_paths,
    null as expected_quantity,
    null as found_quantity
from {{ ref('abom_installations') }}
where
    not is_quarantined
    and (select count(*) from paths) = 0
having count(*) > 0
