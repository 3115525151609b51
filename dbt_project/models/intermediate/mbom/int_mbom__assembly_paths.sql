{{ config(materialized='table') }}

-- Paths lead to assemblies only: a part without a plan of its own is joined when the tree is written out.
with recursive lines as (
    select * from {{ ref('int_mbom__plan_lines') }}
    where part_mbom_id is not null
),

versions as (
    select * from {{ ref('int_mbom__in_force') }}
    where is_in_force
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

paths as (
    select
        versions.part_id as root_part_id,
        versions.part_id,
        0 as depth,
        cast(1 as double) as quantity_extended,
        cast('' as string) as path_key,
        cast('' as string) as sort_key,
        {{ list_with('versions.part_id') }} as path_ids,
        {{ part_label('parts') }} as path_text,
        parts.is_export_controlled
    from versions
    inner join parts on versions.part_id = parts.part_id

    union all

    select
        paths.root_part_id,
        lines.part_id,
        paths.depth + 1 as depth,
        paths.quantity_extended * lines.quantity as quantity_extended,
        paths.path_key || lines.path_step as path_key,
        paths.sort_key || lines.sort_step as sort_key,
        {{ list_append('paths.path_ids', 'lines.part_id') }} as path_ids,
        paths.path_text || ' > ' || lines.line_label as path_text,
        paths.is_export_controlled or lines.is_export_controlled as is_export_controlled
    from paths
    inner join lines on paths.part_id = lines.parent_part_id
    where paths.depth < {{ var('abom_max_depth') }}
)

select * from paths
order by root_part_id, sort_key
