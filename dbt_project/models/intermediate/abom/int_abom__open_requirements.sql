with units as (
    select
        labels.*,
        inventories.status
    from {{ ref('int_abom__units') }} as labels
    inner join {{ ref('stg_ion__part_inventories') }} as inventories
        on labels.part_inventory_id = inventories.part_inventory_id
),

requirements as (
    select * from {{ ref('int_production__requirements') }}
    where not coalesce(is_filled, false) and quantity_required is not null
),

described as (
    select
        2 as abom_generation,
        build_requirement_id,
        'build_requirements' as requirement_type,
        origin_mbom_item_id,
        is_export_controlled
    from {{ ref('stg_ion__build_requirements') }}
    union all
    select
        1 as abom_generation,
        abom_item_id as build_requirement_id,
        'abom_items' as requirement_type,
        origin_mbom_item_id,
        is_export_controlled
    from {{ ref('stg_ion__abom_items') }}
)

select
    described.requirement_type,
    described.build_requirement_id,
    {{ any_of('requirements.part_id') }} as part_id,
    {{ any_of('described.origin_mbom_item_id') }} as origin_mbom_item_id,
    case when count(*) = 1 then min(units.unit_label) else cast(count(*) as string) || ' units' end as parent_label,
    case when count(distinct units.status) = 1 then min(units.status) end as parent_status,
    {{ ids_of('requirements.part_inventory_id') }} as parent_part_inventory_ids,
    {{ any_of('requirements.quantity_required') }} as quantity_required,
    {{ any_of('requirements.quantity_known') }} as quantity_installed,
    {{ any_of('requirements.quantity_required - requirements.quantity_known') }} as quantity_open,
    coalesce(bool_or(described.is_export_controlled), false) as is_export_controlled
from requirements
inner join described
    on
        requirements.abom_generation = described.abom_generation
        and requirements.build_requirement_id = described.build_requirement_id
inner join units on requirements.part_inventory_id = units.part_inventory_id
group by described.requirement_type, described.build_requirement_id
