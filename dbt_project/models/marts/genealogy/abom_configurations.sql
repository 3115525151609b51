with recursive lines as (
    select * from {{ ref('int_abom__tree_lines') }}
    where not is_open_requirement
),

units as (
    select * from {{ ref('int_abom__units') }}
),

heights as (
    select
        root_part_inventory_id as part_inventory_id,
        max(depth) as height
    from {{ ref('int_abom__assembly_paths') }}
    group by root_part_inventory_id
),

-- Paths end at the maximum depth of trees. A unit whose height does not exceed that of its content is cut off: its hash
-- would omit the rest, so two different units could have equal hashes.
cut_off as (
    select distinct lines.parent_part_inventory_id as part_inventory_id
    from lines
    inner join heights on lines.parent_part_inventory_id = heights.part_inventory_id
    inner join heights as below on lines.part_inventory_id = below.part_inventory_id
    where below.height >= heights.height
),

top as (
    select max(height) as height from heights
),

levelled as (
    select
        heights.height,
        lines.parent_part_inventory_id,
        lines.part_inventory_id,
        coalesce(cast(lines.part_id as string), '?') || '@' || coalesce(lines.designator_key, '') as place,
        lines.quantity_per_piece
    from lines
    inner join heights on lines.parent_part_inventory_id = heights.part_inventory_id
),

-- Works from the bottom up. A round computes the hashes of one height and carries all lower ones along, since a unit
-- may hold units of any lower height.
configured as (
    {{ rounds_begin() }}
    {{ configurations_of_height('0', none) }}

    {{ rounds_repeat('union all') }}

    (
        select
            height + 1 as height,
            part_inventory_id,
            configuration_hash
        from configured
        where height < (select top.height from top) and height < {{ var('abom_max_depth') }}

        union all

        {{ configurations_of_height('(select max(height) + 1 from configured)', 'configured') }}
    )
    {{ rounds_end() }}
)

select
    units.part_inventory_id,
    units.part_id,
    units.part_number,
    units.part_revision,
    units.serial_number,
    units.lot_number,
    heights.height + 1 as levels,
    case
        when cut_off.part_inventory_id is null then configured.configuration_hash
        else 'cut off: ' || cast(units.part_inventory_id as string)
    end as configuration_hash,
    units.is_export_controlled
from configured
inner join units on configured.part_inventory_id = units.part_inventory_id
inner join heights on configured.part_inventory_id = heights.part_inventory_id
left join cut_off on configured.part_inventory_id = cut_off.part_inventory_id
where configured.height = (select top.height from top)
order by units.part_inventory_id
