with source as (
    select * from {{ source('ion_history', 'mbom_substitutes') }}
),

renamed as (
    select
        id as mbom_substitute_id,
        mbom_item_id,
        part_id,
        {{ audit_columns() }},
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
