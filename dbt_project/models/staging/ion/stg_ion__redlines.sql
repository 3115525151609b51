with source as (
    select * from {{ source('ion', 'redlines') }}
),

renamed as (
    select
        id as redline_id,
        step_id as run_step_id,
        issue_id,
        approved as is_approved,
        batched as is_batched,
        active,
        initial_state,
        final_state,
        diff,
        {{ is_export_controlled('redlines', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
