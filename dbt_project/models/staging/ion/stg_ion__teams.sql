with source as (
    select * from {{ source('ion', 'teams') }}
),

renamed as (
    select
        id as team_id,
        name as team_name,
        supervisor_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
