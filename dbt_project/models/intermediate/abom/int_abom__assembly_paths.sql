{{ config(materialized='table') }}

-- Paths lead to assemblies only: a leaf adds only its own line, which is joined when the tree is written out.
with recursive lines as (
    select * from {{ ref('int_abom__tree_lines') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

assemblies as (
    select distinct parent_part_inventory_id as part_inventory_id from lines
),

assembly_lines as (
    select
        lines.parent_part_inventory_id,
        lines.part_inventory_id,
        lines.quantity_per_piece,
        lines.path_step,
        lines.line_label,
        coalesce(lines.is_export_controlled, false) as is_export_controlled,
        '/' || {{ ordinal_key('lines.line_number') }} as sort_step
    from lines
    inner join assemblies on lines.part_inventory_id = assemblies.part_inventory_id
),

paths as (
    select
        units.part_inventory_id as root_part_inventory_id,
        units.part_inventory_id,
        0 as depth,
        cast(1 as double) as quantity_extended,
        cast('' as string) as path_key,
        cast('' as string) as sort_key,
        {{ list_with('units.part_inventory_id') }} as path_ids,
        units.unit_label as path_text,
        coalesce(units.is_export_controlled, false) as is_export_controlled
    from units
    inner join assemblies on units.part_inventory_id = assemblies.part_inventory_id

    union all

    select
        paths.root_part_inventory_id,
        assembly_lines.part_inventory_id,
        paths.depth + 1 as depth,
        paths.quantity_extended * assembly_lines.quantity_per_piece as quantity_extended,
        paths.path_key || assembly_lines.path_step as path_key,
        paths.sort_key || assembly_lines.sort_step as sort_key,
        {{ list_append('paths.path_ids', 'assembly_lines.part_inventory_id') }} as path_ids,
        paths.path_text || ' > ' || assembly_lines.line_label as path_text,
        paths.is_export_controlled or assembly_lines.is_export_controlled as is_export_controlled
    from paths
    inner join assembly_lines on paths.part_inventory_id = assembly_lines.parent_part_inventory_id
    where paths.depth < {{ var('abom_max_depth') }}
)

select * from paths
order by root_part_inventory_id, sort_key
