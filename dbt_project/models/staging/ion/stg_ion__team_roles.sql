with source as (
    select * from {{ source('ion', 'team_roles') }}
),

renamed as (
    select
        team_id,
        role_id
    from source
)

select * from renamed
