with source as (
    select * from {{ source('ion', 'run_steps') }}
),

renamed as (
    select
        id as run_step_id,
        run_id,
        origin_step_id,
        parent_id as parent_run_step_id,
        title as run_step_title,
        type as run_step_type,
        status,
        position,
        start_time as started_at,
        end_time as ended_at,
        started_by_id,
        completed_by_id,
        location_id,
        assigned_to_id,
        assigned_team_id,
        upstream_step_ids as upstream_run_step_ids,
        is_standard_step,
        batched as is_batched,
        available_to_work as is_available_to_work,
        {{ is_export_controlled('run_steps', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
