with source as (
    select * from {{ source('ion', 'step_fields') }}
),

renamed as (
    select
        id as step_field_id,
        step_id,
        name as step_field_name,
        type as step_field_type,
        unit,
        position,
        options,
        help_text,
        required as is_required,
        allow_not_applicable as is_not_applicable_allowed,
        peer_review_required as is_peer_review_required,
        {{ audit_columns() }}
    from source
)

select * from renamed
