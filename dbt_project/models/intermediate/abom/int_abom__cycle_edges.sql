{{ config(materialized='table') }}

with recursive edges as (
    select distinct
        parent_part_inventory_id as parent_id,
        child_part_inventory_id as child_id
    from {{ ref('int_abom__lines') }}
    where child_part_inventory_id is not null
),

{{ cycle_edges() }}

select
    parent_id as parent_part_inventory_id,
    child_id as child_part_inventory_id
from cycle_edges
