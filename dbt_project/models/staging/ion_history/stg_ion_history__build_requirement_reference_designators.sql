with source as (
    select * from {{ source('ion_history', 'build_requirement_reference_designators') }}
),

renamed as (
    select
        build_requirement_id,
        id as build_requirement_reference_designator_id,
        value as reference_designator,
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
