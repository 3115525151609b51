with source as (
    select * from {{ source('ion', 'build_requirement_reference_designators') }}
),

renamed as (
    select
        build_requirement_id,
        id as build_requirement_reference_designator_id,
        value as reference_designator
    from source
)

select * from renamed
