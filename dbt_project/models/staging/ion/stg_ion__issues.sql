with source as (
    select * from {{ source('ion', 'issues') }}
),

renamed as (
    select
        id as issue_id,
        title as issue_title,
        status,
        issue_disposition_type_id,
        disposition,
        run_step_id,
        purchase_order_line_id,
        must_close_by_run_step_id,
        part_inventory_id,
        fix_part_inventory_id,
        cause_condition,
        expected_condition,
        assigned_to_id,
        assigned_team_id,
        approved as is_approved,
        {{ is_export_controlled('issues', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
