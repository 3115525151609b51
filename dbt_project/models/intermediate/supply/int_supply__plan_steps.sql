with lines as (
    select
        parent_part_id,
        part_id,
        sum(quantity) as quantity
    from {{ ref('int_mbom__plan_lines') }}
    where quantity > 0
    group by parent_part_id, part_id
),

deepest as (
    select
        part_id,
        max(depth) as part_level
    from {{ ref('int_mbom__assembly_paths') }}
    group by part_id
),

-- A part without a plan of its own is one level below the deepest assembly that needs it.
below as (
    select
        lines.part_id,
        max(above.part_level) + 1 as part_level
    from lines
    inner join deepest as above on lines.parent_part_id = above.part_id
    group by lines.part_id
),

-- Parts with the attribute `Notable assembly`, whatever its value, unless it says no.
notable as (
    select distinct owner_id as part_id
    from {{ ref('attributes') }}
    where
        owner_type = 'part' and lower(replace(attribute_key, '_', ' ')) = 'notable assembly'
        and lower({{ trimmed('value_text') }}) not in ('', 'false', 'no', '0')
),

levels as (
    select
        parts.part_id,
        notable.part_id as notable_part_id,
        greatest(coalesce(deepest.part_level, 0), coalesce(below.part_level, 0)) as part_level
    from {{ ref('stg_ion__parts') }} as parts
    left join deepest on parts.part_id = deepest.part_id
    left join below on parts.part_id = below.part_id
    left join notable on parts.part_id = notable.part_id
)

select
    lines.parent_part_id as part_id,
    lines.part_id as next_part_id,
    lines.parent_part_id as next_parent_part_id,
    lines.quantity as quantity_per,
    levels.part_level as next_level,
    levels.notable_part_id as next_notable_part_id,
    false as is_waiting
from lines
inner join levels on lines.part_id = levels.part_id
union all
select
    part_id,
    part_id as next_part_id,
    cast(null as bigint) as next_parent_part_id,
    cast(1 as double) as quantity_per,
    part_level as next_level,
    notable_part_id as next_notable_part_id,
    true as is_waiting
from levels
