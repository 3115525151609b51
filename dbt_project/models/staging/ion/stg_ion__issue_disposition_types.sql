with source as (
    select * from {{ source('ion', 'issue_disposition_types') }}
),

renamed as (
    select
        id as issue_disposition_type_id,
        title as disposition_type,
        description as disposition_type_description,
        active as is_active,
        {{ adopted_text('availability') }} as inventory_availability,
        {{ audit_columns() }}
    from source
)

select * from renamed
