with source as (
    select * from {{ source('ion', 'plans') }}
),

renamed as (
    select
        id as plan_id,
        name as plan_name,
        description as plan_description,
        status,
        include_in_mrp as is_included_in_mrp,
        percent_complete,
        {{ audit_columns() }}
    from source
)

select * from renamed
