with source as (
    select * from {{ source('ion', 'suppliers') }}
),

renamed as (
    select
        id as supplier_id,
        name as supplier_name,
        description as supplier_description,
        contact_name,
        email,
        phone_number,
        address,
        {{ audit_columns() }}
    from source
)

select * from renamed
