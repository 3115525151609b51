with installations as (
    {{ spans_of(ref('stg_ion_history__abom_installations')) }}
),

designators as (
    {{ spans_of(ref('stg_ion_history__build_requirement_reference_designators')) }}
),

unnamed as (
    {{ uncovered('designators', ['build_requirement_id', 'build_requirement_reference_designator_id']) }}
),

-- Every known designator has a row for all of time; its name is null before it was created and after it was deleted.
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
        cast(null as string) as reference_designator,
        valid_from,
        valid_until
    from unnamed
)

select
    installations.abom_installation_id,
    installations.build_requirement_id,
    installations.part_inventory_id,
    names.reference_designator,
    installations.quantity,
    installations.created_at,
    installations.updated_at,
    installations.created_by_id,
    -- Nulls are ignored: without a designator the period is that of the installation.
    {{ common_span('installations', 'names') }}
from installations
left join names
    on
        installations.build_requirement_id = names.build_requirement_id
        and installations.build_requirement_reference_designator_id
        = names.build_requirement_reference_designator_id
        and {{ overlap('installations', 'names') }}
-- An installation without a unit fills the requirement but is not part of a tree.
where installations.part_inventory_id is not null
