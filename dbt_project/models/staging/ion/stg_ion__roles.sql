with source as (
    select * from {{ source('ion', 'roles') }}
),

renamed as (
    select
        id as role_id,
        name as role_name,
        {{ audit_columns() }}
    from source
)

select * from renamed
