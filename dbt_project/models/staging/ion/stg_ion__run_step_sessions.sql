with source as (
    select * from {{ source('ion', 'run_step_sessions') }}
),

renamed as (
    select
        run_step_id,
        id as session_id,
        event_type,
        check_in as checked_in_at,
        check_out as checked_out_at,
        duration,
        created_by_id
    from source
)

select * from renamed
