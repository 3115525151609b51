{{ config(materialized='table') }}

-- All lines of a unit are in one row: the paths are then the larger side of the join, which keeps their order.
with lines as (
    select * from {{ ref('int_abom__tree_lines') }}
)

select
    parent_part_inventory_id,
    {{ list_of(struct_of([
        'part_inventory_id', 'build_requirement_id', 'abom_installation_id', 'part_id', 'part_number', 'part_revision',
        'part_description', 'serial_number', 'lot_number', 'tracking_type', 'reference_designator', 'quantity_required',
        'quantity_installed', 'quantity_per_piece', 'is_open_requirement', 'is_made_on_assembly',
        'is_substitute', 'path_step', 'line_label', 'line_number', 'is_export_controlled'
    ]), 'line_number') }} as lines
from lines
group by parent_part_inventory_id
