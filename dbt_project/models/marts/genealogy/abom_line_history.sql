with lines as (
    select * from {{ ref('int_abom_history__lines') }}
),

edges as (
    select * from {{ ref('int_abom_history__structure_edges') }}
),

cycle_edges as (
    select * from {{ ref('int_abom_history__cycle_edges') }}
),

assemblies as (
    select distinct parent_part_inventory_id as part_inventory_id from lines
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

planned as (
    select * from {{ ref('stg_ion__mbom_items') }}
),

substitutes as (
    select distinct
        mbom_item_id,
        part_id
    from {{ ref('stg_ion__mbom_substitutes') }}
),

cycle_pairs as (
    select distinct
        edges.parent_part_inventory_id,
        edges.child_part_inventory_id
    from edges
    inner join cycle_edges
        on edges.parent_state_id = cycle_edges.parent_state_id and edges.child_state_id = cycle_edges.child_state_id
),

-- For two units that were ever on a cycle, the lines between them are split by the states of the parent.
states_on_cycles as (
    select distinct
        edges.parent_part_inventory_id,
        edges.child_part_inventory_id,
        edges.valid_from,
        edges.valid_until,
        cycle_edges.parent_state_id is not null as is_quarantined
    from edges
    inner join cycle_pairs
        on
            edges.parent_part_inventory_id = cycle_pairs.parent_part_inventory_id
            and edges.child_part_inventory_id = cycle_pairs.child_part_inventory_id
    left join cycle_edges
        on edges.parent_state_id = cycle_edges.parent_state_id and edges.child_state_id = cycle_edges.child_state_id
)

-- Nulls are ignored: a line that was on no cycle keeps its period. Lines that hold assemblies come first in the file,
-- because they are few and tree macros walk them; the rest is read once per tree.
select
    lines.line_key as abom_line_key,
    greatest(lines.valid_from, states_on_cycles.valid_from) as valid_from,
    nullif(least(lines.valid_until, states_on_cycles.valid_until), {{ end_of_time() }}) as valid_to,
    least(lines.valid_until, states_on_cycles.valid_until) = {{ end_of_time() }} as is_current,
    lines.abom_generation,
    lines.parent_part_inventory_id,
    lines.build_requirement_id,
    lines.abom_installation_id,
    lines.child_part_inventory_id as part_inventory_id,
    lines.part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    lines.serial_number,
    lines.lot_number,
    case when lines.child_part_inventory_id is null then parts.tracking_type else lines.tracking_type end
        as tracking_type,
    lines.reference_designator,
    lines.designator_key,
    lines.quantity_required,
    lines.quantity_installed,
    lines.quantity_per_piece,
    required_parts.part_number as required_part_number,
    lines.origin_mbom_item_id,
    planned.mbom_id as origin_mbom_id,
    lines.child_part_inventory_id is null as is_open_requirement,
    lines.is_made_on_assembly,
    substitutes.part_id is not null and coalesce(lines.part_id <> planned.part_id, true) as is_substitute,
    coalesce(states_on_cycles.is_quarantined, false) as is_quarantined,
    assemblies.part_inventory_id is not null as is_assembly,
    case when lines.child_part_inventory_id is not null then lines.created_at end as installed_at,
    case when lines.child_part_inventory_id is not null then lines.created_by_id end as installed_by_id,
    users.user_name as installed_by,
    {{ is_export_controlled('part_inventories', 'lines.parent_part_inventory_id') }}
    or {{ is_export_controlled('part_inventories', 'lines.child_part_inventory_id') }}
    or {{ is_export_controlled('parts', 'lines.part_id') }}
    or {{ is_export_controlled('parts', 'lines.required_part_id') }}
    or {{ is_export_controlled('mbom_items', 'lines.origin_mbom_item_id') }} as is_export_controlled
from lines
left join states_on_cycles
    on
        lines.parent_part_inventory_id = states_on_cycles.parent_part_inventory_id
        and lines.child_part_inventory_id = states_on_cycles.child_part_inventory_id
        and {{ overlap('lines', 'states_on_cycles') }}
left join assemblies on lines.child_part_inventory_id = assemblies.part_inventory_id
left join parts on lines.part_id = parts.part_id
left join parts as required_parts on lines.required_part_id = required_parts.part_id
left join planned on lines.origin_mbom_item_id = planned.mbom_item_id
left join substitutes
    on
        lines.origin_mbom_item_id = substitutes.mbom_item_id
        and lines.part_id = substitutes.part_id
        and lines.child_part_inventory_id is not null
left join users on lines.created_by_id = users.user_id and lines.child_part_inventory_id is not null
order by is_assembly desc, lines.parent_part_inventory_id asc, valid_from asc, abom_line_key asc
