{{ config(materialized='table') }}

-- The current plan: the lines of the versions in force, without lines that close a cycle.
with lines as (
    select * from {{ ref('int_mbom__state_lines') }}
    where is_in_force
),

cycle_edges as (
    select * from {{ ref('int_mbom__cycle_edges') }}
),

versions as (
    select * from {{ ref('int_mbom__in_force') }}
    where is_in_force
)

select
    lines.*,
    versions.mbom_version,
    below.mbom_id as part_mbom_id,
    '/m' || cast(lines.mbom_item_id as string) as path_step,
    '/' || {{ ordinal_key('lines.line_number') }} as sort_step,
    {{ part_label('lines') }} as line_label,
    {{ is_export_controlled('mbom_items', 'lines.mbom_item_id') }} as is_export_controlled
from lines
inner join versions on lines.mbom_id = versions.mbom_id
left join versions as below on lines.part_id = below.part_id
left join cycle_edges
    on lines.parent_part_id = cycle_edges.parent_part_id and lines.part_id = cycle_edges.child_part_id
where cycle_edges.parent_part_id is null
