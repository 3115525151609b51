{{ config(materialized='table') }}

with lines as (
    select * from {{ ref('int_abom__lines') }}
),

cycle_edges as (
    select * from {{ ref('int_abom__cycle_edges') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

labelled as (
    select
        lines.line_key,
        lines.parent_part_inventory_id,
        lines.child_part_inventory_id as part_inventory_id,
        lines.build_requirement_id,
        lines.abom_installation_id,
        coalesce(children.part_id, parts.part_id, lines.part_id) as part_id,
        coalesce(children.part_number, parts.part_number) as part_number,
        coalesce(children.part_revision, parts.part_revision) as part_revision,
        coalesce(children.part_description, parts.part_description) as part_description,
        children.serial_number,
        children.lot_number,
        coalesce(children.tracking_type, parts.tracking_type) as tracking_type,
        lines.reference_designator,
        lines.designator_key,
        lines.quantity_required,
        lines.quantity_installed,
        lines.quantity_installed / nullif(parents.pieces, 0) as quantity_per_piece,
        lines.child_part_inventory_id is null as is_open_requirement,
        lines.is_made_on_assembly,
        lines.is_substitute,
        coalesce(lines.is_export_controlled, false) as is_export_controlled,
        coalesce(
            '/i' || cast(lines.abom_installation_id as string),
            '/r' || cast(lines.build_requirement_id as string)
        ) as path_step,
        coalesce(
            children.unit_label,
            coalesce(parts.part_number, 'part ' || cast(lines.part_id as string), 'part') || ' (open)'
        ) as line_label
    from lines
    inner join units as parents on lines.parent_part_inventory_id = parents.part_inventory_id
    left join units as children on lines.child_part_inventory_id = children.part_inventory_id
    -- Only an open requirement is labelled from the required part.
    left join parts on lines.part_id = parts.part_id and lines.child_part_inventory_id is null
    left join cycle_edges
        on
            lines.parent_part_inventory_id = cycle_edges.parent_part_inventory_id
            and lines.child_part_inventory_id = cycle_edges.child_part_inventory_id
    where cycle_edges.parent_part_inventory_id is null
)

select
    *,
    row_number() over (
        partition by parent_part_inventory_id
        order by
            part_number asc nulls last,
            {{ natural_key('reference_designator') }} asc nulls last,
            serial_number asc nulls last,
            lot_number asc nulls last,
            abom_installation_id asc nulls last,
            build_requirement_id asc
    ) as line_number
from labelled
