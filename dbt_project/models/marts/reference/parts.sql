with recursive parts as (
    select * from {{ ref('stg_ion__parts') }}
),

units_of_measurement as (
    select * from {{ ref('stg_ion__units_of_measurement') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

attribute_maps as (
    {{ attribute_maps('part') }}
),

subtypes as (
    select
        links.part_id,
        {{ list_of('subtypes.part_subtype', 'subtypes.part_subtype') }} as subtypes
    from {{ ref('stg_ion__part_part_subtypes') }} as links
    inner join {{ ref('stg_ion__part_subtypes') }} as subtypes on links.part_subtype_id = subtypes.part_subtype_id
    group by links.part_id
),

-- Follows each chain from its first revision, because a revision may have been given another part number.
chains as (
    select
        parts.part_id,
        parts.part_number as family_part_number,
        0 as generation
    from parts
    left join parts as earlier on parts.revised_from_part_id = earlier.part_id
    where earlier.part_id is null

    union all

    select
        parts.part_id,
        chains.family_part_number,
        chains.generation + 1 as generation
    from chains
    inner join parts on chains.part_id = parts.revised_from_part_id
    where chains.generation < {{ var('revision_max_depth') }}
),

families as (
    select
        parts.part_id,
        coalesce(chains.family_part_number, parts.part_number) as family_part_number
    from parts
    left join chains on parts.part_id = chains.part_id
),

flagged as (
    select
        parts.*,
        families.family_part_number,
        min(parts.part_id) over (partition by families.family_part_number) as revision_family_id,
        -- ION's flag where there is one, else the revision created last.
        coalesce(
            parts.is_latest_revision,
            parts.part_id = max(parts.part_id) over (partition by families.family_part_number)
        ) as is_latest
    from parts
    inner join families on parts.part_id = families.part_id
)

select
    flagged.part_id,
    flagged.part_number,
    flagged.part_revision,
    flagged.part_description,
    flagged.part_type,
    flagged.tracking_type,
    flagged.sourcing_strategy,
    coalesce(units_of_measurement.unit_of_measure, 'unit ' || cast(flagged.unit_of_measure_id as string))
        as unit_of_measure,
    flagged.revision_family_id,
    flagged.family_part_number,
    flagged.is_latest as is_latest_revision,
    flagged.revised_from_part_id,
    flagged.revision_scheme,
    flagged.supplier_part_number,
    flagged.lead_time,
    flagged.cost,
    flagged.maintenance_interval_seconds,
    coalesce(flagged.is_export_controlled, false) as is_export_controlled,
    coalesce(subtypes.subtypes, {{ empty_list() }}) as subtypes,
    {{ list_text('subtypes.subtypes') }} as subtypes_text,
    attribute_maps.attributes,
    flagged.created_at,
    flagged.created_by_id,
    users.user_name as created_by,
    flagged.updated_at
from flagged
left join units_of_measurement on flagged.unit_of_measure_id = units_of_measurement.unit_of_measure_id
left join subtypes on flagged.part_id = subtypes.part_id
left join attribute_maps on flagged.part_id = attribute_maps.owner_id
left join users on flagged.created_by_id = users.user_id
order by flagged.part_id
