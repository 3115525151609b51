{{ config(materialized='table') }}

with paths as (
    select * from {{ ref('int_abom__assembly_paths') }}
),

lines as (
    select * from {{ ref('int_abom__tree_lines') }}
    where not is_open_requirement
),

-- Sum before joining: an assembly that is in a root by many paths, or in a unit by many lines, is then joined once. A
-- sum that includes an unknown quantity is unknown.
assemblies as (
    select
        root_part_inventory_id,
        part_inventory_id,
        min(depth) as depth,
        count(*) as path_count,
        case when count(*) = count(quantity_extended) then sum(quantity_extended) end as quantity_extended
    from paths
    group by root_part_inventory_id, part_inventory_id
),

components as (
    select
        parent_part_inventory_id,
        part_inventory_id,
        count(*) as line_count,
        case when count(*) = count(quantity_per_piece) then sum(quantity_per_piece) end as quantity_per_piece
    from lines
    group by parent_part_inventory_id, part_inventory_id
),

uses as (
    select
        components.part_inventory_id as component_part_inventory_id,
        assemblies.root_part_inventory_id as ancestor_part_inventory_id,
        assemblies.depth + 1 as depth,
        assemblies.path_count * components.line_count as path_count,
        assemblies.quantity_extended * components.quantity_per_piece as quantity_extended
    from assemblies
    inner join components on assemblies.part_inventory_id = components.parent_part_inventory_id
)

select
    component_part_inventory_id,
    ancestor_part_inventory_id,
    min(depth) as min_depth,
    cast(sum(path_count) as bigint) as path_count,
    case when count(*) = count(quantity_extended) then sum(quantity_extended) end as quantity_extended
from uses
group by component_part_inventory_id, ancestor_part_inventory_id
order by component_part_inventory_id, ancestor_part_inventory_id
