with recursive locations as (
    select * from {{ ref('stg_ion__locations') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

attribute_maps as (
    {{ attribute_maps('location') }}
),

-- From the top down. A location whose parent is missing counts as a top one; a location in a cycle of parents is
-- reached by no path.
paths as (
    select
        locations.location_id,
        0 as depth,
        locations.location_name as location_path,
        {{ list_with('locations.location_id') }} as path_ids
    from locations
    left join locations as parents on locations.parent_location_id = parents.location_id
    where parents.location_id is null

    union all

    select
        locations.location_id,
        paths.depth + 1 as depth,
        paths.location_path || ' > ' || locations.location_name as location_path,
        {{ list_append('paths.path_ids', 'locations.location_id') }} as path_ids
    from paths
    inner join locations on paths.location_id = locations.parent_location_id
    where paths.depth < {{ var('location_max_depth') }}
)

select
    locations.location_id,
    locations.location_name,
    coalesce(paths.location_path, locations.location_name) as location_path,
    coalesce(paths.path_ids, {{ list_with('locations.location_id') }}) as path_ids,
    paths.depth,
    locations.parent_location_id,
    locations.location_type,
    locations.location_description,
    locations.address,
    locations.latitude,
    locations.longitude,
    locations.supervisor_id,
    users.user_name as supervisor,
    locations.is_available,
    locations.is_archived,
    attribute_maps.attributes,
    locations.created_at,
    locations.updated_at
from locations
left join paths on locations.location_id = paths.location_id
left join users on locations.supervisor_id = users.user_id
left join attribute_maps on locations.location_id = attribute_maps.owner_id
order by locations.location_id
