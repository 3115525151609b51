with source as (
    select * from {{ source('ion', 'reviews') }}
),

renamed as (
    select
        id as review_id,
        procedure_id,
        step_id,
        reviewer_id,
        parent_id as parent_review_id,
        status,
        comment,
        content,
        {{ is_export_controlled('reviews', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
