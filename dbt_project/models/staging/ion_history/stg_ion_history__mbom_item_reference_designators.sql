with source as (
    select * from {{ source('ion_history', 'mbom_item_reference_designators') }}
),

renamed as (
    select
        id as mbom_item_reference_designator_id,
        mbom_item_id,
        value as reference_designator,
        {{ audit_columns() }},
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
