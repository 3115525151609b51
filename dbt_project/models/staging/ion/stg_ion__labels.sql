with source as (
    select * from {{ source('ion', 'labels') }}
),

renamed as (
    select
        id as label_id,
        value as label,
        {{ audit_columns() }}
    from source
)

select * from renamed
