with source as (
    select * from {{ source('ion', 'users') }}
),

renamed as (
    select
        id as user_id,
        name as user_name,
        email,
        deactivated as is_deactivated,
        is_admin,
        ion_bot as is_bot,
        _created as created_at,
        _updated as updated_at
    from source
)

select * from renamed
