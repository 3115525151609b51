with source as (
    select * from {{ source('ion', 'locations') }}
),

renamed as (
    select
        id as location_id,
        name as location_name,
        parent_id as parent_location_id,
        type as location_type,
        location_subtype_id,
        description as location_description,
        address,
        latitude,
        longitude,
        supervisor_id,
        available as is_available,
        archived as is_archived,
        {{ audit_columns() }}
    from source
)

select * from renamed
