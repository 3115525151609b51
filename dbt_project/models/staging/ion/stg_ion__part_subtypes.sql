with source as (
    select * from {{ source('ion', 'part_subtypes') }}
),

renamed as (
    select
        id as part_subtype_id,
        name as part_subtype,
        description as part_subtype_description,
        {{ audit_columns() }}
    from source
)

select * from renamed
