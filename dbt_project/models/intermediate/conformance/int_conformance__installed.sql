{{ config(materialized='table') }}

-- Each installation with its planned line, and its relation to the planned part.
with lines as (
    select * from {{ ref('int_abom__lines') }}
    where child_part_inventory_id is not null
),

requirements as (
    select * from {{ ref('int_conformance__requirements') }}
),

planned as (
    select * from {{ ref('stg_ion__mbom_items') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

parts as (
    select * from {{ ref('parts') }}
),

substitutes as (
    select distinct
        mbom_item_id,
        part_id
    from {{ ref('stg_ion__mbom_substitutes') }}
)

select
    lines.line_key,
    lines.abom_generation,
    lines.parent_part_inventory_id as part_inventory_id,
    lines.build_requirement_id,
    lines.abom_installation_id,
    lines.child_part_inventory_id,
    children.part_id as child_part_id,
    {{ shown_part('children.part_number', 'children.part_id') }} as child_part_number,
    requirements.mbom_item_id,
    lines.reference_designator,
    lines.quantity_installed,
    lines.is_made_on_assembly,
    case
        when planned.mbom_item_id is null then 'unplanned'
        when children.part_id = planned.part_id then 'planned'
        when substitutes.part_id is not null then 'substitute'
        when child_parts.revision_family_id = planned_parts.revision_family_id then 'revision'
        else 'wrong'
    end as relation
from lines
inner join units as children on lines.child_part_inventory_id = children.part_inventory_id
left join requirements
    on
        lines.abom_generation = requirements.abom_generation
        and lines.parent_part_inventory_id = requirements.part_inventory_id
        and lines.build_requirement_id = requirements.build_requirement_id
left join planned on requirements.mbom_item_id = planned.mbom_item_id
left join substitutes on requirements.mbom_item_id = substitutes.mbom_item_id and children.part_id = substitutes.part_id
left join parts as child_parts on children.part_id = child_parts.part_id
left join parts as planned_parts on planned.part_id = planned_parts.part_id
