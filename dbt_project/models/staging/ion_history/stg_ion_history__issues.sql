with source as (
    select * from {{ source('ion_history', 'issues') }}
),

renamed as (
    select
        id as issue_id,
        status,
        _created as created_at,
        _updated as updated_at,
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
