with source as (
    select * from {{ source('ion', 'currencies') }}
),

renamed as (
    select
        id as currency_id,
        type as currency,
        {{ audit_columns() }}
    from source
)

select * from renamed
