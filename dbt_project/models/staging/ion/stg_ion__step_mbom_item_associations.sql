with source as (
    select * from {{ source('ion', 'step_mbom_item_associations') }}
),

renamed as (
    select
        id as step_mbom_item_association_id,
        step_id,
        mbom_item_id,
        quantity,
        {{ audit_columns() }}
    from source
)

select * from renamed
