-- The mart adds up where-used pairs; this test walks the printed trees instead, and counts the lines of each unit in
-- them once. Each line that does not conform is in one count and one place.
with tops as (
    select part_inventory_id
    from {{ ref('unit_conformance') }}
),

in_trees as (
    select distinct
        trees.root_part_inventory_id,
        trees.part_inventory_id
    from {{ ref('abom_hierarchy') }} as trees
    inner join tops on trees.root_part_inventory_id = tops.part_inventory_id
    where trees.part_inventory_id is not null
),

expected as (
    select
        in_trees.root_part_inventory_id as part_inventory_id,
        count(distinct in_trees.part_inventory_id) as unit_count,
        count(lines.line_key) as line_count,
        count(
            case
                when
                    lines.status in (
                        'missing', 'short', 'over', 'wrong_part', 'unplanned', 'designator_mismatch'
                    )
                    or lines.designator_match = 'mismatch'
                    then lines.line_key
            end
        ) as nonconforming_line_count
    from in_trees
    left join {{ ref('abom_conformance') }} as lines on in_trees.part_inventory_id = lines.part_inventory_id
    group by in_trees.root_part_inventory_id
),

-- No unit with a compared line is left out: each is a top-level unit or in one.
left_out as (
    select lines.part_inventory_id
    from {{ ref('abom_conformance') }} as lines
    left join in_trees on lines.part_inventory_id = in_trees.part_inventory_id
    left join {{ ref('int_abom__tree_lines') }} as above on lines.part_inventory_id = above.part_inventory_id
    where in_trees.part_inventory_id is null and above.part_inventory_id is null
)

select
    found.part_inventory_id,
    found.line_count,
    expected.line_count as expected_line_count
from {{ ref('unit_conformance') }} as found
left join expected on found.part_inventory_id = expected.part_inventory_id
where
    found.unit_count is distinct from expected.unit_count
    or found.line_count is distinct from expected.line_count
    or found.nonconforming_line_count is distinct from expected.nonconforming_line_count
    or found.nonconforming_line_count is distinct from (
        found.missing_count + found.short_count + found.over_count + found.wrong_part_count
        + found.unplanned_count + found.designator_mismatch_count
    )
    or found.nonconforming_line_count is distinct from {{ list_length('found.places') }}
union all
select
    part_inventory_id,
    null as line_count,
    null as expected_line_count
from left_out
