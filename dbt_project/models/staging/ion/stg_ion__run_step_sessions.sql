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
        {{ is_export_controlled('run_steps', 'run_step_id') }} as is_export_controlled,
        created_by_id
    from source
)

select * from renamed
