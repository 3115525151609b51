with requirements as (
    select * from {{ ref('stg_ion__build_requirements') }}
),

parents as (
    select * from {{ ref('stg_ion__build_requirement_part_inventories') }}
),

installations as (
    select * from {{ ref('stg_ion__abom_installations') }}
),

designators as (
    select * from {{ ref('stg_ion__build_requirement_reference_designators') }}
),

parent_requirements as (
    select
        parents.parent_part_inventory_id,
        requirements.build_requirement_id,
        requirements.part_id,
        requirements.origin_mbom_item_id,
        coalesce(requirements.is_made_on_assembly, false) as is_made_on_assembly,
        coalesce(requirements.quantity_per_parent, requirements.quantity_fixed) as quantity_required,
        requirements.is_export_controlled as is_requirement_controlled
    from parents
    inner join requirements on parents.build_requirement_id = requirements.build_requirement_id
),

filled as (
    select
        parent_requirements.*,
        installations.part_inventory_id as child_part_inventory_id,
        installations.abom_installation_id,
        designators.reference_designator,
        installations.quantity as quantity_installed,
        installations.created_at as installed_at,
        installations.created_by_id as installed_by_id
    from parent_requirements
    inner join installations on parent_requirements.build_requirement_id = installations.build_requirement_id
    left join designators
        on
            installations.build_requirement_reference_designator_id
            = designators.build_requirement_reference_designator_id
            and installations.build_requirement_id = designators.build_requirement_id
    -- An installation without a unit fills the requirement but is not part of a tree.
    where installations.part_inventory_id is not null
),

unfilled as (
    select
        parent_requirements.*,
        cast(null as bigint) as child_part_inventory_id,
        cast(null as bigint) as abom_installation_id,
        cast(null as string) as reference_designator,
        cast(0 as double) as quantity_installed,
        cast(null as {{ type_instant() }}) as installed_at,
        cast(null as bigint) as installed_by_id
    from parent_requirements
    left join installations on parent_requirements.build_requirement_id = installations.build_requirement_id
    where
        parent_requirements.quantity_required > 0
        and installations.abom_installation_id is null
)

select
    2 as abom_generation,
    *
from filled
union all
select
    2 as abom_generation,
    *
from unfilled
