with paths as (
    select * from {{ ref('int_mbom__assembly_paths') }}
),

lines as (
    select * from {{ ref('int_mbom__plan_lines') }}
),

versions as (
    select * from {{ ref('int_mbom__in_force') }}
    where is_in_force
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

roots as (
    select
        versions.part_id as root_part_id,
        '' as path_key,
        0 as depth,
        '' as sort_key,
        cast(null as bigint) as mbom_item_id,
        cast(null as bigint) as mbom_id,
        cast(null as bigint) as mbom_version,
        versions.mbom_id as part_mbom_id,
        cast(null as bigint) as parent_part_id,
        versions.part_id,
        parts.part_number,
        parts.part_revision,
        parts.part_description,
        parts.tracking_type,
        cast(1 as double) as quantity,
        cast(1 as double) as quantity_extended,
        false as is_made_on_assembly,
        {{ empty_list() }} as reference_designators,
        {{ empty_list() }} as substitute_part_numbers,
        {{ list_with('versions.part_id') }} as path_ids,
        {{ part_label('parts') }} as path_text,
        parts.is_export_controlled
    from versions
    inner join parts on versions.part_id = parts.part_id
),

branches as (
    select
        paths.root_part_id,
        paths.path_key || lines.path_step as path_key,
        paths.depth + 1 as depth,
        paths.sort_key || lines.sort_step as sort_key,
        lines.mbom_item_id,
        lines.mbom_id,
        lines.mbom_version,
        lines.part_mbom_id,
        paths.part_id as parent_part_id,
        lines.part_id,
        lines.part_number,
        lines.part_revision,
        lines.part_description,
        lines.tracking_type,
        lines.quantity,
        paths.quantity_extended * lines.quantity as quantity_extended,
        lines.is_made_on_assembly,
        lines.reference_designators,
        lines.substitute_part_numbers,
        {{ list_append('paths.path_ids', 'lines.part_id') }} as path_ids,
        paths.path_text || ' > ' || lines.line_label as path_text,
        paths.is_export_controlled or lines.is_export_controlled as is_export_controlled
    from paths
    inner join lines on paths.part_id = lines.parent_part_id
),

trees as (
    select * from roots
    union all
    select * from branches
)

select
    trees.root_part_id,
    tops.part_number as root_part_number,
    tops.part_revision as root_part_revision,
    trees.path_key,
    trees.depth,
    trees.sort_key,
    trees.mbom_item_id,
    trees.mbom_id,
    trees.mbom_version,
    trees.part_mbom_id,
    trees.parent_part_id,
    trees.part_id,
    trees.part_number,
    trees.part_revision,
    trees.part_description,
    trees.tracking_type,
    trees.quantity,
    trees.quantity_extended,
    trees.is_made_on_assembly,
    trees.reference_designators,
    {{ list_text('trees.reference_designators') }} as reference_designators_text,
    trees.substitute_part_numbers,
    {{ list_text('trees.substitute_part_numbers') }} as substitute_part_numbers_text,
    trees.path_ids,
    trees.path_text,
    trees.is_export_controlled
from trees
inner join parts as tops on trees.root_part_id = tops.part_id
order by trees.root_part_id, trees.sort_key
