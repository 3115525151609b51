with lines as (
    select * from {{ ref('int_abom__lines') }}
),

cycle_edges as (
    select * from {{ ref('int_abom__cycle_edges') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
)

select
    lines.line_key as abom_installation_key,
    lines.abom_installation_id,
    lines.build_requirement_id,
    lines.origin_mbom_item_id,
    lines.origin_mbom_id,
    lines.required_part_number,
    lines.abom_generation,
    lines.parent_part_inventory_id,
    parents.part_id as parent_part_id,
    parents.part_number as parent_part_number,
    parents.part_revision as parent_part_revision,
    parents.serial_number as parent_serial_number,
    parents.lot_number as parent_lot_number,
    lines.child_part_inventory_id,
    children.part_id as child_part_id,
    children.part_number as child_part_number,
    children.part_revision as child_part_revision,
    children.serial_number as child_serial_number,
    children.lot_number as child_lot_number,
    lines.reference_designator,
    lines.designator_key,
    lines.quantity_installed as quantity,
    lines.quantity_installed / nullif(parents.pieces, 0) as quantity_per_piece,
    lines.is_made_on_assembly,
    lines.is_substitute,
    cycle_edges.parent_part_inventory_id is not null as is_quarantined,
    lines.installed_at,
    lines.installed_by_id,
    users.user_name as installed_by,
    lines.is_export_controlled
from lines
inner join units as parents on lines.parent_part_inventory_id = parents.part_inventory_id
inner join units as children on lines.child_part_inventory_id = children.part_inventory_id
left join cycle_edges
    on
        lines.parent_part_inventory_id = cycle_edges.parent_part_inventory_id
        and lines.child_part_inventory_id = cycle_edges.child_part_inventory_id
left join users on lines.installed_by_id = users.user_id
order by lines.parent_part_inventory_id, lines.line_key
