with requirements as (
    {{ spans_of(ref('stg_ion_history__build_requirements')) }}
),

parents as (
    {{ spans_of(ref('stg_ion_history__build_requirement_part_inventories')) }}
),

installations as (
    {{ spans_of(ref('stg_ion_history__abom_installations')) }}
),

placed as (
    select * from {{ ref('int_abom_history__installations') }}
),

parent_requirements as (
    select
        parents.parent_part_inventory_id,
        requirements.build_requirement_id,
        requirements.part_id,
        requirements.origin_mbom_item_id,
        coalesce(requirements.is_made_on_assembly, false) as is_made_on_assembly,
        coalesce(requirements.quantity_per_parent, requirements.quantity_fixed) as quantity_required,
        requirements.created_at,
        requirements.updated_at,
        {{ common_span('parents', 'requirements') }}
    from parents
    inner join requirements
        on
            parents.build_requirement_id = requirements.build_requirement_id
            and {{ overlap('parents', 'requirements') }}
),

filled as (
    select
        parent_requirements.parent_part_inventory_id,
        parent_requirements.build_requirement_id,
        parent_requirements.part_id,
        parent_requirements.origin_mbom_item_id,
        parent_requirements.is_made_on_assembly,
        parent_requirements.quantity_required,
        placed.part_inventory_id as child_part_inventory_id,
        placed.abom_installation_id,
        placed.reference_designator,
        placed.quantity as quantity_installed,
        placed.created_at,
        placed.updated_at,
        placed.created_by_id,
        {{ common_span('parent_requirements', 'placed') }}
    from parent_requirements
    inner join placed
        on
            parent_requirements.build_requirement_id = placed.build_requirement_id
            and {{ overlap('parent_requirements', 'placed') }}
),

vacant as (
    {{ uncovered('installations', ['build_requirement_id']) }}
    union all
    select
        requirements.build_requirement_id,
        {{ start_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_until
    from (select distinct build_requirement_id from requirements) as requirements
    left join installations on requirements.build_requirement_id = installations.build_requirement_id
    where installations.abom_installation_id is null
),

unfilled as (
    select
        parent_requirements.parent_part_inventory_id,
        parent_requirements.build_requirement_id,
        parent_requirements.part_id,
        parent_requirements.origin_mbom_item_id,
        parent_requirements.is_made_on_assembly,
        parent_requirements.quantity_required,
        cast(null as bigint) as child_part_inventory_id,
        cast(null as bigint) as abom_installation_id,
        cast(null as string) as reference_designator,
        cast(0 as double) as quantity_installed,
        parent_requirements.created_at,
        parent_requirements.updated_at,
        cast(null as bigint) as created_by_id,
        {{ common_span('parent_requirements', 'vacant') }}
    from parent_requirements
    inner join vacant
        on
            parent_requirements.build_requirement_id = vacant.build_requirement_id
            and {{ overlap('parent_requirements', 'vacant') }}
    where parent_requirements.quantity_required > 0
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
