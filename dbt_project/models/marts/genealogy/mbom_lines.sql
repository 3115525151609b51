with lines as (
    select * from {{ ref('int_mbom__state_lines') }}
),

states as (
    select * from {{ ref('int_mbom__states') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
)

select
    lines.mbom_id,
    lines.state_number,
    lines.mbom_item_id,
    lines.line_number,
    states.mbom_version,
    states.status,
    lines.is_current,
    lines.parent_part_id,
    parts.part_number as parent_part_number,
    parts.part_revision as parent_part_revision,
    lines.part_id,
    lines.part_number,
    lines.part_revision,
    lines.part_description,
    lines.tracking_type,
    lines.revision_family_id,
    lines.quantity,
    lines.is_made_on_assembly,
    lines.reference_designators,
    {{ list_text('lines.reference_designators') }} as reference_designators_text,
    lines.designator_places,
    {{ list_text('lines.designator_places') }} as designator_places_text,
    lines.substitute_part_ids,
    {{ list_text('lines.substitute_part_ids') }} as substitute_part_ids_text,
    lines.substitute_part_numbers,
    {{ list_text('lines.substitute_part_numbers') }} as substitute_part_numbers_text,
    {{ is_export_controlled('mbom_items', 'lines.mbom_item_id') }} as is_export_controlled
from lines
inner join states on lines.mbom_id = states.mbom_id and lines.state_number = states.state_number
left join parts on lines.parent_part_id = parts.part_id
order by lines.mbom_id, lines.state_number, lines.line_number
