{{ config(materialized='table') }}

-- States on a cycle all begin at one instant: what closes it is a change of one of them, and so of all that it is in.
with recursive edges as (
    select distinct
        parent_state_id as parent_id,
        child_state_id as child_id
    from {{ ref('int_abom_history__structure_edges') }}
),

{{ cycle_edges() }}

select
    parent_id as parent_state_id,
    child_id as child_state_id
from cycle_edges
