with source as (
    select * from {{ source('ion_history', 'abom_item_reference_designators') }}
),

renamed as (
    select
        abom_item_id,
        id as abom_item_reference_designator_id,
        value as reference_designator,
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
