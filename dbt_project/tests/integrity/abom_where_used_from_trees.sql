-- Where-used is summed without writing out paths. This test counts the paths of the trees one by one and compares both
-- along both axes: everything that one unit contains, and everything that contains one unit. A tree that is cut off
-- contains more than its paths show.
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
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    or (
        not expected.is_unknown
        and abs(expected.quantity_extended - found.quantity_extended) > 1e-9 * expected.volume
    )
union all
-- Fails if there are installations in trees but none was compared.
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
