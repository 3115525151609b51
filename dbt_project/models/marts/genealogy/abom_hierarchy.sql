with units as (
    select * from {{ ref('int_abom__units') }}
),

paths as (
    select * from {{ ref('int_abom__assembly_paths') }}
),

unit_lines as (
    select * from {{ ref('int_abom__unit_lines') }}
),

roots as (
    select
        part_inventory_id as root_part_inventory_id,
        '' as path_key,
        0 as depth,
        '' as sort_key,
        part_inventory_id,
        cast(null as bigint) as parent_part_inventory_id,
        cast(null as bigint) as build_requirement_id,
        cast(null as bigint) as abom_installation_id,
        part_id,
        part_number,
        part_revision,
        part_description,
        serial_number,
        lot_number,
        tracking_type,
        cast(null as string) as reference_designator,
        cast(null as double) as quantity_required,
        cast(1 as double) as quantity_installed,
        cast(1 as double) as quantity_extended,
        false as is_open_requirement,
        false as is_made_on_assembly,
        false as is_substitute,
        {{ list_with('part_inventory_id') }} as path_ids,
        unit_label as path_text,
        coalesce(is_export_controlled, false) as is_export_controlled
    from units
),

-- The paths are already sorted by root and keep that order: each tree is contiguous in the file, without another sort.
branches as (
    select
        paths.*,
        {{ each_of('unit_lines.lines') }} as line
    from paths
    inner join unit_lines on paths.part_inventory_id = unit_lines.parent_part_inventory_id
),

lines as (
    select
        branches.root_part_inventory_id,
        branches.path_key || branches.line.path_step as path_key,
        branches.depth + 1 as depth,
        branches.sort_key || '/' || {{ ordinal_key('branches.line.line_number') }} as sort_key,
        branches.line.part_inventory_id,
        branches.part_inventory_id as parent_part_inventory_id,
        branches.line.build_requirement_id,
        branches.line.abom_installation_id,
        branches.line.part_id,
        branches.line.part_number,
        branches.line.part_revision,
        branches.line.part_description,
        branches.line.serial_number,
        branches.line.lot_number,
        branches.line.tracking_type,
        branches.line.reference_designator,
        branches.line.quantity_required,
        branches.line.quantity_installed,
        case
            when branches.line.is_open_requirement then 0
            else branches.quantity_extended * branches.line.quantity_per_piece
        end as quantity_extended,
        branches.line.is_open_requirement,
        branches.line.is_made_on_assembly,
        branches.line.is_substitute,
        case
            when branches.line.is_open_requirement then branches.path_ids
            else {{ list_append('branches.path_ids', 'branches.line.part_inventory_id') }}
        end as path_ids,
        branches.path_text || ' > ' || branches.line.line_label as path_text,
        coalesce(branches.is_export_controlled or branches.line.is_export_controlled, false) as is_export_controlled
    from branches
)

select * from roots
union all
select * from lines
