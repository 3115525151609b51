with source as (
    select * from {{ source('ion', 'issue_part_inventories') }}
),

renamed as (
    select
        issue_id,
        part_inventory_id,
        from_split_inventory as is_from_split_inventory,
        {{ is_export_controlled('issues', 'issue_id') }}
        or {{ is_export_controlled('part_inventories', 'part_inventory_id') }}
            as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
