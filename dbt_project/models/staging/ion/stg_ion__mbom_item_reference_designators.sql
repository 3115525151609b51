with source as (
    select * from {{ source('ion', 'mbom_item_reference_designators') }}
),

renamed as (
    select
        id as mbom_item_reference_designator_id,
        mbom_item_id,
        value as reference_designator,
        {{ audit_columns() }}
    from source
)

select * from renamed
