{{ config(materialized='table') }}

with states as (
    select * from {{ ref('int_abom_history__structure_states') }}
),

lines as (
    select * from {{ ref('int_abom_history__lines') }}
),

assemblies as (
    select distinct part_inventory_id from states
),

assembly_lines as (
    select lines.*
    from lines
    inner join assemblies on lines.child_part_inventory_id = assemblies.part_inventory_id
)

select
    parents.structure_state_id as parent_state_id,
    children.structure_state_id as child_state_id,
    lines.parent_part_inventory_id,
    lines.child_part_inventory_id,
    parents.valid_from,
    parents.valid_until,
    lines.part_id,
    lines.designator_key,
    lines.quantity_per_piece
from assembly_lines as lines
inner join states as parents
    on
        lines.parent_part_inventory_id = parents.part_inventory_id
        and lines.valid_from <= parents.valid_from
        and lines.valid_until > parents.valid_from
inner join states as children
    on
        lines.child_part_inventory_id = children.part_inventory_id
        and parents.valid_from >= children.valid_from
        and parents.valid_from < children.valid_until
