with source as (
    select * from {{ source('ion', 'mbom_substitutes') }}
),

renamed as (
    select
        id as mbom_substitute_id,
        mbom_item_id,
        part_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
