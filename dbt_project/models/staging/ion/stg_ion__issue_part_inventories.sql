with source as (
    select * from {{ source('ion', 'issue_part_inventories') }}
),

renamed as (
    select
        issue_id,
        part_inventory_id,
        from_split_inventory as is_from_split_inventory,
        {{ audit_columns() }}
    from source
)

select * from renamed
