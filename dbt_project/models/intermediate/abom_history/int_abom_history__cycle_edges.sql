{{ config(materialized='table') }}

-- All states on a cycle begin at the same instant: the change that closes the cycle changes one unit, and with it every
-- unit that contains it.
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
