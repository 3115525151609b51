with units as (
    select
        labels.*,
        inventories.status
    from {{ ref('int_abom__units') }} as labels
    inner join {{ ref('stg_ion__part_inventories') }} as inventories
        on labels.part_inventory_id = inventories.part_inventory_id
),

requirements as (
    select * from {{ ref('stg_ion__build_requirements') }}
),

parents as (
    select distinct
        links.build_requirement_id,
        links.parent_part_inventory_id
    from {{ ref('stg_ion__build_requirement_part_inventories') }} as links
    inner join units on links.parent_part_inventory_id = units.part_inventory_id
),

-- A requirement of several units is filled for all of them together, whichever of them a component is installed in.
installed as (
    select
        build_requirement_id,
        sum(quantity) as quantity_installed
    from {{ ref('stg_ion__abom_installations') }}
    group by build_requirement_id
),

generation_2 as (
    select
        'build_requirements' as requirement_type,
        requirements.build_requirement_id,
        parents.parent_part_inventory_id,
        requirements.part_id,
        requirements.origin_mbom_item_id,
        coalesce(
            requirements.quantity_per_parent * count(*) over (partition by requirements.build_requirement_id),
            requirements.quantity_fixed
        ) as quantity_required,
        coalesce(installed.quantity_installed, 0) as quantity_installed,
        requirements.is_export_controlled
    from requirements
    inner join parents on requirements.build_requirement_id = parents.build_requirement_id
    left join installed on requirements.build_requirement_id = installed.build_requirement_id
),

generation_1 as (
    select distinct
        'abom_items' as requirement_type,
        build_requirement_id,
        parent_part_inventory_id,
        part_id,
        origin_mbom_item_id,
        quantity_required,
        coalesce(quantity_installed, 0) as quantity_installed,
        is_requirement_controlled as is_export_controlled
    from {{ ref('int_abom__lines') }}
    where abom_generation = 1
),

lines as (
    select * from generation_2
    union all
    select * from generation_1
)

select
    lines.requirement_type,
    lines.build_requirement_id,
    {{ any_of('lines.part_id') }} as part_id,
    {{ any_of('lines.origin_mbom_item_id') }} as origin_mbom_item_id,
    case when count(*) = 1 then min(units.unit_label) else cast(count(*) as string) || ' units' end as parent_label,
    case when count(distinct units.status) = 1 then min(units.status) end as parent_status,
    {{ ids_of('lines.parent_part_inventory_id') }} as parent_part_inventory_ids,
    {{ any_of('lines.quantity_required') }} as quantity_required,
    {{ any_of('lines.quantity_installed') }} as quantity_installed,
    {{ any_of('lines.quantity_required - lines.quantity_installed') }} as quantity_open,
    coalesce(bool_or(lines.is_export_controlled), false) as is_export_controlled
from lines
inner join units on lines.parent_part_inventory_id = units.part_inventory_id
where lines.quantity_required - lines.quantity_installed > 1e-9 * lines.quantity_required
group by lines.requirement_type, lines.build_requirement_id
