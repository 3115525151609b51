with requirements as (
    {{ spans_of(ref('stg_ion_history__build_requirements')) }}
),

parents as (
    {{ spans_of(ref('stg_ion_history__build_requirement_part_inventories')) }}
),

installations as (
    {{ spans_of(ref('stg_ion_history__abom_installations')) }}
),

designators as (
    {{ spans_of(ref('stg_ion_history__build_requirement_reference_designators')) }}
),

parent_requirements as (
    select
        parents.parent_part_inventory_id,
        requirements.build_requirement_id,
        requirements.part_id,
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

unnamed as (
    {{ uncovered('designators', ['build_requirement_id', 'build_requirement_reference_designator_id']) }}
),

-- A designator once known has a row at all times, without a name before it was there and after it was gone.
names as (
    select
        build_requirement_id,
        build_requirement_reference_designator_id,
        reference_designator,
        valid_from,
        valid_until
    from designators
    union all
    select
        build_requirement_id,
        build_requirement_reference_designator_id,
        cast(null as varchar) as reference_designator,
        valid_from,
        valid_until
    from unnamed
),

placed as (
    select
        installations.abom_installation_id,
        installations.build_requirement_id,
        installations.part_inventory_id,
        names.reference_designator,
        installations.quantity,
        installations.created_at,
        installations.updated_at,
        installations.created_by_id,
        -- Null is passed over: without a designator the span is the installation's own.
        {{ common_span('installations', 'names') }}
    from installations
    left join names
        on
            installations.build_requirement_id = names.build_requirement_id
            and installations.build_requirement_reference_designator_id
            = names.build_requirement_reference_designator_id
            and {{ overlap('installations', 'names') }}
    -- An installation without a unit fills the requirement but is no part of a tree.
    where installations.part_inventory_id is not null
),

filled as (
    select
        parent_requirements.parent_part_inventory_id,
        parent_requirements.build_requirement_id,
        parent_requirements.part_id,
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
        parent_requirements.is_made_on_assembly,
        parent_requirements.quantity_required,
        cast(null as bigint) as child_part_inventory_id,
        cast(null as bigint) as abom_installation_id,
        cast(null as varchar) as reference_designator,
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
