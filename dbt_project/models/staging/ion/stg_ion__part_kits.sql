with source as (
    select * from {{ source('ion', 'part_kits') }}
),

renamed as (
    select
        id as part_kit_id,
        run_id,
        status,
        location_id,
        delivery_location_id,
        assigned_to_id,
        assigned_team_id,
        fulfilled as is_fulfilled,
        percent_fulfilled,
        percent_kitted,
        {{ is_export_controlled('part_kits', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
