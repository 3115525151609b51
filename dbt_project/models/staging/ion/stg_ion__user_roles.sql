with source as (
    select * from {{ source('ion', 'user_roles') }}
),

renamed as (
    select
        user_id,
        role_id
    from source
)

select * from renamed
