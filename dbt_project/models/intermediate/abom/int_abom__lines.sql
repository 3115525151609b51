{{ config(materialized='table') }}

with generation_1 as (
    select * from {{ ref('int_abom__generation_1_lines') }}
),

generation_2 as (
    select * from {{ ref('int_abom__generation_2_lines') }}
),

generation_2_parents as (
    select distinct parent_part_inventory_id from {{ ref('stg_ion__build_requirement_part_inventories') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
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

-- For a unit that has any requirement of generation 2, only generation 2 is used.
both_generations as (
    select * from generation_2
    union all
    select generation_1.*
    from generation_1
    left join generation_2_parents
        on generation_1.parent_part_inventory_id = generation_2_parents.parent_part_inventory_id
    where generation_2_parents.parent_part_inventory_id is null
)

select
    both_generations.*,
    {{ designator_key('both_generations.reference_designator') }} as designator_key,
    planned.mbom_id as origin_mbom_id,
    parts.part_number as required_part_number,
    substitutes.part_id is not null and coalesce(children.part_id <> planned.part_id, true) as is_substitute,
    cast(both_generations.abom_generation as string)
    || ':' || cast(both_generations.parent_part_inventory_id as string)
    || case when both_generations.child_part_inventory_id is null then ':r' else ':i' end
    || cast(
        coalesce(both_generations.abom_installation_id, both_generations.build_requirement_id) as string
    ) as line_key,
    coalesce(both_generations.is_requirement_controlled, false)
    or coalesce(parents.is_export_controlled, false)
    or coalesce(children.is_export_controlled, false) as is_export_controlled
from both_generations
inner join units as parents on both_generations.parent_part_inventory_id = parents.part_inventory_id
left join units as children on both_generations.child_part_inventory_id = children.part_inventory_id
left join parts on both_generations.part_id = parts.part_id
left join planned on both_generations.origin_mbom_item_id = planned.mbom_item_id
left join substitutes
    on
        both_generations.origin_mbom_item_id = substitutes.mbom_item_id
        and children.part_id = substitutes.part_id
-- Both units of a line must exist; a line to a unit that is not extracted yet appears with the next load.
where
    both_generations.child_part_inventory_id is null
    or children.part_inventory_id is not null
