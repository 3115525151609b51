{{ config(materialized='table') }}

with lines as (
    select * from {{ ref('int_abom__lines') }}
    where child_part_inventory_id is not null
),

units as (
    select * from {{ ref('int_abom__units') }}
),

inventories as (
    select * from {{ ref('stg_ion__part_inventories') }}
),

rings as (
    select * from {{ ref('int_anomalies__rings') }}
),

-- A unit is completed when its last run is completed and none of its runs is unfinished.
completions as (
    select
        part_inventory_id,
        max(ended_at) as completed_at
    from {{ ref('stg_ion__runs') }}
    where status <> 'CANCELED'
    group by part_inventory_id
    having count(*) = count(case when status in ('COMPLETE', 'PARTIAL_COMPLETE') then ended_at end)
),

dangling as (
    select installations.*
    from {{ ref('stg_ion__abom_installations') }} as installations
    left join {{ ref('stg_ion__build_requirements') }} as requirements
        on installations.build_requirement_id = requirements.build_requirement_id
    where requirements.build_requirement_id is null
),

-- Trees are not written out deeper than these units.
deepest as (
    select distinct part_inventory_id
    from {{ ref('int_abom__assembly_paths') }}
    where depth >= {{ var('abom_max_depth') }}
),

assemblies as (
    select distinct parent_part_inventory_id as part_inventory_id
    from lines
),

installed as (
    select
        abom_generation,
        abom_installation_id,
        build_requirement_id,
        parent_part_inventory_id,
        child_part_inventory_id as part_inventory_id,
        reference_designator,
        quantity_installed as quantity,
        installed_at,
        true as has_requirement,
        is_export_controlled
    from lines

    union all

    select
        2 as abom_generation,
        abom_installation_id,
        build_requirement_id,
        cast(null as bigint) as parent_part_inventory_id,
        part_inventory_id,
        cast(null as string) as reference_designator,
        quantity,
        created_at as installed_at,
        false as has_requirement,
        {{ is_export_controlled('abom_installations', 'abom_installation_id') }} as is_export_controlled
    from dangling
)

select
    installed.abom_generation,
    installed.abom_installation_id,
    installed.build_requirement_id,
    installed.parent_part_inventory_id,
    installed.part_inventory_id,
    installed.reference_designator,
    installed.quantity,
    installed.installed_at,
    installed.has_requirement,
    parents.unit_label as parent,
    coalesce(children.unit_label, 'something') as child,
    children.tracking_type as child_tracking_type,
    inventories.status as child_status,
    coalesce(
        inventories.status = 'SCRAPPED' or (children.tracking_type = 'SERIAL' and inventories.quantity_scrapped > 0),
        false
    ) as child_is_scrapped,
    inventories.quantity as child_quantity,
    inventories.created_at as child_created_at,
    completions.completed_at as parent_completed_at,
    parent_rings.ring_id,
    parent_rings.ring_id is null
    and deepest.part_inventory_id is not null
    and assemblies.part_inventory_id is not null as is_cut_off,
    coalesce(installed.is_export_controlled, false) as is_export_controlled
from installed
left join units as parents on installed.parent_part_inventory_id = parents.part_inventory_id
left join units as children on installed.part_inventory_id = children.part_inventory_id
left join inventories on installed.part_inventory_id = inventories.part_inventory_id
left join deepest on installed.parent_part_inventory_id = deepest.part_inventory_id
left join assemblies on installed.part_inventory_id = assemblies.part_inventory_id
left join completions on installed.parent_part_inventory_id = completions.part_inventory_id
-- An installation is on a cycle when both of its units are in the same cycle group.
left join rings as child_rings on installed.part_inventory_id = child_rings.part_inventory_id
left join rings as parent_rings
    on
        installed.parent_part_inventory_id = parent_rings.part_inventory_id
        and child_rings.ring_id = parent_rings.ring_id
