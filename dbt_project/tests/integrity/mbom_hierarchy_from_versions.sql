-- The model writes out trees path by path. This test counts them: wherever a part is in a tree, the lines of its
-- released version in ION's own rows must be below it, equally often and in its quantity.
with ranked as (
    select
        part_id,
        mbom_id,
        row_number() over (partition by part_id order by mbom_version desc nulls last, mbom_id desc) as place
    from {{ ref('stg_ion__mboms') }}
    where status = 'RELEASED'
),

-- Exactly one version of a part is in force, even if several versions are released.
released as (
    select
        part_id,
        mbom_id
    from ranked
    where place = 1
),

planned as (
    select
        released.part_id as parent_part_id,
        items.part_id,
        count(*) as line_count,
        sum(items.quantity) as quantity,
        sum(abs(items.quantity)) as volume
    from released
    inner join {{ ref('stg_ion__mbom_items') }} as items on released.mbom_id = items.mbom_id
    left join {{ ref('int_mbom__cycle_edges') }} as cycle_edges
        on released.part_id = cycle_edges.parent_part_id and items.part_id = cycle_edges.child_part_id
    where
        not coalesce(items.is_deleted, false)
        and cycle_edges.parent_part_id is null
    group by released.part_id, items.part_id
),

-- If a tree is cut off, its last level has nothing below it.
cut_off as (
    select distinct root_part_id
    from {{ ref('int_mbom__assembly_paths') }}
    where depth >= {{ var('abom_max_depth') }}
),

places as (
    select
        root_part_id,
        part_id,
        count(*) as place_count,
        sum(quantity_extended) as quantity_extended,
        sum(abs(quantity_extended)) as volume
    from {{ ref('mbom_hierarchy') }}
    where root_part_id not in (select cut_off.root_part_id from cut_off)
    group by root_part_id, part_id
),

expected as (
    select
        places.root_part_id,
        planned.parent_part_id,
        planned.part_id,
        places.place_count * planned.line_count as row_count,
        places.quantity_extended * planned.quantity as quantity_extended,
        places.volume * planned.volume as volume
    from places
    inner join planned on places.part_id = planned.parent_part_id
),

found as (
    select
        root_part_id,
        parent_part_id,
        part_id,
        count(*) as row_count,
        sum(quantity_extended) as quantity_extended
    from {{ ref('mbom_hierarchy') }}
    where depth > 0 and root_part_id not in (select cut_off.root_part_id from cut_off)
    group by root_part_id, parent_part_id, part_id
)

select
    coalesce(expected.root_part_id, found.root_part_id) as root_part_id,
    coalesce(expected.part_id, found.part_id) as part_id,
    expected.row_count as expected_rows,
    found.row_count as found_rows,
    expected.quantity_extended as expected_quantity,
    found.quantity_extended as found_quantity
from expected
full outer join found
    on
        expected.root_part_id = found.root_part_id
        and expected.parent_part_id = found.parent_part_id
        and expected.part_id = found.part_id
where
    expected.row_count is distinct from found.row_count
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    or abs(expected.quantity_extended - found.quantity_extended) > 1e-9 * expected.volume
union all
-- Fails if ION has released plans but none of their lines was compared.
select
    null as root_part_id,
    null as part_id,
    count(*) as expected_rows,
    0 as found_rows,
    null as expected_quantity,
    null as found_quantity
from planned
where (select count(*) from expected) = 0
having count(*) > 0
