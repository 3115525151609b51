with source as (
    select * from {{ source('ion', 'team_users') }}
),

renamed as (
    select
        team_id,
        user_id
    from source
)

select * from renamed
