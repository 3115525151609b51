with source as (
    select * from {{ source('ion', 'part_part_subtypes') }}
),

renamed as (
    select
        part_id,
        part_subtype_id
    from source
)

select * from renamed
