{{ config(materialized='table') }}

with edges as (
    select * from {{ ref('int_abom_history__structure_edges') }}
),

cycle_edges as (
    select * from {{ ref('int_abom_history__cycle_edges') }}
),

states as (
    select * from {{ ref('int_abom_history__structure_states') }}
),

lines as (
    select * from {{ ref('int_abom_history__lines') }}
),

assemblies as (
    select distinct part_inventory_id from states
),

tree_edges as (
    select edges.*
    from edges
    left join cycle_edges
        on edges.parent_state_id = cycle_edges.parent_state_id and edges.child_state_id = cycle_edges.child_state_id
    where cycle_edges.parent_state_id is null
),

parent_states as (
    select distinct parent_state_id from tree_edges
),

-- A unit whose lines are all on cycles has nothing below it in its tree.
with_plain_lines as (
    select distinct states.structure_state_id
    from states
    inner join lines
        on
            states.part_inventory_id = lines.parent_part_inventory_id
            and states.valid_from >= lines.valid_from
            and states.valid_from < lines.valid_until
    left join assemblies on lines.child_part_inventory_id = assemblies.part_inventory_id
    where assemblies.part_inventory_id is null
)

select
    tree_edges.*,
    with_plain_lines.structure_state_id is null and parent_states.parent_state_id is null as is_bare
from tree_edges
left join with_plain_lines on tree_edges.child_state_id = with_plain_lines.structure_state_id
left join parent_states on tree_edges.child_state_id = parent_states.parent_state_id
