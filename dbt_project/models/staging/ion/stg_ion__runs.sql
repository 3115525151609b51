with source as (
    select * from {{ source('ion', 'runs') }}
),

renamed as (
    select
        id as run_id,
        title as run_title,
        description as run_description,
        status,
        procedure_id,
        part_id,
        part_inventory_id,
        quantity,
        run_batch_id,
        assigned_to_id,
        assigned_team_id,
        percent_complete,
        is_open,
        archived as is_archived,
        batched as is_batched,
        {{ instant_of_text('start_time') }} as started_at,
        {{ instant_of_text('end_time') }} as ended_at,
        due_date as due_at,
        scheduled_start as scheduled_start_at,
        scheduled_end as scheduled_end_at,
        {{ is_export_controlled('runs', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
