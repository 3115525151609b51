{{ config(materialized='table') }}

with recursive edges as (
    select distinct
        parent_part_id as parent_id,
        part_id as child_id
    from {{ ref('int_mbom__state_lines') }}
    where is_in_force
),

{{ cycle_edges() }}

select
    parent_id as parent_part_id,
    child_id as child_part_id
from cycle_edges
