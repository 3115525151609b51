with source as (
    select * from {{ source('ion_history', 'run_steps') }}
),

renamed as (
    select
        id as run_step_id,
        run_id,
        status,
        start_time as started_at,
        end_time as ended_at,
        _updated as updated_at,
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
