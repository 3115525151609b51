{{ config(materialized='table') }}

with states as (
    select * from {{ ref('int_abom_history__structure_states') }}
),

lines as (
    select * from {{ ref('int_abom_history__lines') }}
),

edges as (
    select * from {{ ref('int_abom_history__tree_edges') }}
),

assemblies as (
    select distinct part_inventory_id from states
),

-- Open requirements, units that never had a line, and units that have none at this instant. Units count by their
-- present content, not their past: otherwise two equal configurations would have different hashes.
plain_lines as (
    select
        states.structure_state_id,
        lines.child_part_inventory_id is null as is_open,
        lines.part_id,
        case when lines.child_part_inventory_id is null then lines.quantity_required else lines.quantity_per_piece end
            as quantity,
        lines.designator_key
    from lines
    inner join states
        on
            lines.parent_part_inventory_id = states.part_inventory_id
            and lines.valid_from <= states.valid_from
            and lines.valid_until > states.valid_from
    left join assemblies on lines.child_part_inventory_id = assemblies.part_inventory_id
    where assemblies.part_inventory_id is null

    union all

    select
        parent_state_id as structure_state_id,
        false as is_open,
        part_id,
        quantity_per_piece as quantity,
        designator_key
    from edges
    where is_bare
),

digests as (
    select
        structure_state_id,
        {{ line_digest(
            "case when is_open then 'open:' else 'part:' end || coalesce(cast(part_id as string), '')",
            'quantity', 'designator_key'
        ) }} as line_digest
    from plain_lines
)

select
    structure_state_id,
    {{ digest_of_all('line_digest') }} as plain_digest
from digests
group by structure_state_id
