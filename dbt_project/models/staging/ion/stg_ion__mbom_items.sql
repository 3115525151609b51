with source as (
    select * from {{ source('ion', 'mbom_items') }}
),

renamed as (
    select
        id as mbom_item_id,
        mbom_id,
        part_id,
        quantity,
        made_on_assembly as is_made_on_assembly,
        _deleted as is_deleted,
        {{ is_export_controlled('mbom_items', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
