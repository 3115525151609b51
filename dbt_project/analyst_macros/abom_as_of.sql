-- The as-built tree of a unit at an instant, with the columns of genealogy.abom_hierarchy, from the history of the
-- lines. Returns no rows if the unit was not known at the instant. `order by sort_key` prints the tree.
create or replace macro abom_as_of(unit, instant) as table
with recursive reached as (
    select cast(unit as bigint) as part_inventory_id
    union
    select below.part_inventory_id
    from genealogy.abom_line_history as below
    where
        -- An `in` is looked up in each round of the recursion; a join would first read all assemblies of the plant.
        below.parent_part_inventory_id in (select reached.part_inventory_id from reached)
        and below.is_assembly
        and not below.is_quarantined
        and below.valid_from <= cast(instant as timestamptz)
        and (below.valid_to > cast(instant as timestamptz) or below.valid_to is null)
),

assemblies as (
    -- A list hides the row count from the optimizer, which would otherwise plan for all units of the plant.
    select unnest(held.ids) as part_inventory_id
    from (select list(part_inventory_id) as ids from reached) as held
),

-- All lines of the tree are read at once; following the paths is then cheap.
valid_lines as materialized (
    select line.*
    from genealogy.abom_line_history as line
    where
        line.parent_part_inventory_id in (select assemblies.part_inventory_id from assemblies)
        and not line.is_quarantined
        and line.valid_from <= cast(instant as timestamptz)
        and (line.valid_to > cast(instant as timestamptz) or line.valid_to is null)
),

lines as materialized (
    select
        *,
        coalesce('/i' || abom_installation_id, '/r' || build_requirement_id) as path_step,
        coalesce(part_number, 'part ' || part_id, case when is_open_requirement then 'part' else 'unit' end)
        || case
            when is_open_requirement then ' (open)'
            else ' ' || coalesce(serial_number, lot_number, '#' || part_inventory_id)
        end as line_label,
        row_number() over (
            partition by parent_part_inventory_id
            order by
                part_number asc nulls last,
                -- Natural order: C2 before C10.
                regexp_replace(
                    regexp_replace(reference_designator, '([0-9]+)', '0000000000\1', 'g'), '0*([0-9]{10})', '\1', 'g'
                ) asc nulls last,
                serial_number asc nulls last,
                lot_number asc nulls last,
                abom_installation_id asc nulls last,
                build_requirement_id asc
        ) as line_number
    from valid_lines
),

paths as (
    select
        0 as depth,
        cast('' as varchar) as path_key,
        cast('' as varchar) as sort_key,
        root.part_inventory_id,
        cast(null as varchar) as abom_line_key,
        cast(1 as double) as quantity_extended,
        [root.part_inventory_id] as path_ids,
        coalesce(root.part_number, 'part ' || root.part_id, 'unit') || ' '
        || coalesce(root.serial_number, root.lot_number, '#' || root.part_inventory_id) as path_text
    from genealogy.abom_unit_history as root
    where
        root.part_inventory_id = cast(unit as bigint)
        and root.valid_from <= cast(instant as timestamptz)
        and (root.valid_to > cast(instant as timestamptz) or root.valid_to is null)

    union all

    select
        paths.depth + 1 as depth,
        paths.path_key || lines.path_step as path_key,
        paths.sort_key || '/' || length(lines.line_number::varchar) || lines.line_number as sort_key,
        lines.part_inventory_id,
        lines.abom_line_key,
        case
            when lines.is_open_requirement then 0
            else paths.quantity_extended * lines.quantity_per_piece
        end as quantity_extended,
        case
            when lines.is_open_requirement then paths.path_ids
            else list_append(paths.path_ids, lines.part_inventory_id)
        end as path_ids,
        paths.path_text || ' > ' || lines.line_label as path_text
    from paths
    inner join lines on paths.part_inventory_id = lines.parent_part_inventory_id
    where paths.depth < 256
)

select
    cast(unit as bigint) as root_part_inventory_id,
    paths.path_key,
    paths.depth,
    paths.sort_key,
    paths.part_inventory_id,
    lines.parent_part_inventory_id,
    lines.build_requirement_id,
    lines.abom_installation_id,
    coalesce(lines.part_id, root.part_id) as part_id,
    case when paths.depth = 0 then root.part_number else lines.part_number end as part_number,
    case when paths.depth = 0 then root.part_revision else lines.part_revision end as part_revision,
    case when paths.depth = 0 then root.part_description else lines.part_description end as part_description,
    case when paths.depth = 0 then root.serial_number else lines.serial_number end as serial_number,
    case when paths.depth = 0 then root.lot_number else lines.lot_number end as lot_number,
    case when paths.depth = 0 then root.tracking_type else lines.tracking_type end as tracking_type,
    lines.reference_designator,
    lines.quantity_required,
    case when paths.depth = 0 then 1 else lines.quantity_installed end as quantity_installed,
    paths.quantity_extended,
    coalesce(lines.is_open_requirement, false) as is_open_requirement,
    coalesce(lines.is_made_on_assembly, false) as is_made_on_assembly,
    paths.path_ids,
    paths.path_text
from paths
left join lines on paths.abom_line_key = lines.abom_line_key
left join genealogy.abom_unit_history as root
    on
        paths.depth = 0
        -- The parameter and not the id of the path: a constant is looked up, a column would scan all units.
        and root.part_inventory_id = cast(unit as bigint)
        and root.valid_from <= cast(instant as timestamptz)
        and (root.valid_to > cast(instant as timestamptz) or root.valid_to is null)
order by paths.sort_key;
