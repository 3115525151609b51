with source as (
    select * from {{ source('ion', 'steps') }}
),

renamed as (
    select
        id as step_id,
        procedure_id,
        parent_id as parent_step_id,
        position,
        title as step_title,
        type as step_type,
        content,
        lead_time,
        location_id,
        family_id as step_family_id,
        origin_step_id,
        upstream_step_ids,
        is_standard_step,
        approved as is_approved,
        {{ is_export_controlled('steps', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
